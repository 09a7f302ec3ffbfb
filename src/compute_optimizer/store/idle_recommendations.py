"""Idle recommendations of an account in a Region, of all resource types at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, false, or_, select, tuple_

from compute_optimizer.model.recommendation import IdleRecommendation, RecommendationError
from compute_optimizer.store.facet_holders import Lists, fewest_candidates, stream_candidates
from compute_optimizer.store.recommendations import (
    EVERYTHING,
    MAX_LISTED,
    SCAN_ROWS,
    Selection,
    decode_facets,
    restrictions,
)
from compute_optimizer.store.schema import idle_recommendations as table
from compute_optimizer.store.schema import recommendation_errors, run_scopes
from compute_optimizer.store.search_tables import idle_facet_holders

Runs = Mapping[str, str]
"""Resource type -> the run that is read of it."""


class Order(Enum):
    """By what the recommendations follow each other; equal savings by their ARNs."""

    ARN = "arn"
    SAVINGS = "savings"
    """The smallest first."""
    SAVINGS_DESCENDING = "savings descending"
    DISCOUNTED = "savings after discounts"
    DISCOUNTED_DESCENDING = "savings after discounts descending"


@dataclass(frozen=True, slots=True)
class IdleScope:
    """Whose idle recommendations are read, and from which runs."""

    account_id: str
    region: str
    runs: Runs


@dataclass(frozen=True, slots=True)
class After:
    """The last recommendation of the page before."""

    savings: float
    """By which the order goes."""
    arn: str


def current_runs(
    connection: Connection, account_id: str, region: str, hidden: Collection[str] = ()
) -> dict[str, str]:
    """Return the current run of every resource type of an account in a Region but the hidden."""
    query = select(run_scopes.c.resource_type, run_scopes.c.run_id).where(
        run_scopes.c.account_id == account_id,
        run_scopes.c.region == region,
        run_scopes.c.superseded_at.is_(None),
        run_scopes.c.resource_type.not_in(hidden),
    )
    return {row.resource_type: row.run_id for row in connection.execute(query)}


def read_idle_page(
    connection: Connection,
    place: IdleScope,
    *,
    limit: int,
    order: Order = Order.ARN,
    after: After | None = None,
    selection: Selection = EVERYTHING,
) -> list[IdleRecommendation]:
    """Return up to `limit` recommendations in that order, from the first one beyond `after`.

    `selection.arns` may name ARNs and resource ids.
    """
    wanted = [_of_place(place), *_named(selection.arns), *restrictions(table, selection)]
    wanted += _told(connection, place, selection)
    if after is not None:
        wanted.append(_beyond(order, after))
    columns = (table.c.facets, table.c.body)
    query = select(*columns).where(*wanted).order_by(*_sorting(order))
    if selection.matches is None:
        query = query.limit(limit)
    rows = connection.execute(query.execution_options(yield_per=SCAN_ROWS))
    found: list[bytes] = []
    with rows:
        for facets, body in rows:
            if selection.matches is None or selection.matches(decode_facets(facets)):
                found.append(body)
                if len(found) == limit:
                    break
    return [_DECODE(body) for body in found]


def known_names(connection: Connection, place: IdleScope, names: Sequence[str]) -> set[str]:
    """Return which ARNs and resource ids have an idle recommendation: at most MAX_LISTED."""
    query = select(table.c.resource_arn, table.c.resource_id)
    rows = connection.execute(query.where(_of_place(place), *_named(tuple(names))))
    return {name for row in rows for name in row}


def errors_of(
    connection: Connection, place: IdleScope, arns: Sequence[str]
) -> list[RecommendationError]:
    """Return why listed resources have no recommendation of any kind: at most MAX_LISTED."""
    errors = recommendation_errors
    query = select(errors.c.resource_arn, errors.c.code, errors.c.message).where(
        _of_runs(errors, place), errors.c.resource_arn.in_(arns)
    )
    return [RecommendationError(*row) for row in connection.execute(query)]


_DECODE = msgspec.json.Decoder(IdleRecommendation).decode


def _of_place(place: IdleScope) -> ColumnElement[bool]:
    return _of_runs(table, place)


def _of_runs(of: Any, place: IdleScope) -> ColumnElement[bool]:
    """Return the condition for what each type's run says; mostly that is one run."""
    types: dict[str, list[str]] = defaultdict(list)
    for resource_type, run_id in place.runs.items():
        types[run_id].append(resource_type)
    here = of.c.account_id == place.account_id, of.c.region == place.region
    runs = [
        and_(of.c.run_id == run_id, *here, of.c.resource_type.in_(sorted(names)))
        for run_id, names in sorted(types.items())
    ]
    return or_(*runs) if runs else false()


def _told(
    connection: Connection, place: IdleScope, selection: Selection
) -> list[ColumnElement[bool]]:
    """Return the condition for those of whom lists tell all that is asked, where they are few."""
    if selection.matches is None or selection.arns is not None:
        return []
    lists = Lists(connection, idle_facet_holders, [_of_runs(idle_facet_holders, place)])
    some = fewest_candidates(lists, selection.named)
    if some is None or some.at_least > MAX_LISTED:
        return []
    few = list(islice(stream_candidates(lists, some, after="", tries=0), MAX_LISTED + 1))
    return [table.c.resource_arn.in_(few)] if len(few) <= MAX_LISTED else []


def _named(names: Sequence[str] | None) -> list[ColumnElement[bool]]:
    if names is None:
        return []
    return [or_(table.c.resource_arn.in_(names), table.c.resource_id.in_(names))]


_ASCENDING = {
    Order.SAVINGS: table.c.monthly_savings_usd,
    Order.DISCOUNTED: table.c.monthly_savings_after_discounts_usd,
}
_DESCENDING = {
    Order.SAVINGS_DESCENDING: table.c.monthly_savings_usd,
    Order.DISCOUNTED_DESCENDING: table.c.monthly_savings_after_discounts_usd,
}


def _sorting(order: Order) -> list[ColumnElement[Any]]:
    if order is Order.ARN:
        return [table.c.resource_arn.asc()]
    if order in _ASCENDING:
        return [_ASCENDING[order].asc(), table.c.resource_arn.asc()]
    return [_DESCENDING[order].desc(), table.c.resource_arn.desc()]


def _beyond(order: Order, after: After) -> ColumnElement[bool]:
    if order is Order.ARN:
        return table.c.resource_arn > after.arn
    savings, last = (_ASCENDING | _DESCENDING)[order], tuple_(after.savings, after.arn)
    row = tuple_(savings, table.c.resource_arn)
    return row > last if order in _ASCENDING else row < last
