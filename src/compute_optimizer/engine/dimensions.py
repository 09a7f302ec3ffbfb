"""What a dimension of capacity is: the metrics that tell its demand, and the types' capacity."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.model.metrics import SLOT_SECONDS, Matrix

CPU_PLACE = 0
"""Every resource type lists its CPU first."""


class Combine(Enum):
    """How the samples of a dimension's metrics make one series, slot by slot."""

    LARGER = "larger"
    """Directions that have a capacity each, such as network in and out."""
    SUM = "sum"
    """Parts of one budget, such as reads and writes; a part without a sample counts as none."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of capacity."""

    name: str
    """As finding reason codes begin, such as NetworkBandwidth."""
    unit: str
    """Of demand and capacity."""
    metrics: tuple[str, ...]
    capacity: Callable[[InstanceTypes], Floats]
    """Capacity of every type in the unit, shape (types,); NaN where unknown."""
    combine: Combine = Combine.LARGER
    percentage: bool = False
    """The metrics are percentages of the capacity; otherwise counters per slot."""
    never_reduced_blindly: bool = False
    """Without a metric no type with less is an option (spec 6.1 step 3)."""


def combine(parts: Sequence[Matrix], how: Combine) -> Matrix:
    """Return one series from the parts; missing only where every part is missing."""
    if len(parts) == 1:
        return parts[0]
    first, second = parts
    larger: Matrix = np.fmax(first, second)
    if how is Combine.SUM:
        np.fmax(first + second, larger, out=larger)
    return larger


def metrics_by_name(dimensions: Sequence[Dimension]) -> dict[str, tuple[str, ...]]:
    """Return the metrics that tell each dimension."""
    return {one.name: one.metrics for one in dimensions}


def capacities(dimensions: Sequence[Dimension], types: InstanceTypes) -> Floats:
    """Return the capacity of every type, shape (types, dimensions)."""
    return np.stack([dimension.capacity(types) for dimension in dimensions], axis=1)


def sample_scales(dimensions: Sequence[Dimension], capacity: Floats) -> Floats:
    """Return what one unit of a sample is in demand, shape (resources, dimensions).

    One percent of the resource's own `capacity`, or one count per slot as a rate per second.
    """
    percentage = np.array([dimension.percentage for dimension in dimensions])
    return np.where(percentage, capacity / 100, 1 / SLOT_SECONDS)


def compute(types: InstanceTypes) -> Floats:
    """Return what each type computes, in vCPUs of m5, (types,).

    A family nobody measured counts its vCPUs: the rules let it meet only itself.
    """
    return types.vcpus * np.nan_to_num(types.relative_speed, nan=1.0)
