"""Own rates where the package ships none: what had no price has one."""

from datetime import date

import pytest

from compute_optimizer.catalog.database_classes import (
    load_database_classes,
    with_own_class_prices,
)
from compute_optimizer.catalog.own_prices import (
    NO_OWN_PRICES,
    RDS_STORAGE,
    OwnPrice,
    OwnPrices,
    PriceMarket,
    own_prices_of,
)
from compute_optimizer.engine.usage import CPU_METRIC
from compute_optimizer.model.database import Database, DatabaseRecommendation
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.recommendation import Results
from compute_optimizer.resources.rds_database import recommend
from tests.databases import BYTES_USED, GIB, READ_IOS, WRITE_IOS, cluster, database
from tests.fleets import AS_OF, shard

CPU = MetricKey(CPU_METRIC, Statistic.MAXIMUM)
DAY = date(2026, 3, 1)


def owned(region: str, **rates: dict[str, float]) -> list[OwnPrice]:
    """Return rates of storage by what they are for, with spaces as underscores."""
    return [
        OwnPrice(PriceMarket(RDS_STORAGE, region, kind.replace("_", " ")), name, usd, "ours", DAY)
        for kind, usd_by_name in rates.items()
        for name, usd in usd_by_name.items()
    ]


def recommended(
    one: Database, series: dict[MetricKey, float], own: OwnPrices
) -> Results[DatabaseRecommendation]:
    classes = with_own_class_prices(load_database_classes(), own)
    return recommend(
        [one], shard([one], series), classes, as_of=AS_OF, preferences=DEFAULT_PREFERENCES
    )


def test_a_cluster_is_compared_in_a_region_whose_rates_somebody_brings() -> None:
    one = cluster("shop", region="eu-west-1")
    # 1,000 I/Os in each five minutes are 8,760,000 a month of 730 hours.
    series = {BYTES_USED: 100.0 * GIB, READ_IOS: 600.0, WRITE_IOS: 400.0}
    instance = OwnPrice(
        PriceMarket("rds", "eu-west-1", "aurora-mysql"), "db.r5.large", 0.32, "x", DAY
    )
    aurora = owned("eu-west-1", aurora={"gib": 0.11, "million_io": 0.22})
    optimized = [
        OwnPrice(PriceMarket(RDS_STORAGE, "eu-west-1", "aurora-iopt1"), "gib", 0.248, "ours", DAY)
    ]

    without = recommended(one, series, NO_OWN_PRICES)
    half = recommended(one, series, own_prices_of([instance, *aurora]))
    (found,) = recommended(
        one, series, own_prices_of([instance, *aurora, *optimized])
    ).recommendations

    assert [error.code for error in (*without.errors, *half.errors)] == [
        "RECOMMENDATION_NOT_FOUND"
    ] * 2
    # 0.32 x 730, 100 x 0.11 and 8.76 x 0.22 USD.
    assert found.storage_monthly_usd == pytest.approx(233.6 + 11 + 1.9272)
    # 1.3 times the instance, 100 x 0.248 USD, and no I/O.
    costs = {
        option.configuration.storage_type: option.monthly_usd for option in found.storage_options
    }
    assert costs["aurora-iopt1"] == pytest.approx(303.68 + 24.8)
    assert found.price_date == DAY


def test_throughput_beyond_what_is_included_costs_what_somebody_says() -> None:
    # From 400 GiB on gp3 of RDS has 12,000 IOPS and 500 MiB/s.
    one = database(1, "db.r5.large", allocated_gib=500, iops=12_000, throughput_mibps=600)
    own = owned("us-east-1", **{"single-az_gp3": {"mibps": 0.08}})

    (without,) = recommended(one, {CPU: 30.0}, NO_OWN_PRICES).recommendations
    (found,) = recommended(one, {CPU: 30.0}, own_prices_of(own)).recommendations

    assert without.storage_monthly_usd is None
    # 500 GiB at the shipped 0.115 and 100 MiB/s at 0.08 USD.
    assert found.storage_monthly_usd == pytest.approx(57.5 + 8)
