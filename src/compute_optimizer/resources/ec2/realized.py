"""What came: whether the days after an analysis would have exceeded an option's capacity."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import FIT_TOLERANCE, OTHER_PERCENTILE
from compute_optimizer.engine.dimensions import CPU_PLACE, sample_scales
from compute_optimizer.engine.peaks import peak_in
from compute_optimizer.engine.prediction import forgiven
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.ec2.analysis import UNKNOWN_TYPE, measure_shard
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS


@dataclass(frozen=True, slots=True, eq=False)
class Realized:
    """What became of the options of some machines."""

    seen: Booleans
    """(machines,): sent at least one sample of CPU."""
    smaller: Booleans
    """(machines, options): less capacity than the machine in some dimension."""
    exceeded: Booleans
    """(machines, options): demand exceeded the option's capacity where it is smaller."""


def realized(
    machines: Sequence[Resource],
    samples: ShardSamples,
    types: InstanceTypes,
    options: Integers,
    dimensions: Collection[str],
) -> Realized:
    """Return which of the machines' options were exceeded in the samples.

    `options` are places in the catalog, (machines, options), or UNKNOWN_TYPE. The event is that of
    every risk here (engine.peaks): demand beyond the capacity in more than 0.1 % of the samples, of
    memory in any, in one of the `dimensions` in which the option is smaller than the machine.
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
    capacity = _capacities(found.market.capacity, options)
    # A comparison with NaN is false: what is unknown is neither smaller nor exceeded.
    smaller = counted & (capacity < found.capacity[:, None, :])
    exceeded = smaller & (peaks[:, None, :] > capacity * (1 + FIT_TOLERANCE))
    return Realized(
        seen=found.usage.dimensions[CPU_PLACE].counts > 0,
        smaller=np.logical_or.reduce(smaller, axis=2),
        exceeded=np.logical_or.reduce(exceeded, axis=2),
    )


def _capacities(of_types: Floats, options: Integers) -> Floats:
    """Return the capacity of options, (machines, options, dimensions); NaN where unknown."""
    found: Floats = of_types[options].astype(np.float64)
    found[options == UNKNOWN_TYPE] = np.nan
    return found
