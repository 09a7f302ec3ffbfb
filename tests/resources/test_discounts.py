"""Effective rates as they are written into the recommendations of every type that is billed."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.catalog.effective_rates import (
    AccountRates,
    Billed,
    BilledUsage,
    rates_by_account,
)
from compute_optimizer.catalog.own_prices import PriceMarket
from compute_optimizer.model.recommendation import Discounts, Results, Savings
from compute_optimizer.resources import type_named
from compute_optimizer.resources.discounts import stranded_monthly_usd, stranding
from tests.databases import database, maximum, recommended_database
from tests.groups import BY_HAND as GROUP
from tests.groups import group
from tests.idleness import BY_HAND as IDLE
from tests.records import BY_HAND as INSTANCE
from tests.records import option
from tests.stored_fleets import machine
from tests.volumes import BY_HAND as VOLUME
from tests.volumes import volume

DAY = date(2026, 3, 1)
ACCOUNT = "222222222222"

COVERED = Billed(
    hours=100, list_usd=20, effective_usd=13, reserved_hours=80, reserved_list_usd=16,
    reserved_effective_usd=9.6,
)  # fmt: skip
"""0.2 USD an hour at list: 80 of 100 hours reserved at 0.12; of 4 USD for the rest 3.4 paid."""


def rates(product: str, platform: str, name: str, billed: Billed = COVERED) -> AccountRates:
    """Return the rates of an account that was billed for one type only."""
    usage = BilledUsage(
        ACCOUNT, PriceMarket(product, "us-east-1", platform), name, billed, DAY, DAY
    )
    return rates_by_account([usage])[ACCOUNT]


def discounted(kind: str, one: Any, resource: Any, known: AccountRates) -> Results[Any]:
    """Return one recommendation with the rates written into it."""
    record = type_named(kind)
    assert record is not None and record.discounted is not None
    return record.discounted(Results((one,), ()), [resource], known)


def instance(platform: str = "linux") -> tuple[Any, Any]:
    """Return a recommendation for a m5.xlarge at 0.192 USD with an option of each kind."""
    resource = replace(machine(1, ACCOUNT), platform=platform)
    options = (
        structs.replace(option("m5.large", 70.08), hourly_usd=0.096),
        structs.replace(option("t3.large", 79.42), hourly_usd=0.0832),
    )
    one = structs.replace(
        INSTANCE, resource_arn=resource.arn, current_hourly_usd=0.192, options=options
    )
    return one, resource


def test_an_instance_saves_what_follows_to_each_option() -> None:
    one, resource = instance()

    (told,) = discounted(
        "Ec2Instance", one, resource, rates("ec2", "linux", "m5.xlarge")
    ).recommendations

    # Now 13 / 100 hours = 0.13; m5.large 0.096 x 13 / 20 = 0.0624; t3.large 0.0832 x 3.4 / 4.
    within, across = told.options
    assert within.after_discounts.monthly_usd == pytest.approx((0.13 - 0.0624) * 730)
    assert within.after_discounts.percentage == pytest.approx((0.13 - 0.0624) / 0.13 * 100)
    assert across.after_discounts.monthly_usd == pytest.approx((0.13 - 0.07072) * 730)
    assert told.discounts.factor == pytest.approx(0.13 / 0.192)
    assert told.discounts.reserved_share == pytest.approx(0.8)
    # 9.6 USD of reservations for 100 hours, if the machine leaves them.
    assert within.stranded_monthly_usd is None
    assert across.stranded_monthly_usd == pytest.approx(0.096 * 730)
    # The list savings are as they were.
    assert [o.savings for o in told.options] == [o.savings for o in one.options]


def test_reservations_of_windows_follow_to_no_other_size() -> None:
    one, resource = instance("windows")

    (told,) = discounted(
        "Ec2Instance", one, resource, rates("ec2", "windows", "m5.xlarge")
    ).recommendations

    # 0.096 x 3.4 / 4, although m5.large is of the family.
    assert told.options[0].after_discounts.monthly_usd == pytest.approx((0.13 - 0.0816) * 730)
    assert told.options[0].stranded_monthly_usd == pytest.approx(0.096 * 730)
    assert "70.08 USD a month go on to be paid" in (stranding(told) or "")
    # Of a group the group says so, once.
    assert stranding(structs.replace(told, follows_group=True)) is None


def test_few_reservations_strand_nothing() -> None:
    one, resource = instance()
    few = replace(COVERED, reserved_hours=50)

    (told,) = discounted(
        "Ec2Instance", one, resource, rates("ec2", "linux", "m5.xlarge", few)
    ).recommendations

    assert stranded_monthly_usd(told) is None
    assert stranding(told) is None


def test_a_type_that_was_not_billed_goes_by_the_factor_of_the_account() -> None:
    one, resource = instance()

    (told,) = discounted(
        "Ec2Instance", one, resource, rates("ec2", "linux", "c5.large")
    ).recommendations

    # 0.192 x 13 / 20 = 0.1248, and there is no reservation of the family: 0.096 x 3.4 / 4.
    saved = told.options[0].after_discounts.monthly_usd
    assert saved == pytest.approx((0.1248 - 0.0816) * 730)


def test_an_account_that_was_billed_for_another_product_stays_at_list_prices() -> None:
    one, resource = instance()

    (told,) = discounted(
        "Ec2Instance", one, resource, rates("rds", "mysql", "db.m5.large")
    ).recommendations

    assert told == one


def test_a_group_saves_with_all_of_its_machines() -> None:
    resource = group(1, "m5.xlarge", size=3)
    options = tuple(structs.replace(one, hourly_usd=0.0832) for one in GROUP.options)
    size = structs.replace(GROUP.configuration, desired_capacity=3, instance_type="m5.xlarge")
    one = structs.replace(
        GROUP,
        resource_arn=resource.arn,
        current_hourly_usd=0.192,
        options=options,
        configuration=size,
    )

    (told,) = discounted(
        "AutoScalingGroup", one, resource, rates("ec2", "linux", "m5.xlarge")
    ).recommendations

    moved = [o for o in told.options if not o.instance_type.startswith("m5.")]
    assert moved
    for found in moved:
        assert found.after_discounts.monthly_usd == pytest.approx(3 * (0.13 - 0.07072) * 730)
        assert found.stranded_monthly_usd == pytest.approx(3 * 0.096 * 730)


def test_a_database_pays_for_its_standby_too() -> None:
    resource = database(1, "db.m5.xlarge", multi_az=True)
    one: Any = recommended_database(resource, {maximum("CPUUtilization"): 5.0})
    listed = one.hourly_usd
    billed = Billed(hours=100, list_usd=40, effective_usd=20)

    (told,) = discounted(
        "RdsDBInstance", one, resource, rates("rds", resource.engine, "db.m5.xlarge", billed)
    ).recommendations

    # 0.2 USD for an hour in each of two zones; all of the product was paid at a half.
    assert one.instance_options
    for before, after in zip(one.instance_options, told.instance_options, strict=True):
        saved = max(0.4 - before.hourly_usd * 0.5, 0) * 730
        assert after.after_discounts.monthly_usd == pytest.approx(saved)
    assert told.discounts.factor == pytest.approx(0.4 / listed)


def test_a_volume_goes_by_the_factor_of_all_volumes() -> None:
    billed = Billed(hours=1000, list_usd=80, effective_usd=60)

    (told,) = discounted(
        "EbsVolume", VOLUME, volume(1, "gp2", 100), rates("ebs", "", "", billed)
    ).recommendations

    assert VOLUME.options
    for before, after in zip(VOLUME.options, told.options, strict=True):
        # 60 of 80 USD are paid; the share of the price stays.
        assert before.savings is not None
        assert after.after_discounts.percentage == before.savings.percentage
        assert after.after_discounts.monthly_usd == pytest.approx(before.savings.monthly_usd * 0.75)
    assert told.discounts == Discounts(0.75)


def test_what_idles_is_counted_at_what_is_paid_for_it() -> None:
    record = type_named("EbsVolume")
    assert record is not None and record.discounted is not None
    known = rates("ebs", "", "", Billed(hours=1, list_usd=80, effective_usd=60))

    found = record.discounted(Results((), (), (IDLE,)), [], known)

    # 0.75 of 8 USD.
    assert found.idle[0].after_discounts == Savings(100.0, 6.0)
    assert found.idle[0].savings == IDLE.savings


@pytest.mark.parametrize(("storage", "paid"), [(46.0, 292.0 + 46.0), (-50.0, None)])
def test_storage_of_an_idle_database_stays_at_list_prices(
    storage: float, paid: float | None
) -> None:
    resource = database(1, "db.m5.xlarge", multi_az=True)
    one: Any = recommended_database(resource, {maximum("CPUUtilization"): 5.0})
    monthly = one.hourly_usd * 730 + storage
    idle = structs.replace(IDLE, resource_arn=one.resource_arn, savings=Savings(100.0, monthly))
    billed = Billed(hours=100, list_usd=40, effective_usd=20)
    known = rates("rds", resource.engine, "db.m5.xlarge", billed)
    record = type_named("RdsDBInstance")
    assert record is not None and record.discounted is not None

    (told,) = record.discounted(Results((one,), (), (idle,)), [resource], known).idle

    # 0.2 USD for an hour in each of two zones are 292 USD a month. What saves less than its class
    # costs goes by the rate of the class as a whole.
    expected = monthly * 0.4 / one.hourly_usd if paid is None else paid
    assert told.after_discounts is not None
    assert told.after_discounts.monthly_usd == pytest.approx(expected)


def test_an_idle_database_without_a_recommendation_stays_at_list_prices() -> None:
    # What part of its savings is storage is not known, and storage has no reservations.
    resource = database(1, "db.m5.xlarge")
    idle = structs.replace(IDLE, resource_arn=resource.arn)
    record = type_named("RdsDBInstance")
    assert record is not None and record.discounted is not None

    found = record.discounted(
        Results((), (), (idle,)), [resource], rates("rds", resource.engine, "db.m5.xlarge")
    )

    assert found.idle[0].after_discounts is None


def test_an_idle_instance_without_a_recommendation_goes_by_the_factor_of_its_product() -> None:
    resource = machine(1, ACCOUNT)
    idle = structs.replace(IDLE, resource_arn=resource.arn)
    record = type_named("Ec2Instance")
    assert record is not None and record.discounted is not None

    found = record.discounted(
        Results((), (), (idle,)), [resource], rates("ec2", "linux", "m5.xlarge")
    )

    # 13 of 20 USD are paid, of 8 USD.
    assert found.idle[0].after_discounts is not None
    assert found.idle[0].after_discounts.monthly_usd == pytest.approx(8 * 13 / 20)


def test_a_database_tells_of_reservations_that_do_not_follow_to_another_family() -> None:
    resource = database(1, "db.m5.xlarge")
    one: Any = recommended_database(resource, {maximum("CPUUtilization"): 5.0})
    first = structs.replace(one.instance_options[0], db_class="db.t3.medium", hourly_usd=0.068)
    one = structs.replace(one, instance_options=(first,))

    (told,) = discounted(
        "RdsDBInstance", one, resource, rates("rds", resource.engine, "db.m5.xlarge")
    ).recommendations

    # 9.6 USD of reservations for 100 hours, 730 hours a month.
    assert stranded_monthly_usd(told) == pytest.approx(0.096 * 730)
    assert stranding(told) == (
        "most hours of db.m5.xlarge are paid for by reservations, which do not follow to "
        "db.t3.medium: 70.08 USD a month go on to be paid for them unless something else uses them"
    )
