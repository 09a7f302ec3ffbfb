"""Recommendations in the order of their savings or their ARNs, over many scopes at once.

Pages of the API go by ARN in one account and Region; people look for the largest first, anywhere.
Each scope is read in the order of an index, and the scopes are merged. Of equal savings scopes go
one after the other, so that no text is compared but inside the database: collations differ.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, select, tuple_

from compute_optimizer.model.facets import Facets
from compute_optimizer.store.recommendations import (
    EVERYTHING,
    Scope,
    Selection,
    decode_facets,
    restrictions,
)
from compute_optimizer.store.schema import idle_recommendations, recommendations, run_scopes

FETCHED = 200
"""Rows fetched at once while a filter looks through a run: a page or two."""


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
class Wanted:
    """Which rows, and in which order."""

    scopes: tuple[Scope, ...]
    order: Order = Order.SAVINGS_DESCENDING
    selection: Selection = EVERYTHING
    contains: Callable[[bytes], bool] | None = None
    """Holds of the stored bodies that are wanted; None for all."""
    after: After | None = None
    idle: bool = False
    """Whether idle recommendations are meant."""

    @property
    def table(self) -> Table:
        """Return where the rows are; both tables name alike what is read here."""
        return idle_recommendations if self.idle else recommendations


def read_ranked(connection: Connection, wanted: Wanted, limit: int) -> list[Ranked]:
    """Return up to `limit` rows of the current runs, from the first one beyond `wanted.after`."""
    return list(islice(stream_ranked(connection, wanted, limit), limit))


def stream_ranked(
    connection: Connection, wanted: Wanted, limit: int | None = None
) -> Iterator[Ranked]:
    """Yield what `read_ranked` returns; None for all of them."""
    order = wanted.order
    runs = _current_runs(connection, wanted)
    places = {scope: place for place, scope in enumerate(runs)}
    sign = -1 if order.descends else 1

    def key(row: Ranked) -> tuple[float, int]:
        return row.savings if order.by_savings else 0.0, sign * places[row.scope]

    parts = [_rows(connection, run_id, scope, wanted, limit) for scope, run_id in runs.items()]
    return merge(*parts, key=key, reverse=order.descends)


def _current_runs(connection: Connection, wanted: Wanted) -> dict[Scope, str]:
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
    matches, contains = wanted.selection.matches, wanted.contains
    beyond = _beyond(wanted, scope)
    if beyond is None:
        return
    query = _query(run_id, scope, wanted).where(*beyond)
    if limit is not None and matches is None and contains is None:
        query = query.limit(limit)
    with connection.execute(query.execution_options(yield_per=FETCHED)) as rows:
        for savings, arn, body, facets in rows:
            if _holds(matches, facets) and (contains is None or contains(body)):
                yield Ranked(savings, scope, arn, body)


def _holds(matches: Callable[[Facets], bool] | None, facets: str) -> bool:
    return matches is None or matches(decode_facets(facets))


def _query(run_id: str, scope: Scope, wanted: Wanted) -> Select[Any]:
    table = wanted.table
    columns = (table.c.monthly_savings_usd, table.c.resource_arn, table.c.body, table.c.facets)
    here = [table.c[name] == value for name, value in scope._asdict().items()]
    query = select(*columns).where(
        table.c.run_id == run_id, *here, *restrictions(table, wanted.selection)
    )
    if wanted.selection.arns is not None:
        query = query.where(table.c.resource_arn.in_(wanted.selection.arns))
    return query.order_by(*_sorting(wanted))


def _sorting(wanted: Wanted) -> list[ColumnElement[Any]]:
    table, order = wanted.table, wanted.order
    columns: list[Any] = [table.c.monthly_savings_usd] if order.by_savings else []
    columns.append(table.c.resource_arn)
    return [column.desc() if order.descends else column.asc() for column in columns]


def _beyond(wanted: Wanted, scope: Scope) -> list[ColumnElement[bool]] | None:
    """Return what rows of a scope must fulfil to come after; None where none can."""
    after, order, table = wanted.after, wanted.order, wanted.table
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
