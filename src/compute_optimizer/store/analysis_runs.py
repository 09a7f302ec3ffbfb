"""Analysis runs: written shard by shard, visible all at once.

A run is begun, its results are written one transaction per shard, and one last transaction makes
it the current run of every scope that it analyzed. The run that it supersedes stays readable for
RUN_KEPT, because page tokens pin their run.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, update

from compute_optimizer.errors import Conflict
from compute_optimizer.model.recommendation import (
    IdleRecommendation,
    Recommendation,
    RecommendationError,
)
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store.bulk import insert_rows
from compute_optimizer.store.result_rows import RowsOfTable, rows_of_result
from compute_optimizer.store.schema import (
    idle_recommendations,
    recommendation_errors,
    recommendations,
    run_scopes,
    run_summaries,
    runs,
)
from compute_optimizer.store.search_tables import (
    facet_holders,
    idle_facet_holders,
    searched_recommendations,
)

RUN_KEPT = timedelta(days=1)
"""How long a superseded run stays readable: as long as a page token lives (spec 8.2)."""

ABANDONED_AFTER = timedelta(hours=1)
"""A run that wrote nothing for so long was given up; a shard takes seconds."""


class Scope(NamedTuple):
    """What one run answers for as a whole."""

    account_id: str
    region: str
    resource_type: str


_RESULTS = (
    recommendations,
    recommendation_errors,
    idle_recommendations,
    run_summaries,
    searched_recommendations,
    facet_holders,
    idle_facet_holders,
)
"""What a run writes."""

_TOLD = (recommendations, recommendation_errors, idle_recommendations)
"""What tells whether the result of a shard is there."""


def scope_of(shard: ShardKey) -> Scope:
    """Return the scope that a shard belongs to."""
    return Scope(shard.account_id, shard.region, shard.resource_type)


def begin_run(connection: Connection, as_of: datetime, now: datetime) -> str:
    """Record a new run, invisible until it is complete, and return its id."""
    run_id = str(uuid4())
    connection.execute(
        insert(runs).values(run_id=run_id, as_of=as_of, started_at=now, heartbeat_at=now)
    )
    return run_id


def write_result(
    connection: Connection,
    run_id: str,
    scope: Scope,
    found: Sequence[Recommendation],
    errors: Sequence[RecommendationError],
    *,
    now: datetime,
    idle: Sequence[IdleRecommendation] = (),
) -> None:
    """Store the result of one shard, unless a process that ended had stored it before.

    Raises Conflict when the run was given up meanwhile, or completed by whoever did this again.
    """
    rows = rows_of_result(run_id, scope._asdict(), found, errors, idle)
    write_rows(connection, run_id, rows, now=now)


def write_rows(
    connection: Connection, run_id: str, rows: Sequence[RowsOfTable], *, now: datetime
) -> None:
    """Store the result of one shard that was made into rows before; raises as `write_result`."""
    _beat(connection, run_id, now, runs.c.completed_at.is_(None))
    # From here on nobody else writes for the run: the row of its heartbeat is ours.
    if any(_is_written(connection, table, some[0]) for table, some in rows if table in _TOLD):
        return
    for table, some in rows:
        insert_rows(connection, table, some)


def complete_run(
    connection: Connection, run_id: str, scopes: Collection[Scope], now: datetime
) -> None:
    """Make the run the current one of every given scope; the former ones are superseded.

    Raises Conflict when the run was given up meanwhile.
    """
    # Two analyses may end at the same moment: the row locks put one after the other.
    connection.execute(select(runs.c.run_id).with_for_update()).all()
    _beat(connection, run_id, now)
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(completed_at=now))
    found = _count(connection, recommendations, run_id)
    errors = _count(connection, recommendation_errors, run_id)
    for scope in scopes:
        current = *_equal(run_scopes, scope), run_scopes.c.superseded_at.is_(None)
        connection.execute(update(run_scopes).where(*current).values(superseded_at=now))
        counts = {"recommendations": found.get(scope, 0), "errors": errors.get(scope, 0)}
        connection.execute(insert(run_scopes).values(run_id=run_id, **scope._asdict(), **counts))


def prune_runs(connection: Connection, now: datetime) -> None:
    """Remove what nobody can read any more.

    These are scopes superseded longer than RUN_KEPT ago, and runs that stopped being written
    ABANDONED_AFTER ago without being completed; one that is being written now is left alone.
    """
    old = run_scopes.c.superseded_at < now - RUN_KEPT
    expired = select(run_scopes.c.run_id, *_scope_columns(run_scopes)).where(old)
    for run_id, *scope in connection.execute(expired).all():
        _remove(connection, run_id, Scope._make(scope))
    connection.execute(delete(run_scopes).where(old))
    given_up = runs.c.completed_at.is_(None), runs.c.heartbeat_at < now - ABANDONED_AFTER
    for run_id in connection.execute(select(runs.c.run_id).where(*given_up)).scalars().all():
        _remove(connection, run_id)
        connection.execute(delete(runs).where(runs.c.run_id == run_id))
    empty = runs.c.run_id.not_in(select(run_scopes.c.run_id))
    connection.execute(delete(runs).where(runs.c.completed_at.is_not(None), empty))


def remove_recommendations_of(connection: Connection, account_id: str) -> None:
    """Remove every result of one account, of all runs."""
    for table in (*_RESULTS, run_scopes):
        connection.execute(delete(table).where(table.c.account_id == account_id))


def current_scopes(connection: Connection, account_ids: Collection[str]) -> set[Scope]:
    """Return every scope of the accounts that has a current run."""
    query = select(*_scope_columns(run_scopes)).where(
        run_scopes.c.superseded_at.is_(None), run_scopes.c.account_id.in_(account_ids)
    )
    return {Scope._make(row) for row in connection.execute(query)}


def current_run(connection: Connection, scope: Scope) -> str | None:
    """Return the id of the newest completed run of the scope; None before the first analysis."""
    query = select(run_scopes.c.run_id).where(
        *_equal(run_scopes, scope), run_scopes.c.superseded_at.is_(None)
    )
    return connection.execute(query).scalar()


def run_as_of(connection: Connection, run_id: str) -> datetime:
    """Return the moment up to which a run looked at samples."""
    moment: datetime = connection.execute(
        select(runs.c.as_of).where(runs.c.run_id == run_id)
    ).scalar_one()
    return moment


def analyzed_as_of(connection: Connection, shards: Iterable[ShardKey]) -> datetime | None:
    """Return of which moment the newest current run of some shards is; None without any."""
    runs = {current_run(connection, scope_of(shard)) for shard in shards} - {None}
    return max((run_as_of(connection, run) for run in runs if run), default=None)


def is_readable(connection: Connection, run_id: str, scope: Scope, now: datetime) -> bool:
    """Whether pages of the run may still be read: it is current, or was until RUN_KEPT ago."""
    query = select(run_scopes.c.superseded_at).where(
        *_equal(run_scopes, scope), run_scopes.c.run_id == run_id
    )
    row = connection.execute(query).first()
    return row is not None and (row[0] is None or now - row[0] <= RUN_KEPT)


def _is_written(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Return whether a row is there: all of a shard's result was written in one transaction."""
    key = [column == row[column.name] for column in table.primary_key]
    return connection.execute(select(table.c.resource_arn).where(*key).limit(1)).first() is not None


