"""On-demand list prices of DB instances by the hour, and of their storage by the month.

A Region, engine or class without a figure is unknown: nothing is extrapolated. Only Multi-AZ is
derived, for its standby is a second instance (Amazon RDS pricing).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from compute_optimizer.catalog.database_classes import DatabaseClasses
from compute_optimizer.catalog.database_storage import AURORA_RATES_REGION, aurora_rates
from compute_optimizer.catalog.own_prices import (
    NO_OWN_PRICES,
    RDS,
    RDS_STORAGE,
    OwnPrices,
    PriceMarket,
    overlaid,
)
from compute_optimizer.catalog.rates import GIB, IOPS, MIBPS, MILLION_IO, own_over
from compute_optimizer.catalog.tables import read_table
from compute_optimizer.catalog.volume_types import Figures
from compute_optimizer.model.database import AURORA_IO_OPTIMIZED

DATABASE_PRICES_FILE = "database_prices.json.gz"

SINGLE_AZ, MULTI_AZ, AURORA = "single-az", "multi-az", "aurora"
"""Deployments as the figures name them."""

STANDBYS = 1
"""Of a Multi-AZ DB instance: it costs as much again. The two published Multi-AZ figures are twice
those of one zone, to a tenth of a cent."""

ENGINE_NAMES = {"postgres": "postgresql"}
"""Engines that the figures name otherwise than RDS does."""


@dataclass(frozen=True, slots=True)
class StorageRates:
    """What storage of one type and deployment costs a month; NaN without a figure."""

    gib: float
    iops: float
    """Beyond what the storage includes."""
    mibps: float
    """Beyond what the storage includes; the package ships no figure."""


@dataclass(frozen=True, slots=True)
class AuroraStorageRates:
    """What the storage of an Aurora cluster costs; NaN without a figure."""

    gib: float
    """USD a month."""
    million_io: float
    """USD."""


def hourly_database_prices(
    classes: DatabaseClasses, region: str, engine: str, *, multi_az: bool, storage: str = ""
) -> Figures:
    """Return USD per hour on demand, (classes,); NaN without a figure or support.

    Of Aurora the `storage` of the cluster counts too: with I/O-Optimized an instance costs more.
    """
    types = classes.types
    usd = {name: found[0] for name, found in _figures(region, engine).items()}
    shipped = np.array([usd.get(name, np.nan) for name in types.names])
    prices = overlaid(shipped, types.index, types.own_prices.of(PriceMarket(RDS, region, engine)))
    whole = prices * (1 + STANDBYS) if multi_az else prices
    whole = whole * aurora_rates().instance_factor.get(storage, 1.0)
    return np.where(classes.supported(engine), whole, np.nan)


def storage_rates(
    region: str, storage_type: str, *, multi_az: bool, own: OwnPrices = NO_OWN_PRICES
) -> StorageRates:
    """Return what a type of storage costs in a Region."""
    deployment = MULTI_AZ if multi_az else SINGLE_AZ
    table = _table()["storage"].get(region, {}).get(deployment, {}).get(storage_type, {})
    shipped = {name: usd for name, (usd, _) in table.items()}
    rates = own_over(shipped, own, PriceMarket(RDS_STORAGE, region, f"{deployment} {storage_type}"))
    return StorageRates(*(rates.get(name, np.nan) for name in (GIB, IOPS, MIBPS)))


def aurora_storage_rates(
    region: str, storage_type: str, own: OwnPrices = NO_OWN_PRICES
) -> AuroraStorageRates:
    """Return what the storage of a cluster costs in a Region.

    With I/O-Optimized no I/O is paid (Amazon Aurora pricing), so its rate is no figure of a Region.
    """
    table, shipped = aurora_rates(), {}
    if region == AURORA_RATES_REGION:
        shipped = {GIB: table.gib[storage_type], MILLION_IO: table.million_io[storage_type]}
    elif storage_type == AURORA_IO_OPTIMIZED:
        shipped = {MILLION_IO: 0.0}
    rates = own_over(shipped, own, PriceMarket(RDS_STORAGE, region, storage_type))
    return AuroraStorageRates(*(rates.get(name, np.nan) for name in (GIB, MILLION_IO)))


def database_price_date(classes: DatabaseClasses, region: str, engine: str) -> date | None:
    """Return the date of the oldest figure of a Region and engine; None without figures.

    Where there are own prices of instances or of storage, theirs: those that the package ships
    fill gaps only.
    """
    own = classes.types.own_prices
    instances = own.oldest(RDS, region, None, platform=engine)
    storage = own.oldest(RDS_STORAGE, region, None)
    dates = [one for one in (instances, storage) if one is not None]
    return min(dates, default=_shipped_price_date(region, engine))


@cache
def _shipped_price_date(region: str, engine: str) -> date | None:
    letters = {letter for _, letter in _figures(region, engine).values()}
    if engine.startswith(AURORA):
        storage = {aurora_rates().date} if region == AURORA_RATES_REGION else set()
    else:
        priced = _table()["storage"].get(region, {})
        letters |= {r[1] for kinds in priced.values() for k in kinds.values() for r in k.values()}
        storage = set()
    dates = {date.fromisoformat(_table()["facts"][letter][1]) for letter in letters}
    return min(dates | storage, default=None)


def _figures(region: str, engine: str) -> Mapping[str, tuple[float, str]]:
    """Return price and the letter of its source by class."""
    name = ENGINE_NAMES.get(engine, engine)
    found: Mapping[str, tuple[float, str]] = _table()["instances"].get(region, {}).get(name, {})
    return found


def _table() -> Mapping[str, Any]:
    return read_table(DATABASE_PRICES_FILE)
