"""Own rates over shipped ones: the same law for every product."""

from collections.abc import Callable, Mapping
from dataclasses import astuple
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute_optimizer.catalog.database_prices import aurora_storage_rates, storage_rates
from compute_optimizer.catalog.nat_gateways import hourly_nat_price, nat_price_date
from compute_optimizer.catalog.own_prices import (
    EBS,
    FARGATE,
    LAMBDA,
    NO_OWN_PRICES,
    RDS_STORAGE,
    VPC,
    OwnPrice,
    OwnPrices,
    PriceMarket,
    own_prices_of,
)
from compute_optimizer.catalog.rates import RATES
from compute_optimizer.catalog.serverless_prices import (
    fargate_price_date,
    fargate_rates,
    lambda_price_date,
    lambda_rates,
)
from compute_optimizer.catalog.volume_prices import monthly_prices, volume_price_date
from compute_optimizer.catalog.volume_types import load_volume_types

REGION = "us-east-1"
DAY = date(2026, 11, 1)


def volume_usd(name: str, own: OwnPrices, region: str = REGION) -> float:
    """Return the price of a volume that uses every rate there is: 10 of each beyond what is free.

    100 GiB; 3,010 IOPS of gp3 and 10 of the others; 135 MiB/s; 10 million operations.
    """
    types = load_volume_types()
    (found,) = monthly_prices(
        types.types[types.index[name]],
        region,
        gib=np.array([100.0]),
        iops=np.array([3010.0 if name == "gp3" else 10.0]),
        throughput=np.array([135.0]),
        monthly_operations=np.array([1e7]),
        own=own,
    )
    return float(found)


def rates_of(product: str, platform: str, own: OwnPrices, region: str = REGION) -> list[float]:
    """Return what the catalog says of a product, in the order of RATES."""
    words = platform.split(" ")
    read: Mapping[str, Callable[[], tuple[float, ...]]] = {
        LAMBDA: lambda: astuple(lambda_rates(region, platform, own)),
        FARGATE: lambda: astuple(fargate_rates(region, words[0], words[-1], own)),
        VPC: lambda: (hourly_nat_price(region, own),),
        RDS_STORAGE: lambda: (
            astuple(aurora_storage_rates(region, platform, own))
            if platform.startswith("aurora")
            else astuple(storage_rates(region, words[-1], multi_az=words[0] == "multi-az", own=own))
        ),
    }
    return list(read[product]())[: len(RATES[product][platform])]


def owned(product: str, platform: str, usd: Mapping[str, float]) -> OwnPrices:
    market = PriceMarket(product, REGION, platform)
    return own_prices_of(OwnPrice(market, name, one, "ours", DAY) for name, one in usd.items())


EVERY = [
    (product, platform)
    for product, platforms in RATES.items()
    if product != EBS
    for platform in platforms
]


@pytest.mark.parametrize(("product", "platform"), EVERY, ids=lambda one: str(one))
def test_own_rates_stand_in_the_place_of_shipped_ones_and_of_none(
    product: str, platform: str
) -> None:
    names = RATES[product][platform]
    own = {name: 7.0 + place for place, name in enumerate(names)}

    assert rates_of(product, platform, owned(product, platform, own)) == list(own.values())
    # One alone leaves the others as they are shipped; other Regions have what they had.
    first = {names[0]: 7.0}
    found = rates_of(product, platform, owned(product, platform, first))
    shipped = rates_of(product, platform, NO_OWN_PRICES)
    assert found[0] == 7.0
    assert found[1:] == pytest.approx(shipped[1:], nan_ok=True)
    elsewhere = rates_of(product, platform, owned(product, platform, own), "eu-west-1")
    there = rates_of(product, platform, NO_OWN_PRICES, "eu-west-1")
    assert elsewhere == pytest.approx(there, nan_ok=True)


@given(
    name=st.sampled_from(list(RATES[EBS])),
    usd=st.lists(st.floats(0, 100), min_size=3, max_size=3),
)
def test_a_volume_costs_what_its_own_rates_say(name: str, usd: list[float]) -> None:
    rates = dict(zip(RATES[EBS][name], usd, strict=False))
    # As volume_usd lays it out: 100 GiB, and ten of whatever else is paid.
    expected = sum(one * (100 if rate == "gib" else 10) for rate, one in rates.items())

    assert volume_usd(name, owned(EBS, name, rates)) == pytest.approx(expected)


def test_a_region_without_shipped_prices_has_those_of_its_own() -> None:
    rates = {"gib": 0.1, "iops": 0.006, "mibps": 0.05}
    market = PriceMarket(EBS, "mars-north-1", "gp3")
    own = own_prices_of(OwnPrice(market, rate, usd, "ours", DAY) for rate, usd in rates.items())

    assert np.isnan(volume_usd("gp3", NO_OWN_PRICES, "mars-north-1"))
    # 100 x 0.1 + 10 x 0.006 + 10 x 0.05.
    assert volume_usd("gp3", own, "mars-north-1") == pytest.approx(10.56)


def test_the_date_of_a_region_is_that_of_its_own_rates_where_it_has_any() -> None:
    told = (
        (EBS, "gp3", volume_price_date),
        (LAMBDA, "arm64", lambda_price_date),
        (FARGATE, "linux arm64", fargate_price_date),
        (VPC, "nat-gateway", nat_price_date),
    )
    for product, platform, date_of in told:
        own = owned(product, platform, {RATES[product][platform][0]: 1.0})
        assert date_of(REGION, own) == DAY, product
        shipped = date_of(REGION, NO_OWN_PRICES)
        assert shipped not in (None, DAY)
        assert date_of("eu-south-2", own) == date_of("eu-south-2", NO_OWN_PRICES), product
