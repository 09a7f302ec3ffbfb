"""Export jobs: queued by requests, claimed by one process each, listed for seven days.

A claim is one transaction. Whoever holds it moves its heartbeat; a job whose heartbeat stands
still has lost its process. The next claim takes it over and writes its file anew, until it was
begun so often that it fails.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
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
from compute_optimizer.model.export import HISTORY, ExportJob, ExportRequest, JobStatus
from compute_optimizer.store.schema import export_jobs as table

STALE_AFTER = timedelta(minutes=10)
"""A claimed job without a heartbeat for so long has lost its process; one beats every few
thousand rows, which take seconds."""

MOST_ATTEMPTS = 3
"""To write one file: what kills its process every time must not do so for ever."""

DONE = frozenset({JobStatus.COMPLETE, JobStatus.FAILED})
"""States that a job never leaves."""

INTERRUPTED = "The export was interrupted before it was complete. Request it again."

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ExportRequest).decode


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this process alone may write."""

    job: ExportJob
    token: str
    taken_over: bool = False
    """Whether another process has begun to write it, and may have left a part."""


def unfinished_job(connection: Connection, request: ExportRequest) -> str | None:
    """Return the id of the job of the same account, Region and type that is not done yet."""
    query = select(table.c.job_id).where(table.c.unfinished == _slot(request))
    return connection.execute(query).scalar()


def add_job(connection: Connection, job: ExportJob) -> None:
    """Add a job; raise Conflict while one of the same account, Region and type is not done."""
    request, done = job.request, job.status in DONE
    row = {
        "job_id": job.job_id,
        "account_id": request.account_id,
        "region": request.region,
        "resource_type": request.resource_type,
        "status": job.status.value,
        "unfinished": None if done else _slot(request),
        "failure_reason": job.failure_reason,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "body": _encode(request),
    }
    try:
        connection.execute(insert(table).values(row))
    except IntegrityError:
        # The unique index decides, also between two requests at the same moment.
        raise Conflict("an export job for this resource type is already in progress") from None


def waiting_jobs(connection: Connection) -> int:
    """Return how many jobs are not done: 0 tells that there is nothing to look after."""
    query = select(func.count()).where(table.c.unfinished.is_not(None))
    return connection.execute(query).scalar_one()


def has_work(connection: Connection, now: datetime) -> bool:
    """Whether a job waits for a process or has lost its own; others need no write."""
    queued = table.c.status == JobStatus.QUEUED.value
    query = select(table.c.job_id).where(or_(queued, _stale(now))).limit(1)
    return connection.execute(query).first() is not None


def remove_jobs_of(connection: Connection, account_id: str) -> None:
    """Forget every job that an account requested."""
    connection.execute(delete(table).where(table.c.account_id == account_id))


def claim_next(connection: Connection, now: datetime) -> Claim | None:
    """Take the job that waits longest, and return it as InProgress; None where none waits.

    A job whose process is gone waits too, unless it was begun as often as it may be.
    """
    queued = table.c.status == JobStatus.QUEUED.value
    waiting = or_(queued, and_(_stale(now), table.c.attempts < MOST_ATTEMPTS))
    query = select(table.c.job_id).where(waiting).order_by(table.c.created_at, table.c.job_id)
    token = str(uuid4())
    for job_id in connection.execute(query).scalars().all():
        taken = update(table).where(table.c.job_id == job_id, waiting)
        values = {"status": JobStatus.IN_PROGRESS.value, "claim": token, "heartbeat_at": now}
        counted = table.c.attempts + 1
        if connection.execute(taken.values(updated_at=now, attempts=counted, **values)).rowcount:
            row = connection.execute(select(table).where(table.c.job_id == job_id)).one()
            return Claim(_job(row), token, taken_over=row.attempts > 1)
    return None


def beat(connection: Connection, claim: Claim, now: datetime) -> None:
    """Tell that the job is being written; raise Conflict where it was given up meanwhile."""
    _change(connection, claim, {"heartbeat_at": now})


