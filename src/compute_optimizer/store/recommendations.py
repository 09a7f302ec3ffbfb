"""Analysis runs and what they said: written shard by shard, visible all at once.

A run is begun, its results are written one transaction per shard, and one last transaction makes
it the current run of every scope that it analyzed. The run that it supersedes stays readable for
RUN_KEPT, because page tokens pin their run. Bodies are the frozen dataclasses of `model` as JSON.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    union_all,
    update,
)

from compute_optimizer.errors import Conflict
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.recommendation import (
    IdleRecommendation,
    Recommendation,
    RecommendationError,
)
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.resources import type_of
from compute_optimizer.store.bulk import insert_rows
from compute_optimizer.store.facet_holders import fewest_candidates, stream_candidates
from compute_optimizer.store.result_rows import RowsOfTable, as_text, rows_of_result
from compute_optimizer.store.schema import (
    idle_recommendations,
    recommendation_errors,
    recommendations,
    run_scopes,
    run_summaries,
    runs,
)
from compute_optimizer.store.search_tables import facet_holders, searched_recommendations

T = TypeVar("T")

RUN_KEPT = timedelta(days=1)
"""How long a superseded run stays readable: as long as a page token lives (spec 8.2)."""

ABANDONED_AFTER = timedelta(hours=1)
"""A run that wrote nothing for so long was given up; a shard takes seconds."""

SCAN_ROWS = 1_000
"""Rows fetched at once while filters look through a run: a page of matches, rarely more."""

MAX_MENTIONS = 10
"""Strings, and sets of them, that the database looks for: beyond it fetching is as quick."""

MAX_MENTION_CHARACTERS = 256
"""Length of a string that the database looks for: tag values are no longer."""

MAX_LISTED = 1_000
"""ARNs in one request (spec 8.3) and names in one SQL list: below every database's limit."""


