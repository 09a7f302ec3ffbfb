"""List prices of EBS volumes a month, by Region and type; what has no figure is unknown.

A price has up to four rates: storage, IOPS and throughput beyond what the storage includes, and
operations. A volume that uses a rate without a figure has no price; nothing is extrapolated.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from compute_optimizer.catalog.own_prices import EBS, NO_OWN_PRICES, OwnPrices, PriceMarket
from compute_optimizer.catalog.price_table import PriceFact
from compute_optimizer.catalog.rates import GIB, IOPS, MIBPS, MILLION_OPERATIONS, own_over
from compute_optimizer.catalog.tables import read_table
from compute_optimizer.catalog.volume_types import Figures, VolumeType

VOLUME_PRICES_FILE = "volume_prices.json"

FREE_IOPS = {"gp3": 3_000}
"""IOPS that the price of the storage includes (Amazon EBS pricing); the others include none."""

FIRST_TIER_IOPS = {"io2": 32_000}
"""IOPS to which the rate holds; of the cheaper tiers beyond there is no figure."""

MILLION = 1e6


def monthly_prices(
    kind: VolumeType,
    region: str,
    *,
    gib: Figures,
    iops: Figures,
    throughput: Figures,
    monthly_operations: Figures,
    own: OwnPrices = NO_OWN_PRICES,
) -> Figures:
    """Return USD a month for volumes of one type, (volumes,); NaN where a figure is missing."""
    shipped = _rates(region).get(kind.name, {})
    rates = own_over(shipped, own, PriceMarket(EBS, region, kind.name))
    if GIB not in rates:
        return np.full(gib.shape, np.nan)
    price = gib * rates[GIB]
    if kind.provisioned_iops:
        price = price + _beyond(iops, FREE_IOPS.get(kind.name, 0), rates.get(IOPS))
    if kind.provisioned_throughput:
        free = kind.provisioned_throughput.included
        price = price + _beyond(throughput, free, rates.get(MIBPS))
    if MILLION_OPERATIONS in rates:
        price = price + monthly_operations / MILLION * rates[MILLION_OPERATIONS]
    priced = iops <= FIRST_TIER_IOPS.get(kind.name, np.inf)
    found: Figures = np.where(priced, price, np.nan)
    return found


def volume_price_facts(region: str) -> Mapping[str, Mapping[str, PriceFact]]:
    """Return source, date and quality of every rate of a Region, by volume type and rate."""
    kinds = {
        letter: PriceFact(source, date.fromisoformat(day), quality)
        for letter, (source, day, quality) in _table()["facts"].items()
    }
    prices = _table()["regions"].get(region, {})
    return {
        name: {rate: kinds[letter] for rate, (_, letter) in rates.items()}
        for name, rates in prices.items()
    }


def volume_price_date(region: str, own: OwnPrices = NO_OWN_PRICES) -> date | None:
    """Return the date of the oldest figure of a Region, own or shipped; None without figures."""
    return own.oldest(EBS, region, _shipped_date(region))


@cache
def _shipped_date(region: str) -> date | None:
    facts = volume_price_facts(region).values()
    return min((fact.date for rates in facts for fact in rates.values()), default=None)


def _beyond(value: Figures, free: float, rate: float | None) -> Figures:
    """Return what is paid beyond the free part: NaN where something is and has no figure."""
    paid = np.maximum(value - free, 0.0)
    cost: Figures = np.where(paid > 0, paid * (np.nan if rate is None else rate), 0.0)
    return cost


@cache
def _rates(region: str) -> dict[str, dict[str, float]]:
    prices = _table()["regions"].get(region, {})
    return {name: {rate: usd for rate, (usd, _) in rates.items()} for name, rates in prices.items()}


def _table() -> Mapping[str, Any]:
    return read_table(VOLUME_PRICES_FILE)
