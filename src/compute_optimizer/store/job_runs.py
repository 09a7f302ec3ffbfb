"""Runs of the worker's jobs: claimed by one process each, renewed while they run, fenced.

A claim inserts the next generation of its job, so that of two processes the primary key lets one
win. The newest generation holds the lease until its `lease_until`; once that has passed, whoever
comes next marks it as lost and takes over. Every write that counts has `renew` or `complete` in
its own transaction, which fail for a run that was taken over: a process that slept cannot write
over what its successor did.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from compute_optimizer.errors import Conflict
from compute_optimizer.model.job_run import JobRun, Outcome
from compute_optimizer.store.schema import job_runs as table


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run a job once."""

    job: str
    generation: int
    due_at: datetime
    attempt: int
    length: timedelta
    """How long its process may say nothing before the job is given to another."""


def last_run(connection: Connection, job: str) -> JobRun | None:
    """Return the newest run of a job; None before the first."""
    query = select(table).where(table.c.job == job).order_by(table.c.generation.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _run(row)


def last_runs(connection: Connection) -> dict[str, JobRun]:
    """Return the newest run of every job that ever ran."""
    newest = select(table.c.job, func.max(table.c.generation).label("generation"))
    newest_of = newest.group_by(table.c.job).subquery()
    same = and_(table.c.job == newest_of.c.job, table.c.generation == newest_of.c.generation)
    rows = connection.execute(select(table).join(newest_of, same))
    return {row.job: _run(row) for row in rows}


def runs_of(connection: Connection, job: str) -> list[JobRun]:
    """Return every run of a job that is kept, from the first to the last."""
    query = select(table).where(table.c.job == job).order_by(table.c.generation)
    return [_run(row) for row in connection.execute(query)]


def counts_of_runs(connection: Connection) -> dict[tuple[str, Outcome], int]:
    """Return how many runs that are kept ended how, by job and outcome."""
    query = select(table.c.job, table.c.outcome, func.count())
    ended = query.where(table.c.outcome.is_not(None)).group_by(table.c.job, table.c.outcome)
    return {(job, Outcome(outcome)): count for job, outcome, count in connection.execute(ended)}


def claim(
    connection: Connection,
    job: str,
    last: JobRun | None,
    holder: str,
    now: datetime,
    *,
    due_at: datetime,
    attempt: int,
    length: timedelta,
) -> Lease | None:
    """Take a job whose last run is known; None where another process was quicker or holds it."""
    if last is not None and last.is_running and not _give_up(connection, last, now):
        return None
    generation = 1 if last is None else last.generation + 1
    lease = Lease(job, generation, due_at, attempt, length)
    row = {
        "job": job,
        "generation": generation,
        "due_at": due_at,
        "attempt": attempt,
        "holder": holder,
        "started_at": now,
        "lease_until": now + length,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(table).values(row))
    except IntegrityError:
        return None
    return lease


def renew(connection: Connection, lease: Lease, now: datetime) -> None:
    """Prolong the lease; raise Conflict where the job was given to another process.

    In the transaction of a result it is the fence: the row stays locked until the result is there.
    """
    _change(connection, lease, {"lease_until": now + lease.length})


def complete(connection: Connection, lease: Lease, now: datetime) -> None:
    """End a run as successful, in the transaction that makes its result visible.

    So that a process which dies right after it has not done its work twice. Raises Conflict where
    the job was given to another process.
    """
    _change(connection, lease, {"finished_at": now, "outcome": Outcome.SUCCEEDED.value})


def finish(
    connection: Connection,
    lease: Lease,
    now: datetime,
    outcome: Outcome,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """End a run and tell what it did; raise Conflict where the job was given to another process."""
    told = None if detail is None else json.dumps(detail, default=str)
    values = {"finished_at": now, "outcome": outcome.value, "detail": told}
    untold = and_(table.c.outcome == Outcome.SUCCEEDED.value, table.c.detail.is_(None))
    _change(connection, lease, values, or_(table.c.finished_at.is_(None), untold))


def remove_runs_before(connection: Connection, moment: datetime) -> int:
    """Forget runs that ended before a moment, but never the newest of a job; return how many."""
    others = table.alias()
    newest = select(func.max(others.c.generation)).where(others.c.job == table.c.job)
    old = table.c.finished_at < moment, table.c.generation < newest.scalar_subquery()
    return connection.execute(delete(table).where(*old)).rowcount


def _give_up(connection: Connection, last: JobRun, now: datetime) -> bool:
    """Mark a run as lost whose lease has passed, and return whether that was so."""
    expired = (*_same(last), table.c.finished_at.is_(None), table.c.lease_until <= now)
    lost = update(table).where(*expired).values(finished_at=now, outcome=Outcome.LOST.value)
    return connection.execute(lost).rowcount > 0


def _change(
    connection: Connection,
    lease: Lease,
    values: Mapping[str, object],
    held: ColumnElement[bool] | None = None,
) -> None:
    if held is None:
        held = table.c.finished_at.is_(None)
    if connection.execute(update(table).where(*_same(lease), held).values(**values)).rowcount == 0:
        raise Conflict(
            f"job {lease.job} said nothing for over {lease.length} and was given to another "
            "process; what it did here is not kept"
        )


def _same(one: JobRun | Lease) -> tuple[Any, ...]:
    return table.c.job == one.job, table.c.generation == one.generation


def _run(row: Row[Any]) -> JobRun:
    values = row._asdict()
    outcome, detail = values.pop("outcome"), values.pop("detail")
    return JobRun(
        **values,
        outcome=None if outcome is None else Outcome(outcome),
        detail=None if detail is None else json.loads(detail),
    )
