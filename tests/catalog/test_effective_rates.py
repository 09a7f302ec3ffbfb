"""Rates as quotients of what accounts were billed."""

from datetime import date
from math import isnan

import pytest

from compute_optimizer.catalog.effective_rates import (
    AccountRates,
    Billed,
    BilledUsage,
    TypeRates,
    rates_by_account,
)
from compute_optimizer.catalog.own_prices import PriceMarket

LINUX = PriceMarket("ec2", "us-east-1", "linux")
DAY = date(2026, 3, 1)

RESERVED = Billed(
    hours=10,
    list_usd=1,
    effective_usd=0.6,
    reserved_hours=10,
    reserved_list_usd=1,
    reserved_effective_usd=0.6,
)
PLAIN = Billed(hours=30, list_usd=6, effective_usd=5.4)


def rates(*usage: tuple[PriceMarket, str, Billed]) -> AccountRates:
    """Return the rates of an account that was billed for these."""
    lines = [BilledUsage("1" * 12, market, name, one, DAY, DAY) for market, name, one in usage]
    return rates_by_account(lines)["1" * 12]


def of(known: AccountRates, market: PriceMarket, name: str) -> TypeRates:
    """Return the rates of a type of a product that was billed."""
    found = known.of(market, name)
    assert found is not None
    return found


def test_a_type_has_its_own_rate_and_those_of_its_family_and_account() -> None:
    known = rates((LINUX, "m5.large", RESERVED), (LINUX, "m5.xlarge", PLAIN))

    large = of(known, LINUX, "m5.large")

    # 0.6 / 10 hours; 6 of 7 USD, of the family and of all; 5.4 of 6 USD that none covers.
    assert large.hourly_usd == pytest.approx(0.06)
    assert (large.family_factor, large.factor) == pytest.approx((6 / 7, 6 / 7))
    assert large.movable_factor == pytest.approx(0.9)
    assert (large.strands, of(known, LINUX, "m5.xlarge").strands) == (True, False)
    assert isnan(of(known, LINUX, "m5.2xlarge").hourly_usd)


def test_another_region_or_platform_has_no_rates_of_the_type() -> None:
    known = rates((LINUX, "m5.large", RESERVED))

    for market in (LINUX._replace(region="eu-west-1"), LINUX._replace(platform="windows")):
        found = of(known, market, "m5.large")
        assert isnan(found.hourly_usd)
        assert found.family_factor is None
        assert found.factor == pytest.approx(0.6)


def test_where_reservations_cover_everything_another_type_costs_its_list_price() -> None:
    assert of(rates((LINUX, "m5.large", RESERVED)), LINUX, "m5.large").movable_factor == 1.0


def test_what_was_not_billed_has_no_rates() -> None:
    known = rates((LINUX, "m5.large", PLAIN))

    assert known.of(PriceMarket("rds", "us-east-1", "mysql"), "db.m5.large") is None
    assert known.factor("ebs") is None
