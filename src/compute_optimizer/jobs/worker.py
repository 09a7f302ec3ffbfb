"""The worker's machinery: look whether a job is due, take its lease, run it, say how it ended.

Nothing here knows what the jobs do (jobs.job_kinds) or waits for anything (cli.worker). Any number
of processes may look at once: the state store lets one of them run each job.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.errors import ComputeOptimizerError, Conflict
from compute_optimizer.interfaces import Clock, StageProgress, no_progress
from compute_optimizer.jobs.export import Exporter
from compute_optimizer.jobs.retention import Retention
from compute_optimizer.jobs.schedules import Schedule
from compute_optimizer.jobs.source_kinds import Source
from compute_optimizer.jobs.webhooks import Webhook
from compute_optimizer.model.idle_limits import IdleLimits
from compute_optimizer.model.job_run import JobRun, Outcome, due_moment, following
from compute_optimizer.store import State
from compute_optimizer.store.job_runs import Lease, claim, complete, finish, last_run, renew
from compute_optimizer.store.tiles import TileStore

log = logging.getLogger(__name__)

RENEWALS = 4
"""Times that a lease is renewed before it would pass."""

REST = timedelta(minutes=10)
"""How long a job for which there is nothing to do may go without a run on record."""

DEFECT = "an internal error occurred; the worker's log has it"

Detail = dict[str, Any]
"""What a run did, for people and programs."""


class Stopped(Exception):
    """The process was asked to stop."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What the jobs need, and who runs them."""

    state: State
    clock: Clock
    tiles: TileStore
    exporter: Exporter
    schedules: Mapping[str, Schedule | None]
    """By name of the job; None where it is turned off."""
    holder: str
    """Host, process and a random part: what stands beside a lease."""
    grace: timedelta
    """How long data of accounts that opted out are kept."""
    profile: str
    idle_limits: IdleLimits
    """In place of the published limits of idleness."""
    processes: int
    """That analyze; 0 means one per core."""
    retention: Retention
    sources: tuple[Source, ...]
    """What is collected from."""
    lease: timedelta
    """How long a process may say nothing before its job is given to another."""
    stop: Event = field(default_factory=Event)
    told: StageProgress = no_progress
    webhooks: tuple[Webhook, ...] = ()
    owner_tags: tuple[str, ...] = ()
    """Tags that name a resource's owner, for what webhooks are told."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A job that runs in this process, as long as it keeps its lease."""

    worker: Worker
    lease: Lease
    lost: Event

    def check(self) -> None:
        """Raise Stopped where the process shall end, Conflict where the lease is lost."""
        if self.worker.stop.is_set():
            raise Stopped
        if self.lost.is_set():
            self.fence_off()

    def fence(self, connection: Connection) -> None:
        """Let nothing of this transaction be kept unless the lease is; raises Conflict."""
        renew(connection, self.lease, self.worker.clock.now())

    def complete(self, connection: Connection) -> None:
        """End the run with this transaction, which holds all that it does; raises Conflict."""
        complete(connection, self.lease, self.worker.clock.now())

    def fence_off(self) -> None:
        """Ask the store whether the lease is still held; raise Conflict where it is not."""
        with self.worker.state.writing() as connection:
            self.fence(connection)

    def progress(self, done: int, total: int) -> None:
        """Tell how far the job is, and raise where it shall go no further."""
        self.worker.told(self.lease.job, done, total)
        self.check()


