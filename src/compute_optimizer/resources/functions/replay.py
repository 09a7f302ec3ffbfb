"""How the advice for functions is replayed."""

from collections.abc import Mapping, Sequence
from math import inf

from compute_optimizer.catalog.lambda_memory import FunctionTypes
from compute_optimizer.engine.replay import Move, Replay, ReplayedDimension
from compute_optimizer.model.lambda_function import LambdaFunction, LambdaFunctionRecommendation
from compute_optimizer.model.metrics import Matrix, ShardSamples
from compute_optimizer.resources.functions.use import (
    HIGHEST_DURATION,
    HIGHEST_MEMORY,
    MEAN_DURATION,
)

MEMORY, DURATION = "Memory", "Duration"


def _demand(
    _functions: Sequence[LambdaFunction], samples: ShardSamples, _types: FunctionTypes
) -> Mapping[str, Matrix]:
    series = samples.series
    duration = series.get(HIGHEST_DURATION, series.get(MEAN_DURATION))
    found = {MEMORY: series.get(HIGHEST_MEMORY), DURATION: duration}
    return {name: matrix for name, matrix in found.items() if matrix is not None}


def _move(
    function: LambdaFunction, found: LambdaFunctionRecommendation, _types: FunctionTypes
) -> Move:
    """Return the advice; with less memory every run is taken to stretch as if it only computed."""
    timeout = inf if function.timeout_seconds is None else function.timeout_seconds * 1000
    size = float(found.memory_size)
    if not found.options:
        return Move((size, timeout), (size, timeout), found.monthly_usd, found.monthly_usd)
    first = found.options[0]
    stretched = max(size / first.memory_size, 1.0)
    advised = (float(first.memory_size), timeout / stretched)
    return Move((size, timeout), advised, found.monthly_usd, first.monthly_usd)


REPLAY = Replay(
    # An invocation that runs out of memory or of time is lost.
    dimensions=(ReplayedDimension(MEMORY, "MB", 0.0), ReplayedDimension(DURATION, "ms", 0.0)),
    demand=_demand,
    move=_move,
)