def finish(
    connection: Connection, claim: Claim, now: datetime, failure_reason: str | None = None
) -> None:
    """Make the job Complete, or Failed for a reason; raise Conflict where it was given up."""
    status = JobStatus.FAILED if failure_reason else JobStatus.COMPLETE
    values = {"status": status.value, "unfinished": None, "updated_at": now}
    _change(connection, claim, {**values, "failure_reason": failure_reason})


def fail_stale(connection: Connection, now: datetime) -> list[ExportJob]:
    """Fail the jobs that were begun as often as they may be, and return them."""
    stale = and_(_stale(now), table.c.attempts >= MOST_ATTEMPTS)
    rows = connection.execute(select(table).where(stale)).all()
    values = {"status": JobStatus.FAILED.value, "unfinished": None, "failure_reason": INTERRUPTED}
    failed = []
    for row in rows:
        same = update(table).where(table.c.job_id == row.job_id, stale)
        if connection.execute(same.values(updated_at=now, **values)).rowcount:
            failed.append(_job(row))
    return failed


def remove_old(connection: Connection, now: datetime) -> int:
    """Forget the jobs that are done and older than the history; return how many."""
    old = table.c.created_at < now - HISTORY
    return connection.execute(delete(table).where(old, table.c.unfinished.is_(None))).rowcount


def jobs_page(
    connection: Connection,
    account_id: str,
    region: str,
    since: datetime,
    *,
    limit: int,
    after: tuple[datetime, str] | None = None,
    job_ids: Collection[str] | None = None,
    statuses: Collection[str] | None = None,
    resource_types: Collection[str] | None = None,
) -> list[ExportJob]:
    """Return jobs created from `since` on, the newest first, beyond the one that `after` names.

    `job_ids`, `statuses` and `resource_types` restrict them; None takes all.
    """
    wanted: list[ColumnElement[bool]] = [
        table.c.account_id == account_id,
        table.c.region == region,
        table.c.created_at >= since,
    ]
    listed = ((table.c.job_id, job_ids), (table.c.status, statuses))
    for column, values in (*listed, (table.c.resource_type, resource_types)):
        if values is not None:
            wanted.append(column.in_(values))
    if after is not None:
        created, job_id = after
        same_moment = and_(table.c.created_at == created, table.c.job_id < job_id)
        wanted.append(or_(table.c.created_at < created, same_moment))
    order = (table.c.created_at.desc(), table.c.job_id.desc())
    rows = connection.execute(select(table).where(*wanted).order_by(*order).limit(limit))
    return [_job(row) for row in rows]


def jobs_of(
    connection: Connection,
    account_id: str,
    since: datetime,
    *,
    limit: int,
    job_id: str | None = None,
) -> list[ExportJob]:
    """Return what an account requested in every Region since a moment, the newest first.

    `job_id` restricts that to one job.
    """
    wanted = [table.c.account_id == account_id, table.c.created_at >= since]
    if job_id is not None:
        wanted.append(table.c.job_id == job_id)
    order = (table.c.created_at.desc(), table.c.job_id.desc())
    rows = connection.execute(select(table).where(*wanted).order_by(*order).limit(limit))
    return [_job(row) for row in rows]


def _change(connection: Connection, claim: Claim, values: dict[str, object]) -> None:
    mine = (
        table.c.job_id == claim.job.job_id,
        table.c.claim == claim.token,
        table.c.status == JobStatus.IN_PROGRESS.value,
    )
    if connection.execute(update(table).where(*mine).values(**values)).rowcount == 0:
        raise Conflict(
            f"export job {claim.job.job_id} stood still for over {STALE_AFTER} and was given up to "
            "another process"
        )


def _stale(now: datetime) -> ColumnElement[bool]:
    in_progress = table.c.status == JobStatus.IN_PROGRESS.value
    return and_(in_progress, table.c.heartbeat_at < now - STALE_AFTER)


def _slot(request: ExportRequest) -> str:
    return f"{request.account_id}/{request.region}/{request.resource_type}"


def _job(row: Row[tuple[object, ...]]) -> ExportJob:
    return ExportJob(
        job_id=row.job_id,
        request=_decode(row.body),
        status=JobStatus(row.status),
        created_at=row.created_at,
        updated_at=row.updated_at,
        failure_reason=row.failure_reason,
    )
