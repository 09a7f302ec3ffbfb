"""What a type of resource tells to be replayed: its demand, and what its advice comes to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compute_optimizer.model.metrics import Matrix, ShardSamples


@dataclass(frozen=True, slots=True)
class ReplayedDimension:
    """One dimension in which advice may hurt."""

    name: str
    unit: str
    """Of demand and capacity."""
    forgiven: float
    """Share of the samples in which demand may exceed the capacity; 0 where none may."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one resource has and what it was advised: the same where it was told to stay."""

    now: tuple[float, ...]
    """Capacity by dimension; infinite where unknown, and so not judged."""
    advised: tuple[float, ...]
    now_usd: float | None
    """A month at list prices; None where unknown."""
    advised_usd: float | None


@dataclass(frozen=True, slots=True)
class Replay:
    """How the advice for one resource type is held against what came after it."""

    dimensions: tuple[ReplayedDimension, ...]
    demand: Callable[[Sequence[Any], ShardSamples, Any], Mapping[str, Matrix]]
    """From resources, their samples and the catalog to the demand of those dimensions that somebody
    sent, (resources, slots); NaN without a sample."""
    move: Callable[[Any, Any, Any], Move | None]
    """From a resource, its recommendation and the catalog to what it was advised; None for one that
    is not scored."""
