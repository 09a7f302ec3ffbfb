"""Intervals: Wilson's for shares, the bootstrap over resources for savings and differences."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.engine.statistics import NORMAL_95

RESAMPLES = 1_000
"""Bootstrap samples: the ends of a 95 % interval then rest on 25 of them each."""


def wilson(count: float, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of `count` in `number`; (0, 1) of nothing."""
    if number == 0:
        return 0.0, 1.0
    share, square = count / number, NORMAL_95**2
    centre = (share + square / (2 * number)) / (1 + square / number)
    spread = NORMAL_95 * sqrt(share * (1 - share) / number + square / (4 * number**2))
    spread /= 1 + square / number
    return max(0.0, centre - spread), min(1.0, centre + spread)


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """How often each row counts in each bootstrap sample, (samples, rows)."""

    weights: Floats

    def total(self, values: Floats) -> Floats:
        """Return the sum of values in every sample, (samples,)."""
        found: Floats = self.weights @ values
        return found


def resample(resources: Integers, seed: int) -> Resampled:
    """Draw bootstrap samples of resources; all rows of one resource come and go together."""
    names, place = np.unique(resources, return_inverse=True)
    if not len(names):
        return Resampled(np.zeros((RESAMPLES, 0)))
    drawn = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES
    )
    return Resampled(drawn[:, place].astype(np.float64))


def middle_95(values: Floats) -> list[float] | None:
    """Return the interval that holds the middle 95 % of bootstrap values; None without any."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [0.025, 0.975])
    return [float(low), float(high)]
