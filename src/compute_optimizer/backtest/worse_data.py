"""Samples as they might have come: with gaps, rolled up, with a spike.

What is drawn for a resource depends on its name and on nobody else, so that a fleet is made worse
in the same way wherever its shards are read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

import numpy as np

from compute_optimizer.backtest.fleet import CPU
from compute_optimizer.backtest.trial import Train, Trial
from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.model.metrics import SLOTS_PER_DAY, SLOTS_PER_HOUR, Matrix

GAP_HOURS = 6
SPIKE = 3.0
"""Times the usual demand, on one day, up to today's capacity."""

SEED_BYTES = 8
"""Of a name's digest, which seeds what is drawn for it."""

Draws = Sequence[np.random.Generator]
"""One for each resource."""

Perturbation = Callable[[Train, Draws], Train]


def dropped(share: float) -> Perturbation:
    """Return what loses a share of all samples at random, in every dimension at once."""

    def perturb(train: Train, draws: Draws) -> Train:
        shape = train.demand[CPU].shape
        drawn = np.array([one.random(shape[1]) for one in draws]).reshape(shape)
        return _without(train, drawn < share)

    return perturb


def daily_gaps(train: Train, draws: Draws) -> Train:
    """Lose six hours in a row of every day, at another time for every resource and day."""
    resources, slots = train.demand[CPU].shape
    width, days = GAP_HOURS * SLOTS_PER_HOUR, slots // SLOTS_PER_DAY
    drawn = [one.integers(0, SLOTS_PER_DAY - width + 1, days) for one in draws]
    begins = np.array(drawn, np.int64).reshape(resources, days, 1)
    place = np.arange(SLOTS_PER_DAY)[None, None, :]
    gone = (place >= begins) & (place < begins + width)
    return _without(train, gone.reshape(resources, slots))


def hourly(train: Train, draws: Draws) -> Train:
    """Know only the mean of every hour, as after a roll-up."""
    return replace(train, demand={name: _hourly_means(m) for name, m in train.demand.items()})


def one_day_spike(train: Train, draws: Draws) -> Train:
    """Triple the CPU of one day, up to today's capacity; another day for every resource."""
    series = train.demand[CPU]
    days = series.shape[1] // SLOTS_PER_DAY
    day = np.array([one.integers(0, days) for one in draws], np.int64)[:, None]
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


def worsened(trial: Trial, name: str, ids: Sequence[str], seed: int) -> Trial:
    """Return a trial with worse data before its origin; `ids` are of its fleet's resources."""
    draws = [_draw(seed, name, ids[row]) for row in trial.resources.tolist()]
    return replace(trial, train=PERTURBATIONS[name](trial.train, draws), memo={})


def _draw(seed: int, name: str, resource: str) -> np.random.Generator:
    told = blake2b(f"{name}\n{resource}".encode(), digest_size=SEED_BYTES).digest()
    return np.random.default_rng([seed, int.from_bytes(told)])


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
