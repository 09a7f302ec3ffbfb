"""Performance risk of the published profile: 0 to 4 per dimension, from counts of samples.

f is the share of samples whose use exceeds the capacity, h the share that exceeds the capacity
without the headroom (spec 3.5, a proposal: the service publishes no formula).
"""

from collections.abc import Sequence

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Integers, Singles
from compute_optimizer.engine.demand import FIT_TOLERANCE
from compute_optimizer.engine.digests import Wanted, together
from compute_optimizer.engine.dimensions import Dimension
from compute_optimizer.engine.matching import Fleet
from compute_optimizer.engine.ranking import NONE
from compute_optimizer.engine.statistics import count_above
from compute_optimizer.engine.usage import (
    DimensionUsage,
    dimension_rows,
    known_above,
    rows_wanted,
)
from compute_optimizer.model.recommendation import PerformanceRisk

RARE_SHORTAGE = 0.005
"""Share of samples: up to here a shortage scores 2 (spec 3.5)."""

FREQUENT_SHORTAGE = 0.05
"""Share of samples: up to here a shortage scores 3, beyond it 4 (spec 3.5)."""

RISK_NAMES = (
    PerformanceRisk.VERY_LOW,
    PerformanceRisk.LOW,
    PerformanceRisk.MEDIUM,
    PerformanceRisk.HIGH,
    PerformanceRisk.HIGH,
)
"""The current resource's risk by score; the service has no VeryHigh there (spec 3.5)."""

SCORE_RISKS = (0.01, 0.05, 0.1, 0.25)
"""Probabilities from which a predicted risk scores 1, 2, 3 and 4; ours, for the service publishes
no formula. Their empirical rates: docs/quality.md."""

ROUNDING = 1e-9
"""Samples: what float64 arithmetic may add to (1 - threshold) x count."""


def scored(probability: Floats) -> Floats:
    """Return 0 to 4 for probabilities of a violation, of the same shape; NaN stays."""
    found = np.searchsorted(SCORE_RISKS, probability, side="right").astype(np.float64)
    return np.where(np.isnan(probability), np.nan, found)


def scores(shortage: Integers, tight: Integers, samples: Integers, percent: float) -> Floats:
    """Return 0 to 4 from samples above the capacity and above what leaves the headroom free.

    The counts broadcast; `percent` is the threshold. Without samples nothing is judged: NaN.
    """
    forgiven = (1 - percent / 100) * samples + ROUNDING
    share = shortage / np.maximum(samples, 1)
    grades = [tight <= forgiven, shortage == 0, share <= RARE_SHORTAGE, share <= FREQUENT_SHORTAGE]
    found = np.select(grades, [0.0, 1.0, 2.0, 3.0], 4.0)
    return np.where(samples > 0, found, np.nan)


def _limits(fleet: Fleet, place: int, capacity: Floats) -> tuple[Floats, Floats]:
    """Return capacity, and capacity less the headroom, in units of the samples."""
    full = capacity * (1 + FIT_TOLERANCE) / fleet.demand.scale[:, place, None]
    return full, full * (1 - fleet.headrooms[place])


def current_scores(fleet: Fleet, dimensions: Sequence[Dimension]) -> Floats:
    """Return the risk of each resource as it is, (resources, dimensions); NaN where unjudged."""
    found = np.full(fleet.demand.required.shape, np.nan)
    for place, dimension in enumerate(dimensions):
        used = fleet.usage.dimensions[place]
        full, spare = _limits(fleet, place, fleet.demand.capacity[:, place, None])
        shortage, tight = count_above(used.tail, full), count_above(used.tail, spare)
        rows = _beyond_tail(used, shortage[:, 0])
        if len(rows):
            shortage[rows, 0] = _shortages(fleet, place, dimension, rows)
        judged = scores(shortage[:, 0], tight[:, 0], used.counts, fleet.thresholds[place])
        found[:, place] = np.where(np.isnan(full[:, 0]), np.nan, judged)
    return found


