"""Metric names, statistics and the grid on which samples are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

SLOT_SECONDS = 300
"""Five minutes: the interval that the service analyzes (spec 2.1). Of ECS services it analyzes
minutes, of which a slot keeps the highest (docs/ecs-services.md)."""

SLOTS_PER_HOUR = 3_600 // SLOT_SECONDS
SLOTS_PER_DAY = 86_400 // SLOT_SECONDS

Matrix = NDArray[np.float32]
"""Samples as (resources, slots) float32; NaN where there is no data."""


class Statistic(StrEnum):
    """How the samples inside one slot were aggregated; never mixed with each other."""

    AVERAGE = "Average"
    MAXIMUM = "Maximum"
    SUM = "Sum"


@dataclass(frozen=True, slots=True, order=True)
class MetricKey:
    """One stored series: a metric and its statistic, such as CPUUtilization Maximum."""

    metric: str
    statistic: Statistic

    @property
    def column(self) -> str:
        """Name of the tile column that holds the series."""
        return f"{self.metric}_{self.statistic.value}"


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive whole UTC days, from first to last inclusive."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.last - self.first).days + 1


def look_back(as_of: datetime, days: int) -> Window:
    """Return the days that an analysis at `as_of` reads: the last one is the day that it ends in.

    A day that begins at `as_of` lies outside: midnight belongs to the day before.
    """
    last = (as_of.astimezone(UTC) - timedelta(microseconds=1)).date()
    return Window(last - timedelta(days=days - 1), last)


@dataclass(frozen=True, slots=True)
class ShardSamples:
    """All samples of one shard over one window, ready for the engine."""

    resource_arns: tuple[str, ...]
    """Row order of every matrix."""
    window: Window
    series: dict[MetricKey, Matrix]
    """(resources, window.days x SLOTS_PER_DAY) each; a series nobody sent is left out."""

    def rows(self, places: Sequence[int]) -> "ShardSamples":
        """Return the batch that holds only the given rows, in their order."""
        some = {key: matrix[places] for key, matrix in self.series.items()}
        arns = tuple(self.resource_arns[place] for place in places)
        return ShardSamples(arns, self.window, some)

    def row(self, index: int) -> "ShardSamples":
        """Return the batch of one that holds only the given row."""
        one: dict[MetricKey, Any] = {key: m[index : index + 1] for key, m in self.series.items()}
        return ShardSamples(self.resource_arns[index : index + 1], self.window, one)
