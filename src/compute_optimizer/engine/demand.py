"""From usage to demand: absolute units, at the threshold and headroom of the preferences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.engine.dimensions import Dimension, sample_scales
from compute_optimizer.engine.statistics import percentile
from compute_optimizer.engine.usage import Usage
from compute_optimizer.model.preferences import Preferences

OTHER_PERCENTILE = 99.5
"""Percent, for memory and every dimension without a threshold (spec 15, questions 15 and 16)."""

FIT_TOLERANCE = 2.0**-20
"""Relative: samples are float32 (24 bits), so a demand may exceed a capacity by this and fit."""

CPU = "CPU"
MEMORY = "Memory"


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What each resource asks of each dimension; every array is (resources, dimensions)."""

    used: Floats
    """At the percentile, in the dimension's unit; NaN where no metric tells."""
    required: Floats
    """Capacity that carries `used` and leaves the headroom free."""
    capacity: Floats
    """Of the resource as it is; NaN where unknown."""
    scale: Floats
    """The dimension's unit per unit of a sample."""

    def of(self, rows: Integers) -> "Demand":
        """Return the demand of some of the resources."""
        return Demand(self.used[rows], self.required[rows], self.capacity[rows], self.scale[rows])


def percentiles(dimensions: Sequence[Dimension], preferences: Preferences) -> tuple[float, ...]:
    """Return the threshold of each dimension in percent."""
    chosen = {CPU: preferences.cpu_percentile}
    return tuple(chosen.get(dimension.name, OTHER_PERCENTILE) for dimension in dimensions)


def headrooms(dimensions: Sequence[Dimension], preferences: Preferences) -> Floats:
    """Return the headroom of each dimension as a share of capacity, shape (dimensions,)."""
    chosen: Mapping[str, float] = {
        CPU: preferences.cpu_headroom,
        MEMORY: preferences.memory_headroom,
    }
    return np.array([chosen.get(d.name, preferences.other_headroom) for d in dimensions])


def demand_of(
    usage: Usage, dimensions: Sequence[Dimension], capacity: Floats, preferences: Preferences
) -> Demand:
    """Return the demand of resources whose present `capacity` is (resources, dimensions)."""
    scale = sample_scales(dimensions, capacity)
    thresholds = percentiles(dimensions, preferences)
    at_threshold = [
        percentile(used.tail, used.counts, percent)
        for used, percent in zip(usage.dimensions, thresholds, strict=True)
    ]
    used = np.stack(at_threshold, axis=1) * scale
    required = used / (1 - headrooms(dimensions, preferences))
    return Demand(used, required, capacity, scale)
