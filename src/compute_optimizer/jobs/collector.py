"""What every source of metrics is given when the worker collects."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from compute_optimizer.interfaces import Clock
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore


@dataclass(frozen=True, slots=True)
class Collector:
    """The stores that a source fills, and the two ways in which it may be held back."""

    state: State
    tiles: TileStore
    clock: Clock
    fence: Callable[[Connection], None] = lambda connection: None
    """Called in every transaction that makes something visible; raises to prevent it."""
    check: Callable[[], None] = lambda: None
    """Called where a source may stop; raises where it shall."""


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """Which source is collected from, and where it was described."""

    name: str
    folder: Path
    """Of the file of sources: relative paths begin there."""
