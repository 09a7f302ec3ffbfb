"""Own prices, as the state keeps them: lists that were loaded, and sheets on top of them.

What a layer has for a market is kept by the day from which it holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from compute_optimizer.catalog.own_prices import OwnPrice, OwnPrices, PriceMarket, own_prices_of
from compute_optimizer.store.schema import dated_prices as table

WRITTEN_AT_ONCE = 10_000
"""Rows of one statement; a Region of EC2 has some 3,000."""


class Layer(StrEnum):
    """Where prices come from; those of later layers count before those of earlier ones."""

    LIST = "list"
    SHEET = "sheet"


@dataclass(frozen=True, slots=True)
class PriceGroup:
    """The prices of one layer and market that hold from the same day, told by their number."""

    layer: str
    market: PriceMarket
    date: date
    prices: int
    source: str


def replace_prices(connection: Connection, layer: Layer, prices: Sequence[OwnPrice]) -> None:
    """Store prices, in the place of what the layer had for the same markets from the same day.

    Of several for the same thing the last one counts.
    """
    for market, day in {(one.market, one.date) for one in prices}:
        connection.execute(delete(table).where(table.c.layer == layer, *_of(market, day)))
    told = list({(one.market, one.date, one.name): one for one in prices}.values())
    for first in range(0, len(told), WRITTEN_AT_ONCE):
        rows = [_row(layer, one) for one in told[first : first + WRITTEN_AT_ONCE]]
        connection.execute(insert(table), rows)


def remove_prices(
    connection: Connection, layers: Iterable[Layer], before: date | None = None
) -> int:
    """Remove whole layers, or what of them held before a day only; return how many prices.

    What holds on that day stays: the newest of each market from before it.
    """
    names = [layer.value for layer in layers]
    if before is None:
        return connection.execute(delete(table).where(table.c.layer.in_(names))).rowcount
    stays = {
        (one.layer, one.market): one.date for one in _holding(price_groups(connection), before)
    }
    gone = [
        one
        for one in price_groups(connection)
        if one.layer in names and one.date < stays[one.layer, one.market]
    ]
    return sum(
        connection.execute(
            delete(table).where(table.c.layer == one.layer, *_of(one.market, one.date))
        ).rowcount
        for one in gone
    )


def own_prices(connection: Connection, day: date) -> OwnPrices:
    """Return every price that counts on a day before those that the package ships.

    What holds by then counts before what holds from later on, which fills gaps only.
    """
    order = [layer.value for layer in Layer]
    groups = _holding(price_groups(connection), day)
    groups.sort(key=lambda one: (one.date <= day, order.index(one.layer)))
    return own_prices_of(price for one in groups for price in _prices(connection, one))


def price_groups(connection: Connection) -> list[PriceGroup]:
    """Return what there is, by layer, market and day."""
    place = table.c.layer, table.c.product, table.c.region, table.c.platform, table.c.date
    query = select(*place, func.count(), func.max(table.c.source))
    rows = connection.execute(query.group_by(*place).order_by(*place))
    return [
        PriceGroup(layer, PriceMarket(product, region, platform), day, count, source)
        for layer, product, region, platform, day, count, source in rows
    ]


def _holding(groups: Iterable[PriceGroup], day: date) -> list[PriceGroup]:
    """Return of each layer and market the newest that holds on a day, else the oldest.

    The groups of a market follow each other, the oldest first.
    """
    found = []
    for _, same in groupby(groups, key=lambda one: (one.layer, one.market)):
        first, *later = same
        found.append(([first, *(one for one in later if one.date <= day)])[-1])
    return found


def _prices(connection: Connection, group: PriceGroup) -> list[OwnPrice]:
    query = select(table.c.name, table.c.usd, table.c.source)
    rows = connection.execute(
        query.where(table.c.layer == group.layer, *_of(group.market, group.date))
    )
    return [OwnPrice(group.market, name, usd, source, group.date) for name, usd, source in rows]


def _row(layer: Layer, one: OwnPrice) -> dict[str, object]:
    return {
        "layer": layer,
        **one.market._asdict(),
        "date": one.date,
        "name": one.name,
        "usd": one.usd,
        "source": one.source,
    }


def _of(market: PriceMarket, day: date) -> list[ColumnElement[bool]]:
    return [
        *(table.c[name] == value for name, value in market._asdict().items()),
        table.c.date == day,
    ]
