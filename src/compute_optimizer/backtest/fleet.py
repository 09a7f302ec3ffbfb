"""What a backtest replays: the demand of a fleet on the five-minute grid, in absolute units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.engine.prediction import SATURATED_PERCENT
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, Statistic

CPU = "cpu"
MEMORY = "memory"
DISK = "disk"
NETWORK = "network"

UNITS = {CPU: "vCPU", MEMORY: "MiB", DISK: "bytes/s", NETWORK: "bytes/s"}
"""Of demand and capacity, by dimension; in the order in which dimensions are listed."""


@dataclass(frozen=True, slots=True)
class FleetFacts:
    """What there is to say of a fleet without its samples."""

    name: str
    resources: int
    first: date
    days: int
    statistic: Statistic
    """Of the five minutes, for CPU and memory."""
    dimensions: tuple[str, ...]
    origins: tuple[date, ...] = ()
    """First days of the test windows, where the fleet has a protocol of its own."""

    def day_number(self, day: date) -> int:
        """Return how many days after the first one a day is."""
        return (day - self.first).days

    def day(self, number: int) -> date:
        """Return the day with a number."""
        return self.first + timedelta(days=number)


@dataclass(frozen=True, slots=True, eq=False)
class TraceFleet:
    """A fleet over whole UTC days; every matrix has a row per resource."""

    name: str
    ids: tuple[str, ...]
    first: date
    statistic: Statistic
    """Of the five minutes, for CPU and memory."""
    demand: Mapping[str, Matrix]
    """By dimension, (resources, slots); NaN where there is no sample."""
    provisioned: Mapping[str, Matrix]
    """CPU and memory, (resources, days): the capacity of the day; NaN where unknown."""
    saturated: Booleans
    """(resources, slots): the sample shows the CPU at its ceiling."""
    origins: tuple[date, ...] = ()
    """First days of the test windows, where the trace has a protocol of its own."""

    @property
    def days(self) -> int:
        """Length in days."""
        return int(self.saturated.shape[1]) // SLOTS_PER_DAY

    @property
    def facts(self) -> FleetFacts:
        """What there is to say of it without its samples."""
        return FleetFacts(
            name=self.name,
            resources=len(self.ids),
            first=self.first,
            days=self.days,
            statistic=self.statistic,
            dimensions=tuple(self.demand),
            origins=self.origins,
        )

    def day_number(self, day: date) -> int:
        """Return how many days after the first one a day is."""
        return self.facts.day_number(day)

    def day(self, number: int) -> date:
        """Return the day with a number."""
        return self.facts.day(number)

    def of(self, dimensions: Sequence[str]) -> "TraceFleet":
        """Return the fleet with the given dimensions only; raise InvalidInput for one it lacks."""
        absent = [name for name in dimensions if name not in self.demand]
        if absent:
            raise InvalidInput(
                f"{self.name} has no dimension {absent[0]!r}; expected some of "
                f"{', '.join(self.demand)}"
            )
        return replace(self, demand={name: self.demand[name] for name in dimensions})


def saturated(cpu_percent: Matrix) -> Booleans:
    """Return which samples show the CPU at its ceiling."""
    found: Booleans = np.greater_equal(cpu_percent, SATURATED_PERCENT)
    return found
