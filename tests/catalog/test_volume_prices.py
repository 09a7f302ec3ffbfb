"""Prices of volumes, held against the public figures and their gaps."""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.catalog.volume_prices import (
    monthly_prices,
    volume_price_date,
    volume_price_facts,
)
from compute_optimizer.catalog.volume_types import load_volume_types


def price(
    name: str,
    gib: float,
    iops: float = 0,
    throughput: float = 0,
    *,
    region: str = "us-east-1",
    operations: float = 0,
) -> float:
    types = load_volume_types()
    (found,) = monthly_prices(
        types.types[types.index[name]],
        region,
        gib=np.array([float(gib)]),
        iops=np.array([float(iops)]),
        throughput=np.array([float(throughput)]),
        monthly_operations=np.array([float(operations)]),
    )
    return float(found)


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        (price("gp2", 100, 300, 128), 10.0),
        (price("gp3", 100, 3000, 125), 8.0),
        # 1000 IOPS at 0.005 and 100 MiB/s at 0.04 more.
        (price("gp3", 100, 4000, 225), 17.0),
        (price("io1", 100, 1000, 250), 12.5 + 65.0),
        (price("io2", 100, 32000, 4000), 12.5 + 2080.0),
        (price("st1", 1000, 500, 39), 45.0),
        (price("standard", 100, 100, 40, operations=2e6), 5.1),
    ],
)
def test_a_month_costs_storage_and_what_goes_beyond_it(paid: float, expected: float) -> None:
    assert paid == pytest.approx(expected)


def test_a_rate_without_a_figure_makes_the_price_unknown_where_it_is_used() -> None:
    # eu-central-1 has the storage of gp3 alone.
    assert price("gp3", 100, 3000, 125, region="eu-central-1") == pytest.approx(9.52)
    assert np.isnan(price("gp3", 100, 3001, 125, region="eu-central-1"))
    assert np.isnan(price("gp3", 100, 3000, 126, region="eu-central-1"))
    assert np.isnan(price("gp2", 100, region="eu-central-1"))
    assert np.isnan(price("gp2", 100, region="no-where-1"))


def test_io2_has_no_price_beyond_the_first_tier() -> None:
    assert np.isnan(price("io2", 100, 32001))


def test_the_date_of_a_region_is_that_of_its_oldest_figure() -> None:
    assert volume_price_date("us-east-1") == date(2024, 7, 1)
    # Dated by its year: the oldest day that it can be.
    assert volume_price_date("eu-west-1") == date(2017, 1, 1)
    assert volume_price_date("no-where-1") is None


def test_every_dated_public_figure_is_in_the_table(shared: Path) -> None:
    with (shared / "catalog/ebs_prices.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))

    dated = [row for row in rows if row["date"] != "unknown"]
    regions = {row["region"] for row in dated}
    counted = sum(len(rates) for name in regions for rates in volume_price_facts(name).values())
    assert counted == len(dated) < len(rows)
    for row in dated:
        assert row["source"] in {
            fact.source for fact in volume_price_facts(row["region"])[row["volume_type"]].values()
        }
