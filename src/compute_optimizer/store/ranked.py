"""Recommendations in the order of their savings or their ARNs, over many scopes at once.

Pages of the API go by ARN in one account and Region; people look for the largest first, anywhere.
Each scope is read in the order of an index, and the scopes are merged. Of equal savings scopes go
one after the other, so that no text is compared but inside the database: collations differ.

Whatever must be looked for is looked for in the short rows of `searched_recommendations`, and only
what is found is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, false, select, tuple_

from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.recommendations import (
    EVERYTHING,
    Selection,
    decode_facets,
    restrictions,
)
from compute_optimizer.store.schema import idle_recommendations, recommendations, run_scopes
from compute_optimizer.store.search_tables import searched_recommendations

FETCHED = 200
"""Rows fetched at once while all of them are read: a page or two."""

SEARCHED = 2_000
"""Short rows fetched at once while a filter looks through a run."""

LONGEST_TEXT = 2_048
"""Characters that are searched for at most: no ARN and no value of a tag is as long."""


class Order(StrEnum):
    """By what the recommendations follow each other; equal savings by scope and ARN."""

    SAVINGS_DESCENDING = "-savings"
    SAVINGS = "savings"
    ARN = "arn"
    ARN_DESCENDING = "-arn"

    @property
    def descends(self) -> bool:
        """Whether the largest comes first."""
        return self.startswith("-")

    @property
    def by_savings(self) -> bool:
        """Whether it goes by savings."""
        return self.endswith("savings")


class Ranked(NamedTuple):
    """One row: where it stands in the order, and what is stored."""

    savings: float
    """Monthly, as totals count them."""
    scope: Scope
    arn: str
    body: bytes


class After(NamedTuple):
    """The last row of the page before."""

    savings: float
    scope: Scope
    arn: str


@dataclass(frozen=True, slots=True)
class Advising:
    """Which advice is wanted, by its id; rows that advise nothing are never meant."""

    ids: frozenset[str]
    others: bool = False
    """Whether all advice but that is meant."""

    def has(self, recommendation_id: str | None) -> bool:
        """Return whether the advice of a row is meant."""
        return recommendation_id is not None and (recommendation_id in self.ids) is not self.others


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows, and in which order."""

    scopes: tuple[Scope, ...]
    order: Order = Order.SAVINGS_DESCENDING
    selection: Selection = EVERYTHING
    text: str = ""
    """Found in the name, the ARN or a tag, whatever its case; empty for all."""
    advising: Advising | None = None
    """None for all."""
    after: After | None = None
    idle: bool = False
    """Whether idle recommendations are meant."""

    @property
    def table(self) -> Table:
        """Return where the rows are; both tables name alike what is read here."""
        return idle_recommendations if self.idle else recommendations

    @property
    def is_searched(self) -> bool:
        """Whether rows must be looked for that no index tells."""
        by_facets = self.selection.matches is not None or bool(self.selection.mentions)
        return bool(self.text) or self.advising is not None or by_facets


def read_ranked(connection: Connection, wanted: Wanted, limit: int) -> list[Ranked]:
    """Return up to `limit` rows of the current runs, from the first one beyond `wanted.after`."""
    return list(islice(stream_ranked(connection, wanted, limit), limit))


def stream_ranked(
    connection: Connection, wanted: Wanted, limit: int | None = None
) -> Iterator[Ranked]:
    """Yield what `read_ranked` returns; None for all of them."""
    order = wanted.order
    runs = current_runs(connection, wanted)
    places = {scope: place for place, scope in enumerate(runs)}
    sign = -1 if order.descends else 1

    def key(row: Ranked) -> tuple[float, int]:
        return row.savings if order.by_savings else 0.0, sign * places[row.scope]

    parts = [_rows(connection, run_id, scope, wanted, limit) for scope, run_id in runs.items()]
    return merge(*parts, key=key, reverse=order.descends)


def current_runs(connection: Connection, wanted: Wanted) -> dict[Scope, str]:
    """Return the ids of the current runs of the wanted scopes, as scopes follow each other."""
    key = [run_scopes.c[name] for name in Scope._fields]
    query = select(*key, run_scopes.c.run_id).where(run_scopes.c.superseded_at.is_(None))
    found = {Scope(*scope): run_id for *scope, run_id in connection.execute(query)}
    order = sorted(found.keys() & set(wanted.scopes), reverse=_scopes_descend(wanted.order))
    return {scope: found[scope] for scope in order}


def _scopes_descend(order: Order) -> bool:
    return order is Order.ARN_DESCENDING


def _rows(
    connection: Connection, run_id: str, scope: Scope, wanted: Wanted, limit: int | None
) -> Iterator[Ranked]:
    find = _searched if wanted.is_searched else _listed
    return find(connection, run_id, scope, wanted, limit)