def current_scores_wanted(fleet: Fleet, dimensions: Sequence[Dimension]) -> Wanted:
    """Return the whole rows that `current_scores` reads."""
    found = []
    for place, dimension in enumerate(dimensions):
        used = fleet.usage.dimensions[place]
        full, _ = _limits(fleet, place, fleet.demand.capacity[:, place, None])
        rows = _beyond_tail(used, count_above(used.tail, full)[:, 0])
        if len(rows):
            _, told = _told_shortages(fleet, place, dimension, rows)
            found.append(rows_wanted(fleet.chosen, dimension, rows[~told]))
    return together(found)


def _beyond_tail(used: DimensionUsage, shortage: Integers) -> Integers:
    """Return the rows of which the whole tail exceeds the capacity: it says "at least".

    What fills a tail is more than the threshold forgives and more than is rare, so that a deeper
    look only tells whether it is frequent.
    """
    depth = used.tail.shape[1]
    open_rows = (shortage >= depth) & (depth <= FREQUENT_SHORTAGE * used.counts)
    rows: Integers = np.flatnonzero(open_rows)
    return rows


def _shortages(fleet: Fleet, place: int, dimension: Dimension, rows: Integers) -> Integers:
    """Return how many samples of some rows exceed the capacity, or at least a frequent number."""
    counts, told = _told_shortages(fleet, place, dimension, rows)
    if not told.all():
        limits = _own_limits(fleet, place, rows[~told])
        series = dimension_rows(fleet.chosen, dimension, rows[~told])
        counts[~told] = np.count_nonzero(series > limits, axis=1)
    return counts


def _told_shortages(
    fleet: Fleet, place: int, dimension: Dimension, rows: Integers
) -> tuple[Integers, Booleans]:
    """Return the same as far as days in short tell it, and where they do, (rows,) each."""
    limits = _own_limits(fleet, place, rows)
    counts, exact = known_above(fleet.chosen, dimension, rows, limits)
    frequent = counts > FREQUENT_SHORTAGE * fleet.usage.dimensions[place].counts[rows]
    return counts, exact | frequent


def _own_limits(fleet: Fleet, place: int, rows: Integers) -> Singles:
    full, _ = _limits(fleet, place, fleet.demand.capacity[:, place, None])
    limits: Singles = full[rows].astype(np.float32)
    return limits


def option_scores(fleet: Fleet, capacity: Floats, types: Integers) -> Floats:
    """Return the overall risk of options that fit, shape of `types` (resources, pools, choices).

    `capacity` is (types, dimensions). What fits lies below its limits but for the samples that the
    threshold forgives, and those are all in the tail.
    """
    flat = types.reshape(len(types), -1)
    found = np.zeros(flat.shape)
    for place, used in enumerate(fleet.usage.dimensions):
        full, spare = _limits(fleet, place, capacity[flat, place])
        shortage, tight = count_above(used.tail, full), count_above(used.tail, spare)
        judged = scores(shortage, tight, used.counts[:, None], fleet.thresholds[place])
        found = np.fmax(found, np.where(np.isnan(full), np.nan, judged))
    return np.where(flat == NONE, np.nan, found).reshape(types.shape)


def predicted_risks(fleet: Fleet, capacity: Floats, types: Integers) -> Floats:
    """Return the risk of options by dimension, shape of `types` and dimensions; NaN if unknown.

    `capacity` is (types, dimensions).
    """
    flat = types.reshape(len(types), -1)
    found = np.full((*flat.shape, capacity.shape[1]), np.nan)
    if fleet.prediction is not None:
        known = (flat != NONE) & fleet.prediction.predictable[:, None]
        risks = fleet.prediction.by_dimension(capacity[flat])
        found = np.where(known[:, :, None], risks, np.nan)
    return found.reshape(*types.shape, capacity.shape[1])


def overall(by_dimension: Floats) -> Floats:
    """Return the highest risk over the last axis; unjudged dimensions do not count."""
    highest: Floats = np.where(np.isnan(by_dimension), 0.0, by_dimension).max(axis=-1)
    return highest