def _beat(
    connection: Connection, run_id: str, now: datetime, *going_on: ColumnElement[bool]
) -> None:
    beat = update(runs).where(runs.c.run_id == run_id, *going_on).values(heartbeat_at=now)
    if connection.execute(beat).rowcount == 0:
        raise Conflict(
            f"analysis {run_id} stood still for over {ABANDONED_AFTER} and was given up; "
            "run `compute-optimizer analyze` again"
        )


def _count(connection: Connection, table: Table, run_id: str) -> dict[Scope, int]:
    columns = _scope_columns(table)
    query = select(*columns, func.count()).where(table.c.run_id == run_id).group_by(*columns)
    return {Scope._make(scope): count for *scope, count in connection.execute(query).all()}


def _remove(connection: Connection, run_id: str, scope: Scope | None = None) -> None:
    for table in _RESULTS:
        wanted = rows_of_run(table, run_id, scope) if scope else [table.c.run_id == run_id]
        connection.execute(delete(table).where(*wanted))


def rows_of_run(table: Table, run_id: str, scope: Scope) -> list[ColumnElement[bool]]:
    """Return the conditions of the rows that a run wrote for a scope into a table."""
    return [table.c.run_id == run_id, *_equal(table, scope)]


def _equal(table: Table, scope: Scope) -> list[ColumnElement[bool]]:
    return [column == value for column, value in zip(_scope_columns(table), scope, strict=True)]


def _scope_columns(table: Table) -> list[ColumnElement[str]]:
    return [table.c[name] for name in Scope._fields]
