"""How often options of a given tightness were violated in the past: a forecast for any rule.

Tightness is an option's capacity over the highest use before the origin (P99.9; of memory the
maximum). Of tighter options more were violated: an isotonic fit holds the forecast to that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.backtest.fleet import MEMORY
from compute_optimizer.backtest.peers import quantile
from compute_optimizer.backtest.trial import Train, Trial
from compute_optimizer.engine.arrays import Booleans, Floats, Integers

PEAK_PERCENT = 99.9
"""What the violation of an option is about: 0.1 % of the samples may exceed it."""

HIGHEST_USE = "highest use"
"""Under which a trial remembers it."""


@dataclass(frozen=True, slots=True, eq=False)
class Climatology:
    """Probability of a violation by tightness: a step function that falls."""

    tightness: Floats
    """Ascending: where the steps begin."""
    probability: Floats
    base_rate: float
    """Share of violated options over all of the past."""

    def at(self, tightness: Floats) -> Floats:
        """Return the probability of options; a tightness of NaN is never violated."""
        if not len(self.tightness):
            return np.where(np.isnan(tightness), 0.0, self.base_rate)
        place = np.searchsorted(self.tightness, tightness, side="right") - 1
        found = self.probability[np.maximum(place, 0)]
        return np.where(np.isnan(tightness), 0.0, found)


def tightness(trial: Trial, dimension: str) -> Floats:
    """Return capacity over highest use, (resources, options); NaN where use is unknown.

    Also NaN where the capacity is no less than today's: that cannot do excess harm.
    """
    place = trial.options.dimensions.index(dimension)
    peak = highest_use(trial)[:, place]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = trial.options.capacity[None, :, place] / peak[:, None]
    harmless = trial.options.capacity[None, :, place] >= trial.train.current[:, place, None]
    return np.where(harmless | np.isnan(peak)[:, None], np.nan, ratio)


def highest_use(trial: Trial) -> Floats:
    """Return the highest use before the origin, (resources, dimensions); NaN where unknown."""
    return trial.remembered(HIGHEST_USE, lambda: _highest_use(trial.train))


def _highest_use(train: Train) -> Floats:
    needs = quantile(train, percent=PEAK_PERCENT)
    if MEMORY in train.dimensions:
        place = train.dimensions.index(MEMORY)
        unknown = np.isnan(train.demand[MEMORY]).all(axis=1)
        needs[unknown, place] = np.nan
    return needs


def fit(trials: Sequence[Trial], folds: Integers, fold: int, dimension: str) -> Climatology:
    """Fit on trials that end before an origin and on resources outside one fold."""
    ratios, outcomes = [], []
    for trial in trials:
        others = np.flatnonzero(~trial.clipped & (folds[trial.resources] != fold))
        ratio = tightness(trial, dimension)[others]
        known = np.isfinite(ratio) | np.isposinf(ratio)
        ratios.append(ratio[known])
        outcomes.append(trial.harm.by_dimension[dimension][others][known])
    if not ratios:
        return Climatology(np.empty(0), np.empty(0), 0.0)
    return isotonic(np.concatenate(ratios), np.concatenate(outcomes))


def isotonic(ratio: Floats, violated: Booleans) -> Climatology:
    """Return the falling step function nearest to the outcomes (pool adjacent violators)."""
    if not len(ratio):
        return Climatology(np.empty(0), np.empty(0), 0.0)
    levels, place, counts = np.unique(ratio, return_inverse=True, return_counts=True)
    sums = np.bincount(place, violated.astype(np.float64))
    pooled: list[tuple[int, float, int]] = []
    for begin, (total, count) in enumerate(zip(sums.tolist(), counts.tolist(), strict=True)):
        pooled.append((begin, total, count))
        while len(pooled) > 1 and _rises(pooled[-2], pooled[-1]):
            _, total, count = pooled.pop()
            first, before, number = pooled.pop()
            pooled.append((first, before + total, number + count))
    begins = np.array([begin for begin, _, _ in pooled])
    # Half a success and half a failure more: no block of the past proves a certainty.
    probability = np.array([(total + 0.5) / (count + 1) for _, total, count in pooled])
    falling = np.minimum.accumulate(probability)
    return Climatology(levels[begins], falling, float(violated.mean()))


def _rises(before: tuple[int, float, int], after: tuple[int, float, int]) -> bool:
    return after[1] / after[2] >= before[1] / before[2]
