"""How far something is: a bar where stderr is a terminal, for the worker else a line in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:  # A bar needs no seam of the program, nor what those name.
    from compute_optimizer.interfaces import StageProgress

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 15.0


def bars(*columns: ProgressColumn, console: Console | None = None) -> Progress:
    """Return bars of the given columns, which are gone at the end and only there on a terminal."""
    console = console or Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def counted_bars() -> Progress:
    """Return bars that show steps and the time since they began."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    return bars(*columns, TimeElapsedColumn())


@contextmanager
def step_bar(first: str = "") -> Iterator[StageProgress]:
    """Show one bar under the name of what is being done at the moment."""
    with counted_bars() as progress:
        task = progress.add_task(first, total=None)
        yield lambda doing, done, total: progress.update(
            task, description=doing, completed=done, total=total
        )


@contextmanager
def bar_on(console: Console | None = None) -> Iterator[StageProgress]:
    """Show a bar for each job that tells how far it is, with the time that is left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with bars(*columns, *times, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def told(job: str, done: int, total: int) -> None:
            if job not in tasks:
                tasks[job] = progress.add_task(job, total=total)
            progress.update(tasks[job], completed=done, total=total)

        yield told


class Lines:
    """Log how far jobs are, each at most every SECONDS_BETWEEN_LINES, with rate and time left."""

    def __init__(self) -> None:
        self._began: dict[str, tuple[float, int]] = {}
        self._told: dict[str, float] = {}

    def told(self, job: str, done: int, total: int) -> None:
        """Take note of a step, and log it when it is time to."""
        now = monotonic()
        if job not in self._began or done < self._began[job][1]:
            # The first step of a run, or of the next one.
            self._began[job], self._told[job] = (now, done), now
            return
        if done < total and now - self._told[job] >= SECONDS_BETWEEN_LINES:
            self._told[job] = now
            began, first = self._began[job]
            log.info("%s", line_of(job, done, total, done - first, now - began))
        if done >= total:
            del self._began[job]


def line_of(job: str, done: int, total: int, counted: int, seconds: float) -> str:
    """Return a line; `counted` steps took the seconds."""
    rate = counted / seconds if seconds > 0 else 0.0
    if not rate:
        return f"{job}: {done:,} of {total:,}"
    return f"{job}: {done:,} of {total:,}, {rate:.2g} a second, {(total - done) / rate:.0f} s left"
