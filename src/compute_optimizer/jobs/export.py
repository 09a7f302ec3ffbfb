"""Export: write the files of queued jobs, each by one process, row by row.

Any number of processes may run it at once. A job is claimed in one transaction; one whose process
died is taken over after a while and written anew, and fails once it was begun too often.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from compute_optimizer.errors import ComputeOptimizerError, Conflict, InvalidInput
from compute_optimizer.interfaces import Clock, Sink, Upload
from compute_optimizer.model.export import IDLE, ExportJob, ExportRequest, WantedFilter
from compute_optimizer.model.resource import hidden_types
from compute_optimizer.resources import type_named
from compute_optimizer.resources.idleness import counted_savings
from compute_optimizer.sinks.rows import (
    CSV_TYPE,
    JSON_TYPE,
    PARQUET_TYPE,
    CsvRows,
    ParquetRows,
    RowWriter,
)
from compute_optimizer.store import State
from compute_optimizer.store.accounts import roster_of
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.described_types import instance_types
from compute_optimizer.store.enrollments import opted_in_accounts, standing_of
from compute_optimizer.store.export_jobs import (
    Claim,
    beat,
    claim_next,
    fail_stale,
    finish,
    has_work,
    remove_old,
    waiting_jobs,
)
from compute_optimizer.store.idle_recommendations import (
    After,
    IdleScope,
    current_runs,
    read_idle_page,
)
from compute_optimizer.store.recommendations import Selection, errors_page, read_page
from compute_optimizer.views.export_columns import (
    Column,
    ExportTable,
    Shown,
    Value,
    chosen,
    error_row,
    recommended_rows,
)
from compute_optimizer.views.exports import EXPORT_TABLES, metadata_document

log = logging.getLogger(__name__)

PAGE = 1_000
"""Rows read and written at once."""

BEAT_EVERY = timedelta(seconds=30)
"""How often a job that is being written says so; it is given up after twenty times as long."""

NOT_READABLE = (
    "The account is no longer allowed to export recommendations of other accounts of its "
    "organization."
)
DEFECT = "An internal error occurred. Request the export again."

SelectionOf = Callable[[str, Sequence[WantedFilter]], Selection]
"""Return what the store shall read for the filters of a request about a resource type."""

Rows = Iterator[list[list[Value]]]


@dataclass(frozen=True, slots=True)
class Exporter:
    """What writing exports needs."""

    state: State
    clock: Clock
    sink: Sink
    selection_of: SelectionOf
    parquet: bool = False
    """Whether a Parquet file is written beside the CSV file."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job."""

    job: ExportJob
    rows: int
    failure_reason: str | None


def run_exports(exporter: Exporter, stopping: Callable[[], bool] = lambda: False) -> list[Outcome]:
    """Write every job that waits and return what became of them; costs microseconds for none.

    Once `stopping` says so, what still waits is left to others.
    """
    if not exporter.state.remembered("unfinished exports", waiting_jobs):
        return []
    with exporter.state.reading() as connection:
        if not has_work(connection, exporter.clock.now()):
            return []
    _look_after_stale(exporter)
    outcomes = []
    while not stopping() and (outcome := _run_next(exporter)) is not None:
        outcomes.append(outcome)
    return outcomes


def _look_after_stale(exporter: Exporter) -> None:
    now = exporter.clock.now()
    with exporter.state.writing() as connection:
        failed = fail_stale(connection, now)
        remove_old(connection, now)
    for job in failed:
        _discard(exporter, job)


def _discard(exporter: Exporter, job: ExportJob) -> None:
    """Remove what a process that is gone has left of the files."""
    place, region = job.request.destination, job.request.region
    for key in (place.key, place.metadata_key, place.parquet_key):
        exporter.sink.discard(place.bucket, key, region)


def _run_next(exporter: Exporter) -> Outcome | None:
    with exporter.state.writing() as connection:
        claim = claim_next(connection, exporter.clock.now())
    if claim is None:
        return None
    rows, reason = 0, None
    try:
        if claim.taken_over:
            _discard(exporter, claim.job)
        rows = _write(exporter, claim)
    except ComputeOptimizerError as error:
        reason = str(error)
    except Exception:
        log.exception("export job %s failed", claim.job.job_id)
        reason = DEFECT
    try:
        with exporter.state.writing() as connection:
            finish(connection, claim, exporter.clock.now(), reason)
    except Conflict as error:
        reason = str(error)  # Given up meanwhile: another process has the job, or it is Failed.
    return Outcome(claim.job, rows, reason)


