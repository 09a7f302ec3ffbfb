"""Workers for tests, and simple jobs for them to run."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.export import Exporter
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.retention import Retention
from compute_optimizer.jobs.schedules import parse_schedule
from compute_optimizer.jobs.worker import Detail, Hold, JobKind, Worker
from compute_optimizer.model.idle_limits import NO_LIMITS
from compute_optimizer.operations.exports import selection_of
from compute_optimizer.sinks import FolderSink
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

LEASE = timedelta(seconds=60)


def worker_on(
    state: State, clock: Clock, folder: Path, holder: str = "one", **schedules: str
) -> Worker:
    """Return a worker whose jobs have the given schedules; others are turned off."""
    off = dict.fromkeys(kind.name for kind in JOB_KINDS)
    return Worker(
        state=state,
        clock=clock,
        tiles=TileStore(folder / "tiles"),
        exporter=Exporter(state, clock, FolderSink(folder / "exports"), selection_of),
        schedules=off | {name: parse_schedule(text) for name, text in schedules.items()},
        holder=holder,
        grace=timedelta(days=7),
        profile="published",
        idle_limits=NO_LIMITS,
        processes=1,
        retention=Retention(400),
        sources=(),
        lease=LEASE,
    )


def job(run: Callable[[Hold], Any], waiting: Callable[[Worker], bool] | None = None) -> JobKind:
    """Return a kind of job, named `trial`, that does something simple."""

    def done(hold: Hold) -> Detail:
        found = run(hold)
        return found if isinstance(found, dict) else {}

    if waiting is None:
        return JobKind("trial", "for tests", done)
    return JobKind("trial", "for tests", done, waiting)