class Scope(NamedTuple):
    """What one run answers for as a whole."""

    account_id: str
    region: str
    resource_type: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which recommendations a reader wants; None does not restrict."""

    arns: tuple[str, ...] | None = None
    """At most MAX_LISTED."""
    findings: frozenset[str] | None = None
    matches: Callable[[Facets], bool] | None = None
    mentions: tuple[frozenset[str], ...] = ()
    """Sets of strings of each of which the facets of all that `matches` hold one: what does not
    mention them need not be fetched."""
    named: tuple[frozenset[str], ...] = ()
    """Sets of names of facets (model.facets) of each of which all that `matches` have one."""

    def takes(self, facets: Facets) -> bool:
        """Return whether the facets match."""
        return self.matches is None or self.matches(facets)


EVERYTHING = Selection()

_RESULTS = (
    recommendations,
    recommendation_errors,
    idle_recommendations,
    run_summaries,
    searched_recommendations,
    facet_holders,
)
"""What a run writes."""

_TOLD = (recommendations, recommendation_errors, idle_recommendations)
"""What tells whether the result of a shard is there."""

decode_facets = msgspec.json.Decoder(Facets).decode


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


def read_page(
    connection: Connection,
    run_id: str,
    scope: Scope,
    record: type[T],
    *,
    limit: int,
    after: str = "",
    selection: Selection = EVERYTHING,
) -> list[T]:
    """Return up to `limit` recommendations by ascending ARN, from the first one beyond `after`.

    `record` is the dataclass that the bodies hold.
    """
    bodies = stream_bodies(connection, run_id, scope, limit=limit, after=after, selection=selection)
    return list(map(msgspec.json.Decoder(record).decode, bodies))


def stream_bodies(
    connection: Connection,
    run_id: str,
    scope: Scope,
    *,
    limit: int,
    after: str = "",
    selection: Selection = EVERYTHING,
) -> Iterator[bytes]:
    """Yield what `read_page` decodes.

    A reader that decodes one and drops it before it takes the next keeps using the same memory: on
    a page of 1,000 that saves more time than decoding takes.
    """
    wanted = [
        *_of_run(recommendations, run_id, scope),
        recommendations.c.resource_arn > after,
        *_with_arns(selection),
        *restrictions(recommendations, selection),
    ]
    if selection.matches is not None:
        arns = _first_matching(connection, run_id, scope, selection, after, limit)
        wanted = _listed(run_id, scope, arns)
    elif selection.findings is not None and selection.arns is None:
        arns = _arns_by_finding(connection, wanted, selection.findings, limit)
        wanted = _listed(run_id, scope, arns)
    query = select(recommendations.c.body).where(*wanted)
    bodies = connection.execute(query.order_by(recommendations.c.resource_arn).limit(limit))
    yield from bodies.scalars()


def recommended_arns(
    connection: Connection, run_id: str, scope: Scope, arns: Sequence[str]
) -> set[str]:
    """Return which of at most MAX_LISTED resources have a recommendation."""
    query = select(recommendations.c.resource_arn).where(
        *_of_run(recommendations, run_id, scope), recommendations.c.resource_arn.in_(arns)
    )
    return set(connection.execute(query).scalars())


def read_errors(
    connection: Connection, run_id: str, scope: Scope, arns: Sequence[str] | None = None
) -> list[RecommendationError]:
    """Return why resources have no recommendation: at most MAX_LISTED, or all for None."""
    table = recommendation_errors
    wanted = _of_run(table, run_id, scope)
    if arns is not None:
        wanted.append(table.c.resource_arn.in_(arns))
    query = select(table.c.resource_arn, table.c.code, table.c.message).where(*wanted)
    rows = connection.execute(query.order_by(table.c.resource_arn))
    return [RecommendationError(*row) for row in rows]


def errors_page(
    connection: Connection, run_id: str, scope: Scope, *, limit: int, after: str = ""
) -> list[RecommendationError]:
    """Return up to `limit` errors by ascending ARN, from the first one beyond `after`."""
    table = recommendation_errors
    wanted = [*_of_run(table, run_id, scope), table.c.resource_arn > after]
    query = select(table.c.resource_arn, table.c.code, table.c.message).where(*wanted)
    rows = connection.execute(query.order_by(table.c.resource_arn).limit(limit))
    return [RecommendationError(*row) for row in rows]


def error_counts(connection: Connection, run_id: str, scope: Scope) -> dict[str, int]:
    """Return how many resources have no recommendation, by the code that says why."""
    table = recommendation_errors
    query = select(table.c.code, func.count()).where(*_of_run(table, run_id, scope))
    return dict(connection.execute(query.group_by(table.c.code)).all())


def facets_of(recommendation: Recommendation) -> Facets:
    """Return what filters look at."""
    return type_of(recommendation).facets(recommendation)


def counted_savings(recommendation: Recommendation) -> float:
    """Return the monthly savings that totals count, in the currency of the Region."""
    return type_of(recommendation).counted_savings(recommendation)


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
        wanted = _of_run(table, run_id, scope) if scope else [table.c.run_id == run_id]
        connection.execute(delete(table).where(*wanted))


def _first_matching(
    connection: Connection, run_id: str, scope: Scope, selection: Selection, after: str, limit: int
) -> list[str]:
    """Return the first ARNs beyond `after` that match.

    Rows are looked at in order, until it would be sooner to look at those who have a facet only.
    """
    arn, here = recommendations.c.resource_arn, _of_run(recommendations, run_id, scope)
    wanted = [*here, *_with_arns(selection), *restrictions(recommendations, selection)]
    if selection.arns is not None or not selection.named:
        return list(islice(_matching(connection, [*wanted, arn > after], selection), limit))
    key = {"run_id": run_id, **scope._asdict()}
    counted = select(run_scopes.c.recommendations).where(*_of_run(run_scopes, run_id, scope))
    rows = connection.execute(counted).scalar() or 0
    some = fewest_candidates(connection, key, selection.named)
    if some is None:
        return list(islice(_matching(connection, [*wanted, arn > after], selection), limit))
    found: list[str] = []
    if not some.are_few(rows, limit):
        beyond = select(arn).where(*here, arn > after).order_by(arn)
        beyond = beyond.offset(some.looks(rows, limit)).limit(1)
        last = connection.execute(beyond).scalar()
        looked = [arn > after] if last is None else [arn > after, arn <= last]
        found = list(islice(_matching(connection, [*wanted, *looked], selection), limit))
        if last is None:
            return found
        after = last
    if len(found) < limit:
        candidates = stream_candidates(connection, key, some, after)
        with_findings = [*here, *_with_findings(recommendations, selection)]
        matching = _matching_of(connection, candidates, with_findings, selection)
        found += islice(matching, limit - len(found))
    return found


def _matching(
    connection: Connection, wanted: Sequence[ColumnElement[bool]], selection: Selection
) -> Iterator[str]:
    """Yield the ARNs of the rows that match, in order."""
    query = select(recommendations.c.resource_arn, recommendations.c.facets).where(*wanted)
    query = query.order_by(recommendations.c.resource_arn).execution_options(yield_per=SCAN_ROWS)
    with connection.execute(query) as rows:
        yield from (arn for arn, facets in rows if selection.takes(decode_facets(facets)))


def _matching_of(
    connection: Connection,
    holders: Iterator[str],
    here: Sequence[ColumnElement[bool]],
    selection: Selection,
) -> Iterator[str]:
    """Yield those of some ARNs in order whose rows match."""
    while some := list(islice(holders, MAX_LISTED)):
        wanted = [*here, recommendations.c.resource_arn.in_(some)]
        yield from _matching(connection, wanted, selection)


def _listed(run_id: str, scope: Scope, arns: Sequence[str]) -> list[ColumnElement[bool]]:
    return [*_of_run(recommendations, run_id, scope), recommendations.c.resource_arn.in_(arns)]


def _arns_by_finding(
    connection: Connection,
    wanted: Sequence[ColumnElement[bool]],
    findings: Collection[str],
    limit: int,
) -> list[str]:
    """Return the first ARNs with one of the findings.

    Each finding is read in the order of its index and no further than a page; reading several at
    once would sort all that have them.
    """
    arn = recommendations.c.resource_arn
    each = [
        select(arn)
        .where(*wanted, recommendations.c.finding == finding)
        .order_by(arn)
        .limit(limit)
        .subquery()
        for finding in sorted(findings)
    ]
    if not each:
        return []
    together = union_all(*(select(one.c.resource_arn) for one in each)).subquery()
    query = select(together.c.resource_arn).order_by(together.c.resource_arn).limit(limit)
    return list(connection.execute(query).scalars())


def _with_arns(selection: Selection) -> list[ColumnElement[bool]]:
    return [] if selection.arns is None else [recommendations.c.resource_arn.in_(selection.arns)]


def _with_findings(table: Table, selection: Selection) -> list[ColumnElement[bool]]:
    return [] if selection.findings is None else [table.c.finding.in_(selection.findings)]


def restrictions(table: Table, selection: Selection) -> list[ColumnElement[bool]]:
    """Return the conditions that the database itself may hold against findings and facets."""
    found = _with_findings(table, selection)
    few = (texts for texts in selection.mentions if len(texts) <= MAX_MENTIONS)
    return found + [_mentions_one_of(table, texts) for texts in islice(few, MAX_MENTIONS)]


def _mentions_one_of(table: Table, texts: Collection[str]) -> ColumnElement[bool]:
    if any(len(text) > MAX_MENTION_CHARACTERS for text in texts):
        return true()
    facets = table.c.facets
    return or_(*(facets.contains(as_text(text), autoescape=True) for text in texts))


def _of_run(table: Table, run_id: str, scope: Scope) -> list[ColumnElement[bool]]:
    return [table.c.run_id == run_id, *_equal(table, scope)]


def _equal(table: Table, scope: Scope) -> list[ColumnElement[bool]]:
    return [column == value for column, value in zip(_scope_columns(table), scope, strict=True)]


def _scope_columns(table: Table) -> list[ColumnElement[str]]:
    return [table.c[name] for name in Scope._fields]
