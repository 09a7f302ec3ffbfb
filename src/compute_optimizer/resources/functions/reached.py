"""Whether functions that got less memory have come up against it, or against their timeout."""

from dataclasses import replace
from math import inf

from compute_optimizer.catalog.lambda_memory import FunctionTypes
from compute_optimizer.engine.reached import MadeChange, Resized, judged_by
from compute_optimizer.model.decision import Configuration
from compute_optimizer.model.lambda_function import LambdaFunction
from compute_optimizer.resources.functions.replay import REPLAY


def _configured(function: LambdaFunction, now: Configuration) -> LambdaFunction:
    return replace(function, memory_size=now["memorySize"])


def _resized(change: MadeChange, _types: FunctionTypes) -> Resized:
    """Return the change: with less memory a run has less CPU too, and so less of its timeout."""
    seconds = change.resource.timeout_seconds
    timeout = inf if seconds is None else seconds * 1000
    less = change.now["memorySize"] < change.former["memorySize"]
    return Resized((less, less and timeout < inf), (float(change.now["memorySize"]), timeout))


JUDGE = judged_by(REPLAY, _configured, _resized)
