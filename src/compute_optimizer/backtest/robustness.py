"""How much the advice moves when the data is worse, or a day older."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from compute_optimizer.backtest import choosing, scores
from compute_optimizer.backtest.fleet import CPU
from compute_optimizer.backtest.origin import Origin
from compute_optimizer.backtest.policies import Policy
from compute_optimizer.backtest.trial import Train, Trial
from compute_optimizer.engine.arrays import Booleans, Integers
from compute_optimizer.model.metrics import SLOTS_PER_DAY, SLOTS_PER_HOUR, Matrix

GAP_HOURS = 6
SPIKE = 3.0
"""Times the usual demand, on one day, up to today's capacity."""

UNKNOWN = -1
"""Stands for the option of a resource that was not judged on a day."""

Perturbation = Callable[[Train, np.random.Generator], Train]


def dropped(share: float) -> Perturbation:
    """Return what loses a share of all samples at random, in every dimension at once."""

    def perturb(train: Train, draw: np.random.Generator) -> Train:
        return _without(train, draw.random(train.demand[CPU].shape) < share)

    return perturb


def daily_gaps(train: Train, draw: np.random.Generator) -> Train:
    """Lose six hours in a row of every day, at another time for every resource and day."""
    resources, slots = train.demand[CPU].shape
    width = GAP_HOURS * SLOTS_PER_HOUR
    begins = draw.integers(0, SLOTS_PER_DAY - width + 1, (resources, slots // SLOTS_PER_DAY, 1))
    place = np.arange(SLOTS_PER_DAY)[None, None, :]
    gone = (place >= begins) & (place < begins + width)
    return _without(train, gone.reshape(resources, slots))


def hourly(train: Train, draw: np.random.Generator) -> Train:
    """Know only the mean of every hour, as after a roll-up."""
    return replace(train, demand={name: _hourly_means(m) for name, m in train.demand.items()})


def one_day_spike(train: Train, draw: np.random.Generator) -> Train:
    """Triple the CPU of one day, up to today's capacity; another day for every resource."""
    series = train.demand[CPU]
    days = series.shape[1] // SLOTS_PER_DAY
    day = draw.integers(0, days, (len(series), 1))
    hit = np.arange(series.shape[1])[None, :] // SLOTS_PER_DAY == day
    capacity = train.current[:, train.dimensions.index(CPU), None]
    raised = np.minimum(series * SPIKE, np.maximum(capacity, series)).astype(np.float32)
    return replace(train, demand={**train.demand, CPU: np.where(hit, raised, series)})


PERTURBATIONS: Mapping[str, Perturbation] = {
    "10 % of samples dropped": dropped(0.1),
    "30 % of samples dropped": dropped(0.3),
    "6-hour gap every day": daily_gaps,
    "hourly means": hourly,
    "one-day spike": one_day_spike,
}


def robustness(
    policy: Policy, origin: Origin, knobs: Integers, usual: Integers, seed: int
) -> dict[str, Any]:
    """Return what the same knobs recommend, and what that does, on worse data of an origin."""
    found = {}
    for place, (name, perturb) in enumerate(PERTURBATIONS.items()):
        draw = np.random.default_rng([seed, place])
        worse = replace(origin.trial, train=perturb(origin.trial.train, draw), memo={})
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


def _without(train: Train, gone: Booleans) -> Train:
    nothing = np.float32(np.nan)
    return replace(
        train, demand={name: np.where(gone, nothing, m) for name, m in train.demand.items()}
    )


def _hourly_means(matrix: Matrix) -> Matrix:
    hours = matrix.reshape(len(matrix), matrix.shape[1] // SLOTS_PER_HOUR, SLOTS_PER_HOUR)
    known = np.isfinite(hours).sum(axis=2)
    with np.errstate(invalid="ignore"):
        means = (np.nansum(hours, axis=2) / known).astype(np.float32)
    spread: Matrix = np.repeat(means, SLOTS_PER_HOUR, axis=1)
    return spread
