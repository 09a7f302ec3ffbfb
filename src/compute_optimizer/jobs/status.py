"""Status: what the worker's jobs did and will do, how fresh the data is, and how large."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.run_words import described
from compute_optimizer.jobs.schedules import Schedule
from compute_optimizer.jobs.worker import REST
from compute_optimizer.model.job_run import JobRun, due_moment
from compute_optimizer.model.metrics import look_back
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.store import State
from compute_optimizer.store.freshness import Freshness, freshness, state_bytes, tile_bytes
from compute_optimizer.store.job_runs import last_runs
from compute_optimizer.store.outbox import Backlog, backlogs
from compute_optimizer.store.tiles import TileStore

LOOK_BACK_DAYS = int(DEFAULT_PREFERENCES.lookback_days)
"""Days over which it is told whether there are samples: those of a usual analysis."""

LATEST = REST + timedelta(minutes=1)
"""After its due time a job is on record, had it anything to do or not, if a worker is running: the
minute is for what the worker has to do meanwhile."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """Where one job stands."""

    name: str
    schedule: str
    last: JobRun | None
    next_run: datetime | None
    """None while it runs, or where it is turned off."""
    is_overdue: bool = False
    """Whether it should have run by now, and no worker has looked at it."""

    @property
    def held_by(self) -> str | None:
        """Who is running it."""
        return self.last.holder if self.last is not None and self.last.is_running else None

    @property
    def duration(self) -> timedelta | None:
        """How long the last run took; None before its end."""
        if self.last is None or self.last.finished_at is None:
            return None
        return self.last.finished_at - self.last.started_at

    @property
    def did(self) -> str:
        """What the last run did, or why not, in one line for people."""
        detail = self.last.detail if self.last else None
        if detail and "error" in detail:
            return str(detail["error"])
        return described(self.name, detail)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the stores take up."""

    state_bytes: int
    tile_files: int
    tile_bytes: int


@dataclass(frozen=True, slots=True)
class Status:
    """Everything, at one moment."""

    now: datetime
    jobs: tuple[JobStatus, ...]
    data: tuple[Freshness, ...]
    sizes: Sizes
    webhooks: tuple[Backlog, ...] = ()
    """Those that have a delivery on record."""


def status_of(
    state: State,
    tiles: TileStore,
    clock: Clock,
    names: Sequence[str],
    schedules: Mapping[str, Schedule | None],
) -> Status:
    """Return the status of the named jobs and of all data."""
    now = clock.now()
    jobs = jobs_status(state, now, names, schedules)
    with state.reading() as connection:
        data = freshness(connection, look_back(now, LOOK_BACK_DAYS).first)
        size = state_bytes(connection)
        webhooks = tuple(backlogs(connection))
    return Status(now, jobs, tuple(data), Sizes(size, *tile_bytes(tiles)), webhooks)


def jobs_status(
    state: State, now: datetime, names: Sequence[str], schedules: Mapping[str, Schedule | None]
) -> tuple[JobStatus, ...]:
    """Return where the named jobs stand."""
    with state.reading() as connection:
        last = last_runs(connection)
    return tuple(_job(name, schedules[name], last.get(name), now) for name in names)


def _job(name: str, schedule: Schedule | None, last: JobRun | None, now: datetime) -> JobStatus:
    running = last is not None and last.is_running and last.lease_until > now
    following = None
    if schedule is not None and not running:
        following = due_moment(last, schedule.next_after, now)
    is_overdue = following is not None and now - following > LATEST
    return JobStatus(
        name, "off" if schedule is None else schedule.text, last, following, is_overdue
    )
