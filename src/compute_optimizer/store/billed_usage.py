"""Billed usage, as the state keeps it: one import replaces all of an account's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date

from sqlalchemy import Connection, delete, func, insert, select

from compute_optimizer.catalog.effective_rates import (
    AccountRates,
    Billed,
    BilledUsage,
    rates_by_account,
)
from compute_optimizer.catalog.own_prices import PriceMarket
from compute_optimizer.store.schema import billed_usage as table

WRITTEN_AT_ONCE = 5_000
"""Rows of one statement; an account has one for each type that it runs."""


@dataclass(frozen=True, slots=True)
class BilledGroup:
    """What one account was billed for one product."""

    account_id: str
    product: str
    rates: int
    """Types and Regions that are told apart."""
    billed: Billed
    first_day: date
    last_day: date


def replace_usage(connection: Connection, usage: Sequence[BilledUsage]) -> None:
    """Store usage, in the place of whatever there was of the same accounts."""
    for account_id in {one.account_id for one in usage}:
        connection.execute(delete(table).where(table.c.account_id == account_id))
    for first in range(0, len(usage), WRITTEN_AT_ONCE):
        rows = [_row(one) for one in usage[first : first + WRITTEN_AT_ONCE]]
        connection.execute(insert(table), rows)


def remove_usage(connection: Connection) -> int:
    """Remove all of it and return how many rates there were."""
    return connection.execute(delete(table)).rowcount


def effective_rates(connection: Connection) -> Mapping[str, AccountRates]:
    """Return the rates of every account that has any."""
    return rates_by_account(
        BilledUsage(
            row["account_id"],
            PriceMarket(row["product"], row["region"], row["platform"]),
            row["name"],
            Billed(*(row[one.name] for one in fields(Billed))),
            row["first_day"],
            row["last_day"],
        )
        for row in connection.execute(select(table)).mappings()
    )


def billed_groups(connection: Connection) -> list[BilledGroup]:
    """Return what there is, by account and product."""
    of = table.c.account_id, table.c.product
    sums = [func.sum(table.c[one.name]) for one in fields(Billed)]
    query = select(*of, func.count(), func.min(table.c.first_day), func.max(table.c.last_day))
    rows = connection.execute(query.add_columns(*sums).group_by(*of).order_by(*of))
    return [
        BilledGroup(account_id, product, rates, Billed(*totals), first, last)
        for account_id, product, rates, first, last, *totals in rows
    ]


def _row(one: BilledUsage) -> dict[str, object]:
    return {
        "account_id": one.account_id,
        **one.market._asdict(),
        "name": one.name,
        **asdict(one.billed),
        "first_day": one.first_day,
        "last_day": one.last_day,
    }
