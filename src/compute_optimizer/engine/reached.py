"""Whether resources that were made smaller have come up against what they have now.

What is asked of a resource is seen up to its capacity and no further. So where a prediction says
that demand exceeds the capacity, what can be seen afterwards is that it reaches it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.demand import FIT_TOLERANCE
from compute_optimizer.engine.prediction import SATURATED_PERCENT
from compute_optimizer.engine.replay import Replay
from compute_optimizer.engine.usage import count_samples
from compute_optimizer.model.decision import Configuration
from compute_optimizer.model.metrics import ShardSamples

CEILING_SHARE = SATURATED_PERCENT / 100 * (1 - FIT_TOLERANCE)
"""Share of a capacity from which on it counts as reached: that of a CPU at its ceiling."""


@dataclass(frozen=True, slots=True)
class MadeChange:
    """A resource that was changed, with what it was before and what it became."""

    resource: Any
    """As the inventory has it; it may have been changed again since."""
    former: Configuration
    now: Configuration


@dataclass(frozen=True, slots=True)
class Resized:
    """What a change did to the capacity of one resource, by dimension."""

    smaller: tuple[bool, ...]
    """Whether less can be carried than before; False where either is unknown."""
    capacity: tuple[float, ...]
    """That it has now; infinite where unknown, and so never reached."""


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """What became of resources after their change, (changes, dimensions)."""

    dimensions: tuple[str, ...]
    known: Booleans
    """Whether the capacity that it has now is known."""
    seen: Booleans
    """Sent at least one sample."""
    smaller: Booleans
    reached: Booleans
    """Came up against the capacity where it became smaller, or failed more often for it
    (engine/failures)."""


Judge = Callable[[Sequence[MadeChange], ShardSamples, Any], Reached]
"""From changes, the samples after them (rows agree) and the catalog to what became of them."""


def judged_by(
    replay: Replay,
    configured: Callable[[Any, Configuration], Any],
    resized: Callable[[MadeChange, Any], Resized],
) -> Judge:
    """Return the judge of a type whose advice is replayed: the same dimensions and demand.

    `configured` returns a resource as a configuration says, and `resized` what a change did by the
    catalog, in the order of the dimensions. The event is that of the replay, reached for exceeded.
    """

    def judge(changes: Sequence[MadeChange], samples: ShardSamples, catalog: Any) -> Reached:
        resources = [configured(one.resource, one.now) for one in changes]
        found = [resized(one, catalog) for one in changes]
        capacity = np.array([one.capacity for one in found], np.float64)
        smaller = np.array([one.smaller for one in found], np.bool_)
        seen, full = _at_capacity(replay, replay.demand(resources, samples, catalog), capacity)
        names = tuple(one.name for one in replay.dimensions)
        return Reached(names, np.isfinite(capacity), seen, smaller, smaller & full)

    return judge


def _at_capacity(
    replay: Replay, demand: Mapping[str, np.ndarray], capacity: Floats
) -> tuple[Booleans, Booleans]:
    """Return which dimensions sent something, and in which the capacity is reached too often."""
    seen, full = np.zeros(capacity.shape, np.bool_), np.zeros(capacity.shape, np.bool_)
    ceiling = (capacity * CEILING_SHARE).astype(np.float32)
    for place, dimension in enumerate(replay.dimensions):
        if dimension.name in demand:
            matrix = demand[dimension.name]
            counts = count_samples(matrix)
            above = np.count_nonzero(matrix >= ceiling[:, [place]], axis=1)
            seen[:, place] = counts > 0
            full[:, place] = above > dimension.forgiven * counts
    return seen, full


def shrunk(former: Sequence[float], now: Sequence[float]) -> tuple[bool, ...]:
    """Return in which dimensions a capacity fell; nowhere that either is unknown (infinite)."""
    pairs = zip(former, now, strict=True)
    return tuple(bool(np.isfinite(before) and after < before) for before, after in pairs)
