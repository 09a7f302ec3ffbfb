"""Whether machines that were made smaller have come up against what they have now (engine.reached).

The samples of a group are those of one of its machines.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.engine.demand import OTHER_PERCENTILE
from compute_optimizer.engine.dimensions import capacities, sample_scales
from compute_optimizer.engine.peaks import peak_in
from compute_optimizer.engine.prediction import forgiven
from compute_optimizer.engine.reached import CEILING_SHARE, MadeChange, Reached
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.resources.ec2.analysis import measure_shard
from compute_optimizer.resources.ec2.dimensions import DIMENSION_NAMES, DIMENSIONS

TYPE = "instanceType"
"""The member of a configuration that advice for machines changes."""


def judge(changes: Sequence[MadeChange], samples: ShardSamples, types: InstanceTypes) -> Reached:
    """Return which machines came up against their capacity in the samples after the change.

    The event is that of every risk here (engine.peaks), in a dimension in which the type has become
    smaller, with "reaches" for "exceeds".
    """
    machines = [replace(one.resource, instance_type=str(one.now[TYPE])) for one in changes]
    found = measure_shard(machines, samples, types, [OTHER_PERCENTILE] * len(DIMENSIONS))
    peaks = np.stack(
        [
            peak_in(used.tail, used.counts, forgiven(dimension))
            for dimension, used in zip(DIMENSIONS, found.usage.dimensions, strict=True)
        ],
        axis=1,
    ) * sample_scales(DIMENSIONS, found.capacity)
    # A comparison with NaN is false: what is unknown was neither smaller nor reached.
    smaller = found.capacity < _capacities(types, [str(one.former[TYPE]) for one in changes])
    return Reached(
        dimensions=DIMENSION_NAMES,
        known=np.isfinite(found.capacity),
        seen=np.stack([used.counts > 0 for used in found.usage.dimensions], axis=1),
        smaller=smaller,
        reached=smaller & (peaks >= found.capacity * CEILING_SHARE),
    )


def _capacities(types: InstanceTypes, names: Sequence[str]) -> Floats:
    """Return the capacity of types by name, (names, dimensions); NaN for an unknown one."""
    of_types = capacities(DIMENSIONS, types)
    found = np.full((len(names), len(DIMENSIONS)), np.nan)
    for row, name in enumerate(names):
        if name in types.index:
            found[row] = of_types[types.index[name]]
    return found
