"""Prices of functions and tasks, held against the public figures and their gaps."""

import csv
from datetime import date
from math import isnan
from pathlib import Path

import pytest

from compute_optimizer.catalog.serverless_prices import (
    FARGATE_PRICES_FILE,
    LAMBDA_PRICES_FILE,
    fargate_rates,
    lambda_rates,
    price_date_of,
    price_facts_of,
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_dated_figure_of_lambda_is_known(shared: Path) -> None:
    wanted = [
        row
        for row in rows(shared / "catalog/lambda_prices.csv")
        if row["tier"] == "1" and row["date"][0].isdigit()
    ]

    assert len(wanted) > 40
    for row in wanted:
        rates = lambda_rates(row["region"], row["architecture"])
        assert rates.gb_second == float(row["usd_per_gb_second"])
        assert rates.request == float(row["usd_per_request"])


def test_windows_pays_its_licence_with_the_vcpu() -> None:
    linux, windows = (fargate_rates("us-east-1", name, "x86_64") for name in ("linux", "windows"))

    assert (linux.vcpu_hour, linux.gb_hour) == (0.04048, 0.004445)
    # 0.09148 and 0.046 of licence.
    assert windows.vcpu_hour == pytest.approx(0.13748)


@pytest.mark.parametrize(
    ("region", "platform", "architecture"),
    [
        ("ap-southeast-1", "linux", "x86_64"),  # without a figure for memory
        ("sa-east-1", "linux", "x86_64"),  # without a date
        ("eu-central-1", "linux", "arm64"),
        ("us-east-1", "rhel", "x86_64"),
        ("xx-east-1", "linux", "x86_64"),
    ],
)
def test_what_has_no_whole_and_dated_figure_is_unknown(
    region: str, platform: str, architecture: str
) -> None:
    found = fargate_rates(region, platform, architecture)

    assert isnan(found.vcpu_hour)
    assert isnan(found.gb_hour)


def test_undated_figures_of_lambda_are_unknown() -> None:
    assert isnan(lambda_rates("me-central-1", "x86_64").gb_second)
    assert price_date_of(LAMBDA_PRICES_FILE, "me-central-1") is None


def test_every_figure_says_its_source_and_date() -> None:
    facts = price_facts_of(FARGATE_PRICES_FILE, "us-east-1")

    assert facts["linux x86_64"].date == date(2025, 7, 7)
    assert facts["linux x86_64"].quality == "exact"
    assert price_date_of(FARGATE_PRICES_FILE, "us-east-1") == date(2025, 1, 1)
    assert price_facts_of(LAMBDA_PRICES_FILE, "us-east-1")["arm64"].quality == "unstated"
