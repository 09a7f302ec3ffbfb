"""Own prices, as the state keeps them: lists that were loaded, and sheets on top of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from compute_optimizer.catalog.own_prices import Market, OwnPrice, OwnPrices, own_prices_of
from compute_optimizer.store.schema import own_prices as table

WRITTEN_AT_ONCE = 10_000
"""Rows of one statement; a Region of EC2 has some 3,000."""


class Layer(StrEnum):
    """Where prices come from; those of later layers count before those of earlier ones."""

    LIST = "list"
    SHEET = "sheet"


@dataclass(frozen=True, slots=True)
class PriceGroup:
    """The prices of one layer and market, told by their number."""

    layer: str
    market: Market
    prices: int
    oldest: date
    source: str


def replace_prices(connection: Connection, layer: Layer, prices: Sequence[OwnPrice]) -> None:
    """Store prices, in the place of whatever the layer had for the same markets."""
    for market in {one.market for one in prices}:
        connection.execute(delete(table).where(table.c.layer == layer, *_of(market)))
    for first in range(0, len(prices), WRITTEN_AT_ONCE):
        rows = [_row(layer, one) for one in prices[first : first + WRITTEN_AT_ONCE]]
        connection.execute(insert(table), rows)


def remove_prices(connection: Connection, layers: Iterable[Layer]) -> int:
    """Remove whole layers and return how many prices they had."""
    return connection.execute(delete(table).where(table.c.layer.in_(list(layers)))).rowcount


def own_prices(connection: Connection) -> OwnPrices:
    """Return every price that counts before those that the package ships."""
    order = {layer.value: place for place, layer in enumerate(Layer)}
    rows = connection.execute(select(table)).mappings().all()
    return own_prices_of(
        OwnPrice(
            Market(row["product"], row["region"], row["platform"]),
            row["name"],
            row["hourly_usd"],
            row["source"],
            row["date"],
        )
        for row in sorted(rows, key=lambda row: order[row["layer"]])
    )


def price_groups(connection: Connection) -> list[PriceGroup]:
    """Return what there is, by layer and market."""
    place = table.c.layer, table.c.product, table.c.region, table.c.platform
    query = select(*place, func.count(), func.min(table.c.date), func.max(table.c.source))
    rows = connection.execute(query.group_by(*place).order_by(*place))
    return [
        PriceGroup(layer, Market(product, region, platform), count, oldest, source)
        for layer, product, region, platform, count, oldest, source in rows
    ]


def _row(layer: Layer, one: OwnPrice) -> dict[str, object]:
    return {
        "layer": layer,
        **one.market._asdict(),
        "name": one.name,
        "hourly_usd": one.hourly_usd,
        "source": one.source,
        "date": one.date,
    }


def _of(market: Market) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in market._asdict().items()]
