"""How much the advice moves when the data is worse, or a day older."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from compute_optimizer.backtest import choosing, scores
from compute_optimizer.backtest.origin import Origin
from compute_optimizer.backtest.policies import Policy
from compute_optimizer.backtest.trial import Trial
from compute_optimizer.engine.arrays import Integers

UNKNOWN = -1
"""Stands for the option of a resource that was not judged on a day."""


def robustness(
    policy: Policy,
    origin: Origin,
    knobs: Integers,
    usual: Integers,
    worsened: Mapping[str, Trial],
) -> dict[str, Any]:
    """Return what the same knobs recommend, and what that does, on worse data of an origin."""
    found = {}
    for name, worse in worsened.items():
        record = choosing.record_of(policy, origin, worse)
        chosen = choosing.deployed(record, knobs, worse)
        result = scores.result_of(worse, chosen, 0.0)
        count = max(len(chosen), 1)
        found[name] = {
            "changed": float(np.count_nonzero(chosen != usual)) / count,
            "violations": float(result.violated.sum()) / count,
            "savings": scores.savings(result.price, result.current_price),
        }
    return found


def stability(
    policy: Policy, origin: Origin, knobs: Integers, trials: Sequence[Trial]
) -> dict[str, float]:
    """Return how often the first option changes from one trial to the next, and back again.

    The trials have origins a day apart. Only those count in which a resource was judged and
    unclipped.
    """
    options = np.full((len(trials), len(origin.folds)), UNKNOWN)
    for day, trial in enumerate(trials):
        record = choosing.record_of(policy, origin, trial)
        rows = trial.resources[trial.counted]
        options[day, rows] = choosing.deployed(record, knobs, trial)
    known = options != UNKNOWN
    pairs = known[1:] & known[:-1]
    changed = pairs & (options[1:] != options[:-1])
    triples = pairs[1:] & pairs[:-1]
    returned = triples & changed[:-1] & (options[2:] == options[:-2])
    return {
        "flips": float(changed.sum()) / max(int(pairs.sum()), 1),
        "returns": float(returned.sum()) / max(int(triples.sum()), 1),
    }
