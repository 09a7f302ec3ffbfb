"""What a run said: pages of recommendations, and why others have none.

Bodies are the frozen dataclasses of `model` as JSON.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    func,
    or_,
    select,
    true,
    union_all,
)

from compute_optimizer.model.facets import Facets
from compute_optimizer.model.recommendation import (
    Recommendation,
    RecommendationError,
)
from compute_optimizer.resources import type_of
from compute_optimizer.store.analysis_runs import Scope, rows_of_run
from compute_optimizer.store.facet_holders import fewest_candidates, stream_candidates
from compute_optimizer.store.result_rows import as_text
from compute_optimizer.store.schema import (
    recommendation_errors,
    recommendations,
    run_scopes,
)

T = TypeVar("T")


SCAN_ROWS = 1_000
"""Rows fetched at once while filters look through a run: a page of matches, rarely more."""

MAX_MENTIONS = 10
"""Strings, and sets of them, that the database looks for: beyond it fetching is as quick."""

MAX_MENTION_CHARACTERS = 256
"""Length of a string that the database looks for: tag values are no longer."""

MAX_LISTED = 1_000
"""ARNs in one request (spec 8.3) and names in one SQL list: below every database's limit."""


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
        *rows_of_run(recommendations, run_id, scope),
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


def _first_matching(
    connection: Connection, run_id: str, scope: Scope, selection: Selection, after: str, limit: int
) -> list[str]:
    """Return the first ARNs beyond `after` that match.

    Rows are looked at in order, until it would be sooner to look at those who have a facet only.
    """
    arn, here = recommendations.c.resource_arn, rows_of_run(recommendations, run_id, scope)
    wanted = [*here, *_with_arns(selection), *restrictions(recommendations, selection)]
    if selection.arns is not None or not selection.named:
        return list(islice(_matching(connection, [*wanted, arn > after], selection), limit))
    key = {"run_id": run_id, **scope._asdict()}
    counted = select(run_scopes.c.recommendations).where(*rows_of_run(run_scopes, run_id, scope))
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
    return [*rows_of_run(recommendations, run_id, scope), recommendations.c.resource_arn.in_(arns)]


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
