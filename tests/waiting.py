"""Waiting for what another thread, process or server does."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")

SECONDS = 240.0
"""Far more than anything that tests wait for takes, on a machine that is slow and busy too."""


def wait_until(
    happened: Callable[[], T | None],
    told: Callable[[], object] = lambda: "it has not happened",
    every_seconds: float = 0.02,
) -> T:
    """Return what happened as soon as it is true; fail with what is told where it never is."""
    latest = monotonic() + SECONDS
    while not (found := happened()):
        assert monotonic() < latest, told()
        sleep(every_seconds)
    return found
