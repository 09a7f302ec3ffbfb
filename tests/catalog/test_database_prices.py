"""Prices of databases, held against the figures, and limits of their storage."""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.catalog.database_classes import load_database_classes
from compute_optimizer.catalog.database_prices import (
    database_price_date,
    hourly_database_prices,
    storage_rates,
)
from compute_optimizer.catalog.database_storage import (
    aurora_rates,
    is_deprecated,
    storage_types,
    type_name,
)
from compute_optimizer.catalog.volume_types import performance_of

CLASSES = load_database_classes()


def price(name: str, engine: str = "mysql", region: str = "us-east-1", **others: object) -> float:
    multi_az, storage = bool(others.get("multi_az")), str(others.get("storage", ""))
    prices = hourly_database_prices(CLASSES, region, engine, multi_az=multi_az, storage=storage)
    return float(prices[CLASSES.types.index[name]])


def test_every_price_is_a_figure_of_the_list(shared: Path) -> None:
    names = {"mysql": "mysql", "postgresql": "postgres"}
    names |= {engine: engine for engine in ("aurora-mysql", "aurora-postgresql")}
    with (shared / "catalog" / "rds_prices.csv").open(newline="") as lines:
        listed = {
            (row["region"], names[row["engine"]], row["instance_class"], float(row["usd_per_hour"]))
            for row in csv.DictReader(lines)
            if row["engine"] in names and row["deployment"] != "multi-az"
        }
    checked = 0
    for region in ("us-east-1", "eu-west-1", "af-south-1"):
        for engine in names.values():
            prices = hourly_database_prices(CLASSES, region, engine, multi_az=False)
            for place in np.flatnonzero(np.isfinite(prices)):
                name = CLASSES.types.names[place]
                assert (region, engine, name, float(prices[place])) in listed
                checked += 1
    assert checked > 200


def test_a_standby_costs_as_much_again() -> None:
    # The published Multi-AZ price of db.t3.large is 0.272 USD.
    assert price("db.t3.large", multi_az=True) == pytest.approx(0.272)


def test_instances_in_a_cluster_with_io_optimized_cost_thirty_percent_more() -> None:
    standard = price("db.r5.large", "aurora-mysql", storage="aurora")

    assert standard == 0.29
    assert price("db.r5.large", "aurora-mysql", storage="aurora-iopt1") == pytest.approx(0.377)


def test_what_nobody_lists_has_no_price() -> None:
    assert np.isnan(price("db.r7i.large"))
    assert np.isnan(price("db.m5.large", region="mars-north-1"))
    # Sold, but not supported with the engine.
    assert np.isnan(price("db.m5.large", "aurora-mysql"))


def test_storage_rates_are_those_of_the_list_and_unknown_elsewhere() -> None:
    one, two = (storage_rates("us-east-1", "io1", multi_az=both) for both in (False, True))

    assert (one.gib, one.iops, two.gib, two.iops) == (0.125, 0.1, 0.25, 0.2)
    assert np.isnan(storage_rates("eu-west-1", "gp3", multi_az=False).gib)
    assert np.isnan(storage_rates("us-east-1", "gp2", multi_az=False).iops)


def test_the_price_date_is_that_of_the_oldest_figure() -> None:
    assert database_price_date(CLASSES, "us-east-1", "mysql") == date(2021, 8, 3)
    assert database_price_date(CLASSES, "us-east-1", "aurora-mysql") == date(2021, 8, 3)
    assert database_price_date(CLASSES, "mars-north-1", "mysql") is None


def test_io_optimized_pays_off_from_a_quarter_of_the_cost_on() -> None:
    # Instances alone: 1.3 x against x + I/O, so I/O of 0.3 x, a share of 0.3 / 1.3 = 23 %.
    rates = aurora_rates()

    assert rates.instance_factor["aurora-iopt1"] == 1.3
    assert rates.gib["aurora-iopt1"] / rates.gib["aurora"] == pytest.approx(2.25)
    assert rates.million_io["aurora-iopt1"] == 0


@pytest.mark.parametrize(
    ("entry", "gib", "iops", "throughput"),
    # Amazon RDS User Guide, storage of MySQL and PostgreSQL.
    [
        ("gp2", 20, 100, 128),
        ("gp2", 399, 1197, 250),
        ("gp2", 400, 1200, 500),
        ("gp2", 1335, 4005, 1000),
        ("gp2", 65536, 64000, 1000),
        ("gp3", 399, 3000, 125),
        ("gp3 striped", 400, 12000, 500),
    ],
)
def test_published_limits_of_storage(entry: str, gib: int, iops: int, throughput: int) -> None:
    kind = next(one for one in storage_types() if one.name == entry)
    unstated = np.array([np.nan])

    found = performance_of(kind, np.array([float(gib)]), unstated, unstated)

    assert (found.iops[0], found.throughput[0]) == pytest.approx((iops, throughput))


def test_an_entry_tells_its_type() -> None:
    assert {type_name(kind.name) for kind in storage_types()} == {"gp2", "gp3", "io1"}


@pytest.mark.parametrize(
    ("engine", "version", "day", "ended"),
    [
        ("mysql", "5.7.44", date(2024, 2, 29), False),
        ("mysql", "5.7.44", date(2024, 3, 1), True),
        ("mysql", "8.0.40", date(2026, 7, 31), False),
        ("mysql", "8.0.40", date(2026, 8, 1), True),
        ("postgres", "12.19", date(2025, 3, 1), True),
        ("postgres", "9.6.24", date(2025, 3, 1), True),
        ("postgres", "16.3", date(2026, 1, 1), False),
        ("aurora-mysql", "5.7.mysql_aurora.2.11.2", date(2024, 11, 1), True),
        ("aurora-mysql", "8.0.mysql_aurora.3.05.2", date(2026, 1, 1), False),
        ("mariadb", "10.3", date(2026, 1, 1), False),
        ("mysql", "", date(2026, 1, 1), False),
    ],
)
def test_a_version_is_deprecated_from_the_day_after_its_end(
    engine: str, version: str, day: date, ended: bool
) -> None:
    assert is_deprecated(engine, version, day) is ended
