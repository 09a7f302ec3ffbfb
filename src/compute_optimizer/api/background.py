"""Work that goes on beside the requests: short steps, repeated until the server ends."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from compute_optimizer.errors import ComputeOptimizerError

log = logging.getLogger(__name__)

SECONDS_AFTER_FAILURE = 5.0
"""Pause after a step that failed: the log is told, not flooded."""

SECONDS_TO_END = 10.0
"""How long the end waits for a step that is running; what it does is a transaction, so that a step
cut short has done nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do again and again."""

    name: str
    run: Callable[[], object]
    every_seconds: float


@contextmanager
def repeating(steps: Sequence[Step]) -> Iterator[None]:
    """Repeat each step in a thread of its own until the block ends; failures are logged."""
    stop = Event()
    threads = [
        Thread(target=_repeat, args=(step, stop), name=step.name, daemon=True) for step in steps
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(SECONDS_TO_END)


def _repeat(step: Step, stop: Event) -> None:
    pause = step.every_seconds
    while not stop.wait(pause):
        try:
            step.run()
            pause = step.every_seconds
        except Exception as error:
            _log(step, error)
            pause = SECONDS_AFTER_FAILURE


def _log(step: Step, error: Exception) -> None:
    """Say that a step failed; only defects with their traceback."""
    if isinstance(error, ComputeOptimizerError):
        log.error("background step %s failed; it will be tried again: %s", step.name, error)
    else:
        log.error("background step %s failed; it will be tried again", step.name, exc_info=error)
