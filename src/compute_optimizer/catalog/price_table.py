"""The package's own dated table of list prices, and the law that it is written in.

A Linux price in us-east-1 is the family's rate times the size's units, elsewhere times the
Region's ratio for the family; types that break the law stand in the table one by one. Other
platforms add a surcharge. A Region, platform or type without figures is unknown, never guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

from compute_optimizer.catalog.size_law import family_of, normalised_units
from compute_optimizer.catalog.tables import read_table

PRICES_FILE = "prices.json.gz"

HOME_REGION = "us-east-1"
"""The Region whose prices the rates describe."""

LINUX = "linux"
PLATFORMS = (LINUX, "windows", "rhel", "suse")

NO_FIGURE = "."
"""Stands in the table for a type without a figure."""

EXACT = "exact"
"""The quality of a figure that stands on a public list itself."""


@dataclass(frozen=True, slots=True)
class PriceFact:
    """Where one price comes from."""

    source: str
    date: date
    quality: str
    """exact: on the public list; exact-dated: on a list of 2023; derived: from the family's other
    sizes or Regions, or a virtual size for bare metal; derived-ancestor: by a related family."""


def priced_regions() -> tuple[str, ...]:
    """Return the Regions with figures, sorted."""
    return tuple(sorted(price_table()["regions"]))


def price_table() -> Mapping[str, Any]:
    """Return the content of the data file."""
    return read_table(PRICES_FILE)


@cache
def _fact_kinds() -> Mapping[str, PriceFact]:
    """Return the facts that the table's letters stand for."""
    return {
        letter: PriceFact(source, date.fromisoformat(day), quality)
        for letter, (source, day, quality) in price_table()["facts"].items()
    }


@cache
def facts_of(region: str, platform: str) -> Mapping[str, PriceFact]:
    """Return the facts of every type that has a figure."""
    table = price_table()
    group = table["regions"] if platform == LINUX else table["platforms"].get(platform, {})
    kinds = _fact_kinds()
    letters: str = group.get(region, {}).get("figures", "")
    pairs = zip(table["types"], letters, strict=False)
    return MappingProxyType({name: kinds[key] for name, key in pairs if key != NO_FIGURE})


@cache
def _home_prices() -> Mapping[str, float]:
    """Return the Linux prices of us-east-1: the law, then what breaks it."""
    table = price_table()
    listed: dict[str, float] = table["prices"]
    return law_prices(table["types"], table["rates"]) | listed


@cache
def linux_prices(region: str) -> Mapping[str, float]:
    """Return the Linux prices of the types that have a figure in the Region."""
    figures = facts_of(region, LINUX)
    if not figures:
        return {}
    group = price_table()["regions"][region]
    ratios: Mapping[str, float] = group["ratios"]
    listed: Mapping[str, float] = group["prices"]
    home = _home_prices()
    prices = {
        name: listed[name] if name in listed else home[name] * ratios.get(family_of(name), 1.0)
        for name in figures
    }
    return MappingProxyType(prices)


def law_prices(types: Iterable[str], rates: Mapping[str, float]) -> dict[str, float]:
    """Return rate times units for every type whose family and size are known."""
    return {
        name: rates[family_of(name)] * units
        for name, units in normalised_units(types).items()
        if family_of(name) in rates
    }
