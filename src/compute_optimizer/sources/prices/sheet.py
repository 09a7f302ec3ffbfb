"""Price sheets of users: a CSV file with a price in each line."""

from datetime import date
from pathlib import Path

from compute_optimizer.catalog.own_prices import EC2, PRODUCTS, OwnPrice, PriceMarket
from compute_optimizer.catalog.rates import RATES
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.written_numbers import number_of
from compute_optimizer.sources.prices.lines import csv_lines

DEFAULTS = {"product": EC2, "platform": "linux"}
"""Columns that may be left out, or empty."""

REQUIRED = ("region", "type")

PRICES = ("usd", "hourly_usd")
"""Names of the column with the price; the second for who has types by the hour only."""

MAX_LINES = 1_000_000
"""Of one sheet: every type of every Region and platform there is are a tenth of it."""


def read_price_sheet(place: str, as_of: date) -> list[OwnPrice]:
    """Return the prices of a sheet, which hold from the given day on.

    Raises InvalidInput that names the line for what is no price; then none counts.
    """
    with csv_lines(place) as lines:
        header = [name.strip().lower() for name in next(lines, [])]
        missing = [name for name in REQUIRED if name not in header]
        missing += [] if set(PRICES) & set(header) else [PRICES[0]]
        if missing:
            raise InvalidInput(
                f"{place}: line 1 has no column {', '.join(missing)}; expected region, type and "
                "usd, and where they matter product and platform"
            )
        found = []
        for number, cells in enumerate(lines, 2):
            if number > MAX_LINES:
                raise InvalidInput(f"{place} has more than {MAX_LINES:,} lines; split it")
            if cells:
                row = DEFAULTS | {n: c.strip() for n, c in zip(header, cells, strict=False) if c}
                found.append(_price(f"{place}, line {number}", row, Path(place).name, as_of))
    return found


def _price(where: str, row: dict[str, str], source: str, as_of: date) -> OwnPrice:
    column = next((name for name in PRICES if row.get(name)), PRICES[0])
    empty = [name for name in (*REQUIRED, column) if not row.get(name)]
    if empty:
        raise InvalidInput(f"{where}: {', '.join(empty)} is empty")
    product = row["product"].lower()
    if product not in PRODUCTS:
        raise InvalidInput(
            f"{where}: product {row['product']!r} is not one of {', '.join(PRODUCTS)}"
        )
    market = PriceMarket(product, row["region"], row["platform"].lower())
    _check_rate(where, market, row["type"])
    return OwnPrice(market, row["type"], _usd(where, column, row[column]), source, as_of)


def _check_rate(where: str, market: PriceMarket, name: str) -> None:
    """Raise InvalidInput for a rate that nothing reads; types need not be known."""
    rates = RATES.get(market.product)
    if rates is None:
        return
    if market.platform not in rates:
        raise InvalidInput(
            f"{where}: platform {market.platform!r} of product {market.product} is not one of "
            f"{', '.join(rates)}"
        )
    if name not in rates[market.platform]:
        raise InvalidInput(
            f"{where}: type {name!r} of {market.product} {market.platform} is not one of the "
            f"rates {', '.join(rates[market.platform])}"
        )


def _usd(where: str, column: str, text: str) -> float:
    price = number_of(text.strip())
    if price is None or price < 0:
        raise InvalidInput(f"{where}: {column} {text!r} is no price; expected USD such as 0.096")
    return price
