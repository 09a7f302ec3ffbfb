"""What the advice of each grid point would have done to a fleet, and which points are best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.backtest.fleet import saturated
from compute_optimizer.backtest.trial import exceedances
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import FIT_TOLERANCE, MEMORY
from compute_optimizer.engine.dimensions import Dimension, combine, sample_scales
from compute_optimizer.engine.peaks import FORGIVEN
from compute_optimizer.engine.prediction import SATURATED_SHARE
from compute_optimizer.engine.ranking import NONE
from compute_optimizer.engine.usage import CPU_METRIC, Chosen, count_samples
from compute_optimizer.model.metrics import Matrix


@dataclass(frozen=True, slots=True)
class Outcome:
    """One point of the grid in two figures; both are better when lower."""

    cost: float
    violations: float


def excess_harm(
    tested: Chosen, dimensions: Sequence[Dimension], own: Floats, types: Floats
) -> Booleans:
    """Return which types would have been violated where the present capacity is not.

    `tested` holds the samples after the origin, `own` is (resources, dimensions) as provisioned,
    `types` (types, dimensions); the result is (resources, types). As in the backtest: demand
    exceeds the capacity in more than FORGIVEN of the intervals, of memory in any.
    """
    scale = sample_scales(dimensions, own).astype(np.float32)
    violated = np.zeros((tested.rows, len(types)), np.bool_)
    for place, dimension in enumerate(dimensions):
        parts = tested.parts(dimension)
        if not parts:
            continue
        demand = combine(parts, dimension.combine) * scale[:, place, None]
        forgiven = (0 if dimension.name == MEMORY else FORGIVEN) * count_samples(demand)
        known = np.flatnonzero(np.isfinite(types[:, place]))
        above, _ = exceedances(demand, types[known, place])
        mine = _exceeded(demand, own[:, place]) > forgiven
        violated[:, known] |= (above > forgiven[:, None]) & ~mine[:, None]
    return violated


def _exceeded(demand: Matrix, capacity: Floats) -> Integers:
    """Return by how many samples each row exceeds its own capacity; none where that is unknown."""
    limits = (capacity * (1 + FIT_TOLERANCE)).astype(np.float32)
    above: Integers = np.count_nonzero(demand > limits[:, None], axis=1)
    return above


def clipped(chosen: Chosen) -> Booleans:
    """Return whose CPU was at its ceiling, (resources,): what they needed cannot be seen."""
    cpu = chosen.series.get(CPU_METRIC)
    if cpu is None:
        return np.zeros(chosen.rows, np.bool_)
    share = np.count_nonzero(saturated(cpu), axis=1) / np.maximum(count_samples(cpu), 1)
    found: Booleans = share > SATURATED_SHARE
    return found


def violated(harm: Booleans, type_index: Integers, current: Integers) -> Booleans:
    """Return which resources their first option would have hurt.

    `current` are the places of today's types; who gets NONE or that very type is not hurt.
    """
    moved = (type_index != NONE) & (type_index != current)
    hurt: Booleans = moved & harm[np.arange(len(harm)), np.maximum(type_index, 0)]
    return hurt


def pareto(outcomes: Sequence[Outcome]) -> list[bool]:
    """Return which points are not beaten: none is as good in both figures and better in one."""
    cost = np.array([one.cost for one in outcomes])
    share = np.array([one.violations for one in outcomes])
    # [i, j]: j is as good as i in both, and better in one.
    as_good = (cost[None] <= cost[:, None]) & (share[None] <= share[:, None])
    better = (cost[None] < cost[:, None]) | (share[None] < share[:, None])
    beaten = np.logical_or.reduce(as_good & better, axis=1)
    return [not one for one in beaten.tolist()]
