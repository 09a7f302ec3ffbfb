"""What is collected from a source of metrics: where, which samples, and what that takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.model.metrics import Matrix, MetricKey
from compute_optimizer.model.resource import Resource

Seconds = NDArray[np.int64]
"""Since 1970, UTC."""

NOTHING_WANTED = np.iinfo(np.int64).max
"""In place of a moment: no sample of that resource is wanted."""


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """What is collected in one piece: the resources of one type in one account and Region."""

    account_id: str
    region: str
    resource_type: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """The samples that are missing of some resources of one scope."""

    resources: Sequence[Resource]
    since: Mapping[MetricKey, Seconds]
    """By series the first slot that is wanted of each resource, or NOTHING_WANTED."""
    until: int
    """Seconds since 1970: the end of the last slot that is wanted."""


@dataclass(frozen=True, slots=True)
class Collected:
    """Samples of one series, in any order: each array has an entry per sample."""

    key: MetricKey
    places: NDArray[np.int64]
    """Positions in `Wanted.resources`."""
    seconds: Seconds
    """Starts of the intervals, which are no longer than a slot."""
    values: Matrix
    """One dimension; finite."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What it takes to collect something."""

    calls: int = 0
    """Over the network."""
    metrics: int = 0
    """Series asked for, as the source counts them for its bill."""
    seconds: float = 0.0
    """At the pace that the source is asked at."""
    usd: float = 0.0

    def __add__(self, other: "Effort") -> "Effort":
        """Return both together, one after the other."""
        return Effort(
            self.calls + other.calls,
            self.metrics + other.metrics,
            self.seconds + other.seconds,
            self.usd + other.usd,
        )


def at_once(efforts: Iterable[Effort], workers: int) -> Effort:
    """Return what it takes to do several things by so many workers, none of which can be shared.

    The time is the least that it may take: that of the longest one, or of all divided up evenly.
    """
    every = list(efforts)
    whole = sum(every, Effort())
    longest = max((one.seconds for one in every), default=0.0)
    return replace(whole, seconds=max(longest, whole.seconds / workers))