def _write(exporter: Exporter, claim: Claim) -> int:
    """Write the files of a job and return the number of rows; raises where that fails."""
    request = claim.job.request
    place, region = request.destination, request.region
    table = EXPORT_TABLES[request.resource_type]
    columns = chosen(table.columns, request.fields)
    exporter.sink.check_access(place.bucket, place.key, region, request.account_id)
    with exporter.state.reading() as connection:
        accounts = accounts_of(connection, request)
    description = metadata_document(
        table.title, columns, place.key.rpartition("/")[2], claim.job.created_at.date()
    )
    with ExitStack() as files:

        def opened(key: str, content_type: str) -> Upload:
            return files.enter_context(
                exporter.sink.writing(place.bucket, key, region, content_type)
            )

        # Completed in the opposite order: where the CSV file is, the others are.
        writers: list[RowWriter] = [CsvRows(opened(place.key, CSV_TYPE), columns)]
        about = opened(place.metadata_key, JSON_TYPE)
        if exporter.parquet:
            writers.append(ParquetRows(opened(place.parquet_key, PARQUET_TYPE), columns))
        about.write(json.dumps(description, indent=1).encode())
        rows = _copy(exporter, claim, _rows(exporter, request, accounts, table, columns), writers)
        for writer in writers:
            writer.finish()
        _beat(exporter, claim)
    return rows


def _copy(exporter: Exporter, claim: Claim, pages: Rows, writers: Sequence[RowWriter]) -> int:
    written, beaten = 0, exporter.clock.now()
    for page in pages:
        for writer in writers:
            writer.write_rows(page)
        written += len(page)
        beaten = _beat_when_due(exporter, claim, beaten)
    return written


def _beat_when_due(exporter: Exporter, claim: Claim, beaten: datetime) -> datetime:
    now = exporter.clock.now()
    if now - beaten < BEAT_EVERY:
        return beaten
    _beat(exporter, claim)
    return now


def _beat(exporter: Exporter, claim: Claim) -> None:
    with exporter.state.writing() as connection:
        beat(connection, claim, exporter.clock.now())


def accounts_of(connection: Connection, request: ExportRequest) -> list[str]:
    """Return the accounts whose recommendations a job may export now.

    Accounts that opted out since the request are left out. Raises InvalidInput where the caller
    may not see others any more.
    """
    readable = opted_in_accounts(connection)
    wanted = set(request.account_ids)
    if request.include_members or wanted != {request.account_id}:
        roster = roster_of(connection, request.account_id)
        if not standing_of(connection, request.account_id).sees_members:
            raise InvalidInput(NOT_READABLE)
        members = set(roster.accounts)
        wanted = members if request.include_members else wanted & members
    return sorted(wanted & readable)


def _rows(
    exporter: Exporter,
    request: ExportRequest,
    accounts: Sequence[str],
    table: ExportTable,
    columns: Sequence[Column],
) -> Rows:
    if request.resource_type == IDLE:
        for account_id in accounts:
            yield from _idle(exporter, request, account_id, table, columns)
        return
    for account_id in accounts:
        scope = Scope(account_id, request.region, request.resource_type)
        with exporter.state.reading() as connection:
            run_id = current_run(connection, scope)
        if run_id is None:
            continue
        yield from _recommended(exporter, request, (run_id, scope), table, columns)
        if not request.filters:
            yield from _without(exporter, run_id, scope, columns)


def _recommended(
    exporter: Exporter,
    request: ExportRequest,
    place: tuple[str, Scope],
    table: ExportTable,
    columns: Sequence[Column],
) -> Rows:
    """Yield pages of recommendations as rows; each is one short transaction."""
    shown = _shown(exporter, request)
    selection = exporter.selection_of(request.resource_type, request.filters)
    kind = type_named(request.resource_type)
    assert kind is not None, f"no record of the type {request.resource_type}"
    after = ""
    while True:
        with exporter.state.reading() as connection:
            page = read_page(
                connection,
                *place,
                kind.recommendation,
                limit=PAGE,
                after=after,
                selection=selection,
            )
        yield recommended_rows(columns, (table.subject(one, shown) for one in page))
        if len(page) < PAGE:
            return
        after = page[-1].resource_arn


def _idle(
    exporter: Exporter,
    request: ExportRequest,
    account_id: str,
    table: ExportTable,
    columns: Sequence[Column],
) -> Rows:
    """Yield pages of what is idle as rows; each is one short transaction.

    Why a resource has no recommendation of size is no row: an unattached volume has both.
    """
    shown = _shown(exporter, request)
    selection = exporter.selection_of(request.resource_type, request.filters)
    with exporter.state.reading() as connection:
        hidden = hidden_types(request.newer_idle_types)
        runs = current_runs(connection, account_id, request.region, hidden)
    place, after = IdleScope(account_id, request.region, runs), None
    while True:
        with exporter.state.reading() as connection:
            page = read_idle_page(connection, place, limit=PAGE, after=after, selection=selection)
        yield recommended_rows(columns, (table.subject(one, shown) for one in page))
        if len(page) < PAGE:
            return
        after = After(counted_savings(page[-1]), page[-1].resource_arn)


def _shown(exporter: Exporter, request: ExportRequest) -> Shown:
    types = exporter.state.remembered("instance types", instance_types)
    return Shown(request.region, request.architectures, request.enum_style, types)


def _without(exporter: Exporter, run_id: str, scope: Scope, columns: Sequence[Column]) -> Rows:
    """Yield pages of resources that have no recommendation."""
    after = ""
    while True:
        with exporter.state.reading() as connection:
            page = errors_page(connection, run_id, scope, limit=PAGE, after=after)
        yield [error_row(columns, error) for error in page]
        if len(page) < PAGE:
            return
        after = page[-1].resource_arn