def _listed(
    connection: Connection, run_id: str, scope: Scope, wanted: Wanted, limit: int | None
) -> Iterator[Ranked]:
    """Yield the rows of a scope as an index has them."""
    table = wanted.table
    beyond = _beyond(table, wanted, scope)
    if beyond is None:
        return
    columns = table.c.monthly_savings_usd, table.c.resource_arn, table.c.body
    query = _ordered(select(*columns), table, run_id, scope, wanted).where(*beyond).limit(limit)
    with connection.execute(query.execution_options(yield_per=FETCHED)) as rows:
        for savings, arn, body in rows:
            yield Ranked(savings, scope, arn, body)


def _searched(
    connection: Connection, run_id: str, scope: Scope, wanted: Wanted, limit: int | None
) -> Iterator[Ranked]:
    """Yield the rows of a scope that a search finds, read some at a time."""
    found = _found(connection, run_id, scope, wanted, limit)
    size = min(limit or FETCHED, FETCHED)
    while some := list(islice(found, size)):
        bodies = _bodies(connection, run_id, scope, wanted, [arn for _, arn in some])
        for savings, arn in some:
            yield Ranked(savings, scope, arn, bodies[arn])


def _found(
    connection: Connection, run_id: str, scope: Scope, wanted: Wanted, limit: int | None
) -> Iterator[tuple[float, str]]:
    """Yield the savings and ARNs of what a search finds in a scope, in the order that is wanted."""
    table = searched_recommendations
    beyond = _beyond(table, wanted, scope)
    if beyond is None:
        return
    columns = (
        table.c.monthly_savings_usd,
        table.c.resource_arn,
        table.c.recommendation_id,
        table.c.facets,
    )
    query = _ordered(select(*columns), table, run_id, scope, wanted)
    query = query.where(*beyond, table.c.idle == wanted.idle, *_holding(wanted.text))
    matches, advising = wanted.selection.matches, wanted.advising
    if matches is None and advising is None:
        query = query.limit(limit)
    with connection.execute(query.execution_options(yield_per=SEARCHED)) as rows:
        for savings, arn, recommendation_id, facets in rows:
            is_meant = advising is None or advising.has(recommendation_id)
            if is_meant and (matches is None or matches(decode_facets(facets))):
                yield savings, arn


def _holding(text: str) -> list[ColumnElement[bool]]:
    """Return the condition that one of the words of a row holds a text."""
    if not text:
        return []
    # A line is a word, so that no word holds the end of a line.
    if len(text) > LONGEST_TEXT or "\n" in text or "\0" in text:
        return [false()]
    return [searched_recommendations.c.words.contains(text.casefold(), autoescape=True)]


def _bodies(
    connection: Connection, run_id: str, scope: Scope, wanted: Wanted, arns: Sequence[str]
) -> dict[str, bytes]:
    table = wanted.table
    query = select(table.c.resource_arn, table.c.body).where(
        *_here(table, run_id, scope), table.c.resource_arn.in_(arns)
    )
    return {row.resource_arn: row.body for row in connection.execute(query)}


def _here(table: Table, run_id: str, scope: Scope) -> list[ColumnElement[bool]]:
    named = {"run_id": run_id, **scope._asdict()}
    return [table.c[name] == value for name, value in named.items()]


def _ordered(
    query: Select[Any], table: Table, run_id: str, scope: Scope, wanted: Wanted
) -> Select[Any]:
    """Return the query of what is selected in a scope, in the order that is wanted."""
    selection = wanted.selection
    query = query.where(*_here(table, run_id, scope), *restrictions(table, selection))
    if selection.arns is not None:
        query = query.where(table.c.resource_arn.in_(selection.arns))
    return query.order_by(*_sorting(table, wanted.order))


def _sorting(table: Table, order: Order) -> list[ColumnElement[Any]]:
    columns: list[Any] = [table.c.monthly_savings_usd] if order.by_savings else []
    columns.append(table.c.resource_arn)
    return [column.desc() if order.descends else column.asc() for column in columns]


def _beyond(table: Table, wanted: Wanted, scope: Scope) -> list[ColumnElement[bool]] | None:
    """Return what rows of a scope must fulfil to come after; None where none can."""
    after, order = wanted.after, wanted.order
    if after is None:
        return []
    savings, arn = table.c.monthly_savings_usd, table.c.resource_arn
    if scope == after.scope:
        if not order.by_savings:
            return [arn < after.arn if order.descends else arn > after.arn]
        row, last = tuple_(savings, arn), tuple_(after.savings, after.arn)
        return [row < last if order.descends else row > last]
    comes_later = (scope > after.scope) is not _scopes_descend(order)
    if not order.by_savings:
        return [] if comes_later else None
    if comes_later:
        return [savings <= after.savings if order.descends else savings >= after.savings]
    return [savings < after.savings if order.descends else savings > after.savings]
