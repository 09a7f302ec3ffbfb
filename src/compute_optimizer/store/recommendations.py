"""What a run said: pages of recommendations, and why others have none.

Bodies are records of `model` as JSON, which the database keeps packed.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    func,
    or_,
    select,
    true,
)

from compute_optimizer.model.facets import Facets
from compute_optimizer.model.recommendation import (
    Recommendation,
    RecommendationError,
)
from compute_optimizer.resources import type_of
from compute_optimizer.store.analysis_runs import Scope, rows_of_run
from compute_optimizer.store.facet_holders import (
    Candidates,
    Lists,
    fewest_candidates,
    stream_candidates,
)
from compute_optimizer.store.result_rows import as_text
from compute_optimizer.store.schema import (
    recommendation_errors,
    recommendations,
    run_scopes,
)
from compute_optimizer.store.search_tables import facet_holders

FIRST_LOOKS = 8
"""One in so many of the rows that may be looked at comes first, and tells whether the others are
worth it; then twice as many, and so on."""

T = TypeVar("T")


BODIES_FETCHED = 100
"""Rows with bodies fetched at once: whoever has enough has fetched few in vain."""

SCAN_ROWS = 1_000
"""Rows fetched at once while filters look through a run: a page of matches, rarely more."""

MAX_MENTIONS = 10
"""Strings, and sets of them, that the database looks for: beyond it fetching is as quick."""

MAX_MENTION_CHARACTERS = 256
"""Length of a string that the database looks for: tag values are no longer."""

MAX_LISTED = 1_000
"""ARNs in one request (spec 8.3): in one SQL list, below every database's limit."""

LISTED = MAX_LISTED + 1
"""Candidates looked at by one statement: those of the largest page, and the one that tells whether
another page follows."""


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


