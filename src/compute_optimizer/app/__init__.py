"""The wiring: everything that one process needs, opened once from the settings.

What only some need is imported where it is opened, or wired in a module of its own: a command and
an emulator start as fast as their imports.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from compute_optimizer.config import Settings
from compute_optimizer.interfaces import Clock
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

if TYPE_CHECKING:
    from compute_optimizer.sources.aws import Access, AwsSource
    from compute_optimizer.sources.prometheus import Configuration, PrometheusSource


@dataclass(frozen=True, slots=True)
class Application:
    """The open parts of one process."""

    settings: Settings
    clock: Clock
    state: State


def tiles_of(settings: Settings, *, patience: float = 0.0) -> TileStore:
    """Return the metric store; raises InvalidInput for a bucket that cannot be used.

    `patience` is how many seconds to wait for another that is changing tiles.
    """
    if not settings.tiles_url:
        return TileStore(settings.tiles_dir, patience=patience)
    from compute_optimizer.store.rights import Rights
    from compute_optimizer.store.tile_bucket import TileBucket

    bucket = TileBucket(settings.tiles_url, Rights(settings.state_url))
    bucket.check()
    return TileStore(settings.tiles_dir, place=bucket, patience=patience)


@contextmanager
def opened(settings: Settings, clock: Clock | None = None) -> Iterator[Application]:
    """Open the state store, bring its schema up to date, and close it at the end.

    Who shares a state in PostgreSQL goes by its clock.
    """
    state = State(settings.state_url)
    try:
        state.migrate()
        yield Application(settings, clock or state.clock, state)
    finally:
        state.close()


def aws_source(application: Application, access: Access) -> AwsSource:
    """Return AWS as a source of inventory and metrics; close it at the end."""
    from compute_optimizer.sources.aws import AwsSource

    return AwsSource(access, application.clock, application.settings.collect_agent_namespace)


def prometheus_source(application: Application, configuration: Configuration) -> PrometheusSource:
    """Return servers of the Prometheus API as a source; close it at the end."""
    from compute_optimizer.jobs.collected_sources import open_prometheus

    return open_prometheus(application.state, application.clock, configuration)
