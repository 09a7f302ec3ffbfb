"""Prices that stand in the place of the package's own: a newer list, or what somebody pays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

C = TypeVar("C")

EC2, RDS = "ec2", "rds"
"""What has prices by the hour of a type."""

EBS, LAMBDA, FARGATE, VPC, RDS_STORAGE = "ebs", "lambda", "fargate", "vpc", "rds-storage"
"""What has rates (`catalog.rates`)."""

PRODUCTS = (EC2, RDS, EBS, LAMBDA, FARGATE, VPC, RDS_STORAGE)


class PriceMarket(NamedTuple):
    """Where and as what a type is sold."""

    product: str
    """One of PRODUCTS."""
    region: str
    platform: str
    """Of instances linux, windows, rhel or suse; of databases the engine as the inventory has it,
    such as postgres, in one zone and, of Aurora, with Standard storage; of what has rates, what
    they are for, such as gp3."""


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """One price."""

    market: PriceMarket
    name: str
    """Of an instance type, of a class such as db.m5.large, or of a rate such as gib."""
    usd: float
    """An hour of a type; of a rate, what `catalog.rates` says."""
    source: str
    """What people know it by: the name of a list or of a file."""
    date: date
    """From which it holds."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnPrices:
    """All of them, by market and then by name."""

    markets: Mapping[PriceMarket, Mapping[str, OwnPrice]]
    dates: Mapping[tuple[str, str, str | None], date] = field(default_factory=dict)
    """The oldest by product, Region and platform, and by product and Region alone."""

    def of(self, market: PriceMarket) -> Mapping[str, OwnPrice]:
        """Return the prices of a market by name; none where there are no own ones."""
        return self.markets.get(market, {})

    def oldest(
        self, product: str, region: str, shipped: date | None, *, platform: str | None = None
    ) -> date | None:
        """Return the oldest date of a Region's own prices, all or of one platform.

        Where there are none, that of those that the package ships: else these fill gaps only.
        """
        return self.dates.get((product, region, platform), shipped)


NO_OWN_PRICES = OwnPrices(MappingProxyType({}))


def own_prices_of(prices: Iterable[OwnPrice]) -> OwnPrices:
    """Return prices as they are looked up; of several for the same thing the last one counts."""
    markets: dict[PriceMarket, dict[str, OwnPrice]] = {}
    for one in prices:
        markets.setdefault(one.market, {})[one.name] = one
    dates: dict[tuple[str, str, str | None], date] = {}
    for market, found in markets.items():
        oldest = min(one.date for one in found.values())
        whole = market.product, market.region, None
        dates[market] = oldest
        dates[whole] = min(oldest, dates.get(whole, oldest))
    return OwnPrices(markets, dates)


def with_own_prices(catalog: C, own: OwnPrices) -> C:
    """Return a catalog, whose member is `own_prices`, in which these count before shipped ones."""
    found: C = replace(cast(Any, catalog), own_prices=own)
    return found


def overlaid(
    prices: NDArray[np.float64], index: Mapping[str, int], own: Mapping[str, OwnPrice]
) -> NDArray[np.float64]:
    """Return prices, (types,), with own ones in the place of those of the same name."""
    if not own:
        return prices
    found = prices.copy()
    for name, one in own.items():
        if name in index:
            found[index[name]] = one.usd
    return found
