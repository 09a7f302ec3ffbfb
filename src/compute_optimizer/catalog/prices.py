"""On-demand list prices per hour, as arrays in the order of the instance types."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog.instance_types import InstanceTypes
from compute_optimizer.catalog.own_prices import EC2, PriceMarket, overlaid
from compute_optimizer.catalog.price_table import (
    LINUX,
    facts_of,
    linux_prices,
    price_table,
)


def hourly_prices(types: InstanceTypes, region: str, platform: str) -> NDArray[np.float64]:
    """Return USD per hour on demand, shape (types,); NaN where there is no figure.

    Own prices of the catalog count before those that the package ships.
    """
    own = types.own_prices.of(PriceMarket(EC2, region, platform))
    return overlaid(_shipped_prices(types, region, platform), types.index, own)


def _shipped_prices(types: InstanceTypes, region: str, platform: str) -> NDArray[np.float64]:
    linux = linux_prices(region)
    prices = np.array([linux.get(name, np.nan) for name in types.names])
    if platform == LINUX:
        return prices
    facts = facts_of(region, platform)
    known = np.array([name in facts for name in types.names])
    if not known.any():
        return np.full(len(types.names), np.nan)
    return np.where(known, prices + _surcharges(types, region, platform), np.nan)


def price_date(types: InstanceTypes, region: str, platform: str) -> date | None:
    """Return the date of the oldest figure of a Region and platform; None without figures.

    Where there are own prices, theirs: those that the package ships fill gaps only.
    """
    shipped = min((one.date for one in facts_of(region, platform).values()), default=None)
    return types.own_prices.oldest(EC2, region, shipped, platform=platform)


def _surcharges(types: InstanceTypes, region: str, platform: str) -> NDArray[np.float64]:
    """Return what a platform costs above Linux in USD per hour, shape (types,)."""
    group = price_table()["platforms"][platform][region]
    surcharges = law_surcharge(types.vcpus, group["steps"])
    for name, surcharge in group["surcharges"].items():
        if name in types.index:
            surcharges[types.index[name]] = surcharge
    return surcharges


def law_surcharge(
    vcpus: NDArray[np.float64], steps: Sequence[tuple[float, float, float]]
) -> NDArray[np.float64]:
    """Return USD per hour by steps of (vCPUs at least, USD, USD per vCPU), shape of `vcpus`."""
    least, flat, per_vcpu = np.array(steps).T
    step = np.searchsorted(least, vcpus, side="right") - 1
    charge: NDArray[np.float64] = flat[step] + per_vcpu[step] * vcpus
    return charge
