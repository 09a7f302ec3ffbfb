"""List prices of Lambda functions and of Fargate tasks; what has no figure is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import nan

from compute_optimizer.catalog.own_prices import (
    FARGATE,
    LAMBDA,
    NO_OWN_PRICES,
    OwnPrices,
    PriceMarket,
)
from compute_optimizer.catalog.price_table import PriceFact
from compute_optimizer.catalog.rates import GB_HOUR, GB_SECOND, REQUEST, VCPU_HOUR, own_over
from compute_optimizer.catalog.tables import read_table

LAMBDA_PRICES_FILE = "lambda_prices.json"
FARGATE_PRICES_FILE = "fargate_prices.json"


@dataclass(frozen=True, slots=True)
class LambdaRates:
    """What a function of one instruction set costs, in the first tier of the price list."""

    gb_second: float
    """USD for 1,024 MB over a second; NaN where unknown."""
    request: float
    """USD; NaN where unknown."""


@dataclass(frozen=True, slots=True)
class FargateRates:
    """What a task of one platform and instruction set costs."""

    vcpu_hour: float
    """USD for 1,024 CPU units, with the licence of Windows; NaN where unknown."""
    gb_hour: float
    """USD for 1,024 MiB; NaN where unknown."""


def lambda_rates(region: str, architecture: str, own: OwnPrices = NO_OWN_PRICES) -> LambdaRates:
    """Return the rates of a Region; NaN where there is no figure."""
    shipped = _figures(LAMBDA_PRICES_FILE, (GB_SECOND, REQUEST), region, architecture)
    rates = own_over(shipped, own, PriceMarket(LAMBDA, region, architecture))
    return LambdaRates(rates[GB_SECOND], rates[REQUEST])


def fargate_rates(
    region: str, platform: str, architecture: str, own: OwnPrices = NO_OWN_PRICES
) -> FargateRates:
    """Return the rates of a Region; NaN where there is no figure."""
    name = f"{platform} {architecture}"
    shipped = _figures(FARGATE_PRICES_FILE, (VCPU_HOUR, GB_HOUR), region, name)
    rates = own_over(shipped, own, PriceMarket(FARGATE, region, name))
    return FargateRates(rates[VCPU_HOUR], rates[GB_HOUR])


def price_facts_of(file: str, region: str) -> Mapping[str, PriceFact]:
    """Return source, date and quality of every row of a Region, by its name in the table."""
    table = read_table(file)
    kinds = {
        letter: PriceFact(source, date.fromisoformat(day), quality)
        for letter, (source, day, quality) in table["facts"].items()
    }
    rows = table["regions"].get(region, {})
    return {name: kinds[letter] for name, (_, _, letter) in rows.items()}


def lambda_price_date(region: str, own: OwnPrices = NO_OWN_PRICES) -> date | None:
    """Return the date of the oldest figure of a Region, own or shipped; None without figures."""
    return own.oldest(LAMBDA, region, price_date_of(LAMBDA_PRICES_FILE, region))


def fargate_price_date(region: str, own: OwnPrices = NO_OWN_PRICES) -> date | None:
    """Return the same of Fargate."""
    return own.oldest(FARGATE, region, price_date_of(FARGATE_PRICES_FILE, region))


@cache
def price_date_of(file: str, region: str) -> date | None:
    """Return the date of the oldest shipped figure of a Region; None without figures."""
    return min((fact.date for fact in price_facts_of(file, region).values()), default=None)


@cache
def _figures(file: str, rates: tuple[str, ...], region: str, name: str) -> Mapping[str, float]:
    """Return the shipped rates by name, in the order in which the file has them."""
    row = read_table(file)["regions"].get(region, {}).get(name, (nan,) * len(rates))
    return dict(zip(rates, row, strict=False))
