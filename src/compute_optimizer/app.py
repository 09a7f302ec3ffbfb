"""The wiring: everything that one process needs, opened once from the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from compute_optimizer.config import Settings
from compute_optimizer.interfaces import Clock, SystemClock
from compute_optimizer.store import State


@dataclass(frozen=True, slots=True)
class Application:
    """The open parts of one process."""

    settings: Settings
    clock: Clock
    state: State


@contextmanager
def opened(settings: Settings, clock: Clock | None = None) -> Iterator[Application]:
    """Open the state store, bring its schema up to date, and close it at the end."""
    state = State(settings.state_url)
    try:
        state.migrate()
        yield Application(settings, clock or SystemClock(), state)
    finally:
        state.close()
