"""Prices that stand in the place of the package's own: a newer list, or what somebody pays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EC2, RDS = "ec2", "rds"
"""What has prices by the hour that may be replaced."""

PRODUCTS = (EC2, RDS)


class Market(NamedTuple):
    """Where and as what a type is sold."""

    product: str
    """One of PRODUCTS."""
    region: str
    platform: str
    """Of instances linux, windows, rhel or suse; of databases the engine as the inventory has it,
    such as postgres, in one zone and, of Aurora, with Standard storage."""


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """One price."""

    market: Market
    name: str
    """Of an instance type, or of a class such as db.m5.large."""
    hourly_usd: float
    source: str
    """What people know it by: the name of a list or of a file."""
    date: date


@dataclass(frozen=True, slots=True, eq=False)
class OwnPrices:
    """All of them, by market and then by name."""

    markets: Mapping[Market, Mapping[str, OwnPrice]]

    def of(self, market: Market) -> Mapping[str, OwnPrice]:
        """Return the prices of a market by name; none where there are no own ones."""
        return self.markets.get(market, {})


NO_OWN_PRICES = OwnPrices(MappingProxyType({}))


def own_prices_of(prices: Iterable[OwnPrice]) -> OwnPrices:
    """Return prices as they are looked up; of several for the same thing the last one counts."""
    markets: dict[Market, dict[str, OwnPrice]] = {}
    for one in prices:
        markets.setdefault(one.market, {})[one.name] = one
    return OwnPrices(markets)


def overlaid(
    prices: NDArray[np.float64], index: Mapping[str, int], own: Mapping[str, OwnPrice]
) -> NDArray[np.float64]:
    """Return prices, (types,), with own ones in the place of those of the same name."""
    if not own:
        return prices
    found = prices.copy()
    for name, one in own.items():
        if name in index:
            found[index[name]] = one.hourly_usd
    return found
