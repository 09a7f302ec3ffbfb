"""What a run counted, read as totals: a shard wrote a handful of rows, a total is their sum."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Subquery, and_, func, select

from compute_optimizer.model.tally import Tally, Topic
from compute_optimizer.store.schema import run_scopes
from compute_optimizer.store.schema import run_summaries as table


def current_tallies(
    connection: Connection, account_id: str | None = None, region: str | None = None
) -> dict[str, tuple[Tally, ...]]:
    """Return every count of the current runs, by resource type.

    `account_id` and `region` restrict them; None takes all.
    """
    given = ((run_scopes.c.account_id, account_id), (run_scopes.c.region, region))
    wanted = [column == value for column, value in given if value is not None]
    shared = ("run_id", "account_id", "region", "resource_type")
    joined = and_(*(table.c[name] == run_scopes.c[name] for name in shared))
    key = table.c.resource_type, table.c.topic, table.c.name
    sums = [
        func.sum(column)
        for column in (table.c.resources, table.c.monthly_savings_usd, table.c.monthly_usd)
    ]
    query = (
        select(*key, *sums)
        .select_from(run_scopes.join(table, joined))
        .where(*wanted, run_scopes.c.superseded_at.is_(None))
        .group_by(*key)
        .order_by(*key)
    )
    found: dict[str, list[Tally]] = {}
    for resource_type, topic, name, count, savings, cost in connection.execute(query):
        one = Tally(Topic(topic), name, int(count), savings, cost)
        found.setdefault(resource_type, []).append(one)
    return {name: tuple(tallies) for name, tallies in found.items()}


@dataclass(frozen=True, slots=True)
class Counted:
    """A count, with the values of the columns by which it was told apart."""

    of: tuple[str, ...]
    tally: Tally


def current_totals(
    connection: Connection, accounts: Collection[str], by: Sequence[str]
) -> list[Counted]:
    """Return the counts of the current runs of some accounts, told apart by columns.

    `by` names columns of run_scopes, such as resource_type.
    """
    scopes = select(run_scopes).where(run_scopes.c.superseded_at.is_(None))
    return _totals(connection, scopes.subquery(), accounts, by)


def former_totals(
    connection: Connection, accounts: Collection[str], by: Sequence[str]
) -> tuple[datetime | None, list[Counted]]:
    """Return the same of the runs before the current ones, as far as they are still kept, and when
    the first of them was superseded; scopes that were analyzed once only have none."""
    newest = func.row_number().over(
        partition_by=[run_scopes.c[name] for name in ("account_id", "region", "resource_type")],
        order_by=run_scopes.c.superseded_at.desc(),
    )
    old = select(run_scopes, newest.label("age")).where(run_scopes.c.superseded_at.is_not(None))
    numbered = old.subquery()
    scopes = select(numbered).where(numbered.c.age == 1).subquery()
    since = select(func.min(scopes.c.superseded_at)).where(scopes.c.account_id.in_(accounts))
    return connection.scalar(since), _totals(connection, scopes, accounts, by)


def _totals(
    connection: Connection, scopes: Subquery, accounts: Collection[str], by: Sequence[str]
) -> list[Counted]:
    shared = ("run_id", "account_id", "region", "resource_type")
    joined: ColumnElement[bool] = and_(*(table.c[name] == scopes.c[name] for name in shared))
    apart: list[ColumnElement[str]] = [scopes.c[name] for name in by]
    key = (*apart, table.c.topic, table.c.name)
    summed = (table.c.resources, table.c.monthly_savings_usd, table.c.monthly_usd)
    query = (
        select(*key, *(func.sum(column) for column in summed))
        .select_from(scopes.join(table, joined))
        .where(scopes.c.account_id.in_(accounts))
        .group_by(*key)
        .order_by(*key)
    )
    places = len(by)
    return [
        Counted(
            tuple(row[:places]),
            Tally(Topic(row[places]), row[places + 1], int(row[-3]), row[-2], row[-1]),
        )
        for row in connection.execute(query)
    ]