decode_facets = msgspec.json.Decoder(Facets).decode


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

    `record` is what the bodies hold.
    """
    page = stream_page(
        connection, run_id, scope, record, limit=limit, after=after, selection=selection
    )
    return list(page)


def stream_page(
    connection: Connection,
    run_id: str,
    scope: Scope,
    record: type[T],
    *,
    limit: int,
    after: str = "",
    selection: Selection = EVERYTHING,
) -> Iterator[T]:
    """Yield what `read_page` returns.

    A reader that drops one before it takes the next keeps using the same memory: on a page of
    1,000 that saves more time than decoding takes.
    """
    if selection.matches is not None:
        bodies = _matching_bodies(connection, run_id, scope, selection, after, limit)
    else:
        bodies = _bodies_by_arn(connection, run_id, scope, selection, after, limit)
    yield from map(msgspec.json.Decoder(record).decode, islice(bodies, limit))


def recommended_arns(
    connection: Connection, run_id: str, scope: Scope, arns: Sequence[str]
) -> set[str]:
    """Return which of at most MAX_LISTED resources have a recommendation."""
    query = select(recommendations.c.resource_arn).where(
        *rows_of_run(recommendations, run_id, scope), recommendations.c.resource_arn.in_(arns)
    )
    return set(connection.execute(query).scalars())


def read_errors(
    connection: Connection, run_id: str, scope: Scope, arns: Sequence[str] | None = None
) -> list[RecommendationError]:
    """Return why resources have no recommendation: at most MAX_LISTED, or all for None."""
    table = recommendation_errors
    wanted = rows_of_run(table, run_id, scope)
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
    wanted = [*rows_of_run(table, run_id, scope), table.c.resource_arn > after]
    query = select(table.c.resource_arn, table.c.code, table.c.message).where(*wanted)
    rows = connection.execute(query.order_by(table.c.resource_arn).limit(limit))
    return [RecommendationError(*row) for row in rows]


def error_counts(connection: Connection, run_id: str, scope: Scope) -> dict[str, int]:
    """Return how many resources have no recommendation, by the code that says why."""
    table = recommendation_errors
    query = select(table.c.code, func.count()).where(*rows_of_run(table, run_id, scope))
    return dict(connection.execute(query.group_by(table.c.code)).all())


def facets_of(recommendation: Recommendation) -> Facets:
    """Return what filters look at."""
    return type_of(recommendation).facets(recommendation)


def counted_savings(recommendation: Recommendation) -> float:
    """Return the monthly savings that totals count, in the currency of the Region."""
    return type_of(recommendation).counted_savings(recommendation)


def _bodies_by_arn(
    connection: Connection, run_id: str, scope: Scope, selection: Selection, after: str, limit: int
) -> Iterator[bytes]:
    """Yield the bodies beyond `after` that an index tells, in order.

    Each finding is read in the order of its index, and they are merged here; the database would
    sort all that have one of several.
    """
    arn = recommendations.c.resource_arn
    here = [*rows_of_run(recommendations, run_id, scope), arn > after, *_with_arns(selection)]
    ordered = select(arn, recommendations.c.body).where(*here).order_by(arn).limit(limit)
    if selection.findings is None:
        queries = [ordered]
    else:
        findings = sorted(selection.findings)
        queries = [ordered.where(recommendations.c.finding == one) for one in findings]
    rows = merge(*(_rows(connection, query) for query in queries), key=itemgetter(0))
    yield from (body for _, body in rows)


@dataclass(frozen=True, slots=True)
class _Filtering:
    """What is looked through, and for what."""

    connection: Connection
    here: Sequence[ColumnElement[bool]]
    """The conditions of all rows of the run and the scope."""
    selection: Selection
    wanted: Sequence[ColumnElement[bool]]
    """The conditions that the database can hold against those who match."""


def _matching_bodies(
    connection: Connection, run_id: str, scope: Scope, selection: Selection, after: str, limit: int
) -> Iterator[bytes]:
    """Yield the bodies of those beyond `after` that match, in order.

    Rows are looked at in order, until it would be sooner to look at those who have a facet only.
    """
    here = rows_of_run(recommendations, run_id, scope)
    wanted = [*here, *_with_arns(selection), *restrictions(recommendations, selection)]
    filtering = _Filtering(connection, here, selection, wanted)
    lists = Lists(connection, facet_holders, rows_of_run(facet_holders, run_id, scope))
    some = fewest_candidates(lists, selection.named if selection.arns is None else ())
    if some is None:
        yield from _matching_one_by_one(filtering, after, limit)
        return
    counted = select(run_scopes.c.recommendations).where(*rows_of_run(run_scopes, run_id, scope))
    rows = connection.execute(counted).scalar() or 0
    tries = some.tries(rows, limit)
    if not some.are_few(rows, limit):
        last, are_rarer = yield from _looked_through(filtering, after, some, rows, limit)
        if last is None:
            return
        after, tries = last, 0 if are_rarer else tries
    candidates = stream_candidates(lists, some, after, tries)
    while listed := list(islice(candidates, LISTED)):
        yield from _matching(filtering, recommendations.c.resource_arn.in_(listed))


def _matching_one_by_one(filtering: _Filtering, after: str, limit: int) -> Iterator[bytes]:
    """Yield bodies where no list tells who may match."""
    arn = recommendations.c.resource_arn
    arns = islice(_matching_arns(filtering, after), limit)
    while listed := list(islice(arns, LISTED)):
        bodies = select(arn, recommendations.c.body).where(*filtering.here, arn.in_(listed))
        yield from (body for _, body in _rows(filtering.connection, bodies.order_by(arn)))


def _looked_through(
    filtering: _Filtering, after: str, some: Candidates, rows: int, limit: int
) -> Generator[bytes, None, tuple[str | None, bool]]:
    """Yield bodies of matching rows, one row after the other, until it takes more than expected.

    Returns the last ARN looked at, None for all, and whether those who match are rarer than it was
    expected of them.
    """
    arn = recommendations.c.resource_arn
    ordered = select(arn).where(*filtering.here).order_by(arn).limit(1)
    most = some.looks(rows, limit)
    step, looked, found = max(most // FIRST_LOOKS, LISTED), 0, 0
    while looked < most and not some.are_rarer(rows, looked, found):
        step = min(step, most - looked)
        last = filtering.connection.execute(ordered.where(arn > after).offset(step)).scalar()
        for body in _matching(filtering, arn > after, true() if last is None else arn <= last):
            found += 1
            yield body
        if last is None:
            return None, False
        after, looked = last, looked + step
        step = looked
    return after, some.are_rarer(rows, looked, found)


def _matching(filtering: _Filtering, *meant: ColumnElement[bool]) -> Iterator[bytes]:
    """Yield the bodies of the rows that are meant and match, in order."""
    columns = recommendations.c.facets, recommendations.c.body
    query = select(*columns).where(*filtering.wanted, *meant)
    rows = _rows(filtering.connection, query.order_by(recommendations.c.resource_arn))
    takes = filtering.selection.takes
    yield from (body for facets, body in rows if takes(decode_facets(facets)))


def _matching_arns(filtering: _Filtering, after: str) -> Iterator[str]:
    """Yield whose rows match, in order, without a look at bodies: most may not match."""
    arn = recommendations.c.resource_arn
    query = select(arn, recommendations.c.facets).where(*filtering.wanted, arn > after)
    rows = _rows(filtering.connection, query.order_by(arn), SCAN_ROWS)
    takes = filtering.selection.takes
    yield from (arn for arn, facets in rows if takes(decode_facets(facets)))


def _rows(
    connection: Connection, query: Select[Any], fetched: int = BODIES_FETCHED
) -> Iterator[Any]:
    """Yield rows, some fetched at once."""
    with connection.execute(query.execution_options(yield_per=fetched)) as rows:
        yield from rows


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
