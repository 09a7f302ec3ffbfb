"""What NAT gateways are and what one costs for being there; what has no figure is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import nan
from types import MappingProxyType

from compute_optimizer.catalog.own_prices import NO_OWN_PRICES, VPC, OwnPrices, PriceMarket
from compute_optimizer.catalog.rates import HOUR, NAT_GATEWAY, own_over
from compute_optimizer.model.nat_gateway import CONNECTIVITY_TYPES

HOURLY_USD: Mapping[str, float] = MappingProxyType({"us-east-1": 0.045, "us-east-2": 0.045})
"""USD for an hour of a NAT gateway, without the data that it processes, by Region; Amazon VPC
pricing as two public guides of early 2026 repeat it. Other Regions have no figure."""

PRICE_DATE = date(2026, 2, 24)
"""Of the older of the two guides."""


@dataclass(frozen=True, slots=True)
class NatGatewayTypes:
    """The connectivity types of NAT gateways."""

    index: Mapping[str, int]
    """Place of each by its name."""
    own_prices: OwnPrices = NO_OWN_PRICES


def hourly_nat_price(region: str, own: OwnPrices = NO_OWN_PRICES) -> float:
    """Return USD for an hour of a gateway; NaN where there is no figure."""
    shipped = {HOUR: HOURLY_USD.get(region, nan)}
    return own_over(shipped, own, PriceMarket(VPC, region, NAT_GATEWAY))[HOUR]


def nat_price_date(region: str, own: OwnPrices = NO_OWN_PRICES) -> date | None:
    """Return the date of a Region's figure; None without one."""
    return own.oldest(VPC, region, PRICE_DATE if region in HOURLY_USD else None)


def load_nat_gateway_types() -> NatGatewayTypes:
    """Return the connectivity types that there are."""
    return NatGatewayTypes({name: place for place, name in enumerate(CONNECTIVITY_TYPES)})
