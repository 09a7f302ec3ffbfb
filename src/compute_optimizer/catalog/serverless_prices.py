"""List prices of Lambda functions and of Fargate tasks; what has no figure is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import nan

from compute_optimizer.catalog.price_table import PriceFact
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


@cache
def lambda_rates(region: str, architecture: str) -> LambdaRates:
    """Return the rates of a Region; NaN where there is no figure."""
    return LambdaRates(*_figures(LAMBDA_PRICES_FILE, region, architecture))


@cache
def fargate_rates(region: str, platform: str, architecture: str) -> FargateRates:
    """Return the rates of a Region; NaN where there is no figure."""
    return FargateRates(*_figures(FARGATE_PRICES_FILE, region, f"{platform} {architecture}"))


def price_facts_of(file: str, region: str) -> Mapping[str, PriceFact]:
    """Return source, date and quality of every row of a Region, by its name in the table."""
    table = read_table(file)
    kinds = {
        letter: PriceFact(source, date.fromisoformat(day), quality)
        for letter, (source, day, quality) in table["facts"].items()
    }
    rows = table["regions"].get(region, {})
    return {name: kinds[letter] for name, (_, _, letter) in rows.items()}


@cache
def price_date_of(file: str, region: str) -> date | None:
    """Return the date of the oldest figure of a Region; None without figures."""
    return min((fact.date for fact in price_facts_of(file, region).values()), default=None)


def _figures(file: str, region: str, name: str) -> tuple[float, float]:
    row = read_table(file)["regions"].get(region, {}).get(name)
    return (nan, nan) if row is None else (row[0], row[1])