@dataclass(frozen=True, slots=True)
class JobKind:
    """One row of the table of jobs."""

    name: str
    what: str
    """In a few words, for people."""
    run: Callable[[Hold], Detail]
    waiting: Callable[[Worker], bool] = lambda worker: True
    """Whether there may be something to do: asked before a lease is taken, so cheap."""


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking at one job."""

    job: str
    again: datetime | None
    """When to look next; None for a job that is turned off."""
    outcome: Outcome | None = None
    """None where nothing was run."""
    detail: Detail | None = None
    error: str | None = None
    exit_code: int = 0
    held_by: str | None = None
    """Another process that is running the job."""


def look(worker: Worker, kind: JobKind) -> Look:
    """Run the job if its schedule wants that now and no other process does; tell what came of it.

    Raises StoreUnavailable where the state cannot be asked.
    """
    schedule = worker.schedules[kind.name]
    if schedule is None:
        return Look(kind.name, None)
    with worker.state.reading() as connection:
        last = last_run(connection, kind.name)
    # After the state was asked, which also tells what time it is (store/database_clock).
    now = worker.clock.now()
    due = due_moment(last, schedule.next_after, now)
    if due > now:
        return Look(kind.name, due, held_by=_holder(last))
    if not kind.waiting(worker) and last is not None and now - last.due_at < REST:
        return Look(kind.name, schedule.next_after(now))
    found = _taken(worker, kind, last, now, *following(last, schedule.next_after, now))
    with worker.state.reading() as connection:
        last = last_run(connection, kind.name)
    later = due_moment(last, schedule.next_after, worker.clock.now())
    return replace(found, again=later)


def run_now(worker: Worker, kind: JobKind) -> Look:
    """Run the job whatever its schedule says, unless another process is running it."""
    with worker.state.reading() as connection:
        last = last_run(connection, kind.name)
    now = worker.clock.now()
    if last is not None and last.is_running and last.lease_until > now:
        return Look(kind.name, last.lease_until, held_by=last.holder)
    return _taken(worker, kind, last, now, now, 1)


def _taken(
    worker: Worker,
    kind: JobKind,
    last: JobRun | None,
    now: datetime,
    due_at: datetime,
    attempt: int,
) -> Look:
    with worker.state.writing() as connection:
        lease = claim(
            connection,
            kind.name,
            last,
            worker.holder,
            now,
            due_at=due_at,
            attempt=attempt,
            length=worker.lease,
        )
    if lease is None:
        return Look(kind.name, None, held_by="another process")
    return _performed(worker, kind, lease)


def _performed(worker: Worker, kind: JobKind, lease: Lease) -> Look:
    with _renewing(worker, lease) as hold:
        found = _run(kind, hold)
    try:
        with worker.state.writing() as connection:
            told = {"error": found.error} if found.error else found.detail
            assert found.outcome is not None
            finish(connection, lease, worker.clock.now(), found.outcome, told)
    except Conflict as error:
        return _failed(kind, str(error), error.exit_code, Outcome.LOST)
    return found


def _run(kind: JobKind, hold: Hold) -> Look:
    try:
        return Look(kind.name, None, Outcome.SUCCEEDED, kind.run(hold))
    except Stopped:
        return Look(kind.name, None, Outcome.INTERRUPTED)
    except ComputeOptimizerError as error:
        return _failed(kind, str(error), error.exit_code)
    except Exception:
        log.exception("job %s failed", kind.name)
        return _failed(kind, DEFECT, ComputeOptimizerError.exit_code)


def _failed(kind: JobKind, error: str, exit_code: int, outcome: Outcome = Outcome.FAILED) -> Look:
    return Look(kind.name, None, outcome, error=error, exit_code=exit_code)


@contextmanager
def _renewing(worker: Worker, lease: Lease) -> Iterator[Hold]:
    """Renew the lease in a thread of its own until the block ends."""
    ended, lost = Event(), Event()
    thread = Thread(
        target=_renew, args=(worker, lease, ended, lost), name=f"lease of {lease.job}", daemon=True
    )
    thread.start()
    try:
        yield Hold(worker, lease, lost)
    finally:
        ended.set()
        thread.join(lease.length.total_seconds() / RENEWALS)


def _renew(worker: Worker, lease: Lease, ended: Event, lost: Event) -> None:
    length = lease.length.total_seconds()
    pause = length / RENEWALS
    renewed = monotonic()
    while not ended.wait(pause):
        try:
            with worker.state.writing() as connection:
                renew(connection, lease, worker.clock.now())
            renewed = monotonic()
        except Conflict:
            lost.set()
            return
        except ComputeOptimizerError as error:
            log.warning("the lease of job %s could not be renewed: %s", lease.job, error)
            if monotonic() - renewed > length:
                lost.set()


def _holder(last: JobRun | None) -> str | None:
    return last.holder if last is not None and last.is_running else None
