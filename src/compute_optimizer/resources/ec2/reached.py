"""Whether machines that were made smaller have come up against what they have now.

What is asked of a machine is seen up to its capacity and no further. So where the prediction says
that demand exceeds the capacity, what can be seen afterwards is that it reaches it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.demand import FIT_TOLERANCE, OTHER_PERCENTILE
from compute_optimizer.engine.dimensions import CPU_PLACE, capacities, sample_scales
from compute_optimizer.engine.peaks import peak_in
from compute_optimizer.engine.prediction import SATURATED_PERCENT, forgiven
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.ec2.analysis import measure_shard
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """What became of machines after their change, (machines,)."""

    seen: Booleans
    """Sent at least one sample of CPU."""
    reached: Booleans
    """In a dimension in which the machine became smaller."""


def reached(
    machines: Sequence[Resource],
    samples: ShardSamples,
    types: InstanceTypes,
    former: Sequence[str],
    dimensions: Collection[str],
) -> Reached:
    """Return which machines came up against their capacity in the samples after the change.

    `former` are the types that they had. The event is that of every risk here (engine.peaks), in
    one of the `dimensions` in which the type has become smaller, with 99 % of the capacity for
    "exceeds": the share from which on the engine takes a CPU to be at its ceiling.
    """
    found = measure_shard(machines, samples, types, [OTHER_PERCENTILE] * len(DIMENSIONS))
    counted = np.array([dimension.name in dimensions for dimension in DIMENSIONS])
    peaks = np.stack(
        [
            peak_in(used.tail, used.counts, forgiven(dimension))
            for dimension, used in zip(DIMENSIONS, found.usage.dimensions, strict=True)
        ],
        axis=1,
    ) * sample_scales(DIMENSIONS, found.capacity)
    # A comparison with NaN is false: what is unknown was neither smaller nor reached.
    smaller = counted & (found.capacity < _capacities(types, former))
    ceiling = found.capacity * (SATURATED_PERCENT / 100 * (1 - FIT_TOLERANCE))
    return Reached(
        seen=found.usage.dimensions[CPU_PLACE].counts > 0,
        reached=np.logical_or.reduce(smaller & (peaks >= ceiling), axis=1),
    )


def _capacities(types: InstanceTypes, names: Sequence[str]) -> Floats:
    """Return the capacity of types by name, (names, dimensions); NaN for an unknown one."""
    of_types = capacities(DIMENSIONS, types)
    found = np.full((len(names), len(DIMENSIONS)), np.nan)
    for row, name in enumerate(names):
        if name in types.index:
            found[row] = of_types[types.index[name]]
    return found
