"""What current runs advise, by the id of the advice and by resource; what a run advises anew."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, case, func, select

from compute_optimizer.model.arn import account_and_region
from compute_optimizer.model.recommendation import IdleRecommendation, Recommendation
from compute_optimizer.resources import type_named
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.decision_tables import decisions
from compute_optimizer.store.decisions import batches_of
from compute_optimizer.store.joins import in_order
from compute_optimizer.store.schema import idle_recommendations, recommendations, run_scopes
from compute_optimizer.store.search_tables import searched_recommendations

TABLES: tuple[Table, ...] = (recommendations, idle_recommendations)


def find_current(connection: Connection, recommendation_id: str) -> Recommendation | None:
    """Return the current recommendation that gives a piece of advice; None where none does."""
    for table in TABLES:
        # An id alone does not tell where it is given: each current scope is asked by the index.
        for row in connection.execute(
            _current(table, table.c.recommendation_id == recommendation_id)
        ):
            return _decoded(table, row)
    return None


def current_on_resources(connection: Connection, arns: Iterable[str]) -> Iterator[Recommendation]:
    """Yield the current recommendations for some resources that advise something."""
    for some in batches_of(arns):
        places = {account_and_region(arn) for arn in some}
        for table in TABLES:
            here = table.c.resource_arn.in_(some), table.c.recommendation_id.is_not(None)
            for account_id, region in sorted(places):
                there = table.c.account_id == account_id, table.c.region == region
                for row in connection.execute(_current(table, *here, *there)):
                    yield _decoded(table, row)


def advised_now(
    connection: Connection, scopes: Collection[Scope], *, idle: bool
) -> tuple[int, float]:
    """Return how many current recommendations of some scopes advise something, and their savings.

    `idle` tells which table is meant: what is idle, or everything else.
    """
    table = idle_recommendations if idle else recommendations
    key = [table.c[name] for name in Scope._fields]
    savings = func.coalesce(func.sum(table.c.monthly_savings_usd), 0.0).label("savings")
    columns = *key, func.count().label("number"), savings
    query = _current(table, table.c.recommendation_id.is_not(None)).with_only_columns(*columns)
    rows = connection.execute(query.group_by(*key)).all()
    here = [row for row in rows if Scope(*row[: len(key)]) in scopes]
    return sum(row.number for row in here), sum(row.savings for row in here)


def savings_now(connection: Connection, ids: Iterable[str]) -> dict[str, float]:
    """Return the monthly savings of decided pieces of advice that are given now, by id."""
    return {row.recommendation_id: row.monthly_savings_usd for row in _decided(connection, ids)}


def advised_in_run(connection: Connection, run_id: str, ids: Iterable[str]) -> set[str]:
    """Return which decided pieces of advice a run gives where it is the current one."""
    return {row.recommendation_id for row in _decided(connection, ids) if row.run_id == run_id}


def advised_anew(
    connection: Connection, run_id: str, scope: Scope, limit: int
) -> tuple[int, float, list[tuple[float, Recommendation]]]:
    """Return how much a run that is about to become current advises anew, and its savings.

    And the largest of it, at most `limit`, each with its savings.
    """
    # Both databases group the rows of both runs once, since the result is asked three times.
    new = _new(connection, run_id, scope).cte("new")
    figures = (
        select(func.count()).select_from(new).scalar_subquery(),
        select(func.sum(new.c.savings)).scalar_subquery(),
    )
    order = new.c.savings.desc(), new.c.resource_arn
    query = select(new.c.recommendation_id, *figures).order_by(*order).limit(limit)
    rows = connection.execute(query).all()
    if not rows:
        return 0, 0.0, []
    _, count, savings = rows[0]
    return count, savings, _given(connection, run_id, scope, [row[0] for row in rows])


def _given(
    connection: Connection, run_id: str, scope: Scope, ids: Collection[str]
) -> list[tuple[float, Recommendation]]:
    """Return what a run gives of some advice, the largest savings first."""
    found: list[tuple[float, Recommendation]] = []
    for table in TABLES:
        columns = table.c.resource_type, table.c.body, table.c.monthly_savings_usd
        here = (table.c[name] == value for name, value in scope._asdict().items())
        query = select(*columns).where(table.c.run_id == run_id, *here)
        # Unordered: for the sake of the order SQLite would go through the whole scope.
        rows = connection.execute(query.where(table.c.recommendation_id.in_(ids))).all()
        found += [(row.monthly_savings_usd, _decoded(table, row)) for row in rows]
    return sorted(found, key=lambda one: (-one[0], one[1].resource_arn))


def _decided(connection: Connection, ids: Iterable[str]) -> Iterator[Any]:
    """Yield what current runs give of some decided advice: its id, run and monthly savings.

    Decisions tell the account, whose current scopes are asked by the index.
    """
    for some in batches_of(ids):
        for table in TABLES:
            advice = table.c.recommendation_id
            query = (
                select(advice, table.c.run_id, table.c.monthly_savings_usd)
                .select_from(in_order(decisions, run_scopes, table))
                .where(
                    decisions.c.recommendation_id.in_(some),
                    # Told twice: before PostgreSQL has statistics it begins with all scopes.
                    advice.in_(some),
                    decisions.c.account_id == run_scopes.c.account_id,
                    *_of_current_scopes(table),
                    advice == decisions.c.recommendation_id,
                )
            )
            yield from connection.execute(query)


def _current(table: Table, *wanted: ColumnElement[bool]) -> Any:
    """Return the query of rows of current runs."""
    columns = table.c.resource_type, table.c.body
    current = select(*columns).select_from(in_order(run_scopes, table))
    return current.where(*_of_current_scopes(table), *wanted)


def _of_current_scopes(table: Table) -> list[ColumnElement[bool]]:
    same = [table.c[name] == run_scopes.c[name] for name in ("run_id", *Scope._fields)]
    return [run_scopes.c.superseded_at.is_(None), *same]


def _new(connection: Connection, run_id: str, scope: Scope) -> Select[Any]:
    """Return the query of advice that the scope's current run does not give, and its savings.

    Short rows of both runs are put together by the id, which names the resource too: looking for
    each row in the run before would read its body.
    """
    table, runs = searched_recommendations, (run_id, current_run(connection, scope) or run_id)
    advice, arn = table.c.recommendation_id, table.c.resource_arn
    return (
        select(
            advice,
            func.max(arn).label("resource_arn"),
            func.max(table.c.monthly_savings_usd).label("savings"),
        )
        .where(
            table.c.run_id.in_(runs),
            *(table.c[name] == value for name, value in scope._asdict().items()),
            advice.is_not(None),
        )
        .group_by(advice)
        .having(func.sum(case((table.c.run_id == run_id, 0), else_=1)) == 0)
    )


def _decoded(table: Table, row: Any) -> Recommendation:
    if table is idle_recommendations:
        return msgspec.json.decode(row.body, type=IdleRecommendation)
    kind = type_named(row.resource_type)
    assert kind is not None, f"no resource type {row.resource_type}"
    found: Recommendation = msgspec.json.decode(row.body, type=kind.recommendation)
    return found
