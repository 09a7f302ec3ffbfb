"""The committed tables of Lambda and Fargate prices are what the script makes of the figures."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from compute_optimizer.catalog.serverless_prices import FARGATE_PRICES_FILE, LAMBDA_PRICES_FILE

DATA = "src/compute_optimizer/catalog/data"


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("build_serverless_prices")


def test_building_again_gives_the_committed_prices(
    script: ModuleType, repository: Path, shared: Path
) -> None:
    figures, committed = shared / "catalog", repository / DATA

    assert script.build_lambda_prices(figures) == (committed / LAMBDA_PRICES_FILE).read_bytes()
    assert script.build_fargate_prices(figures) == (committed / FARGATE_PRICES_FILE).read_bytes()


@pytest.mark.parametrize(
    ("told", "day"),
    [("2025 or later", "2025-01-01"), ("2025", "2025-01-01"), ("2024-07-01", "2024-07-01")],
)
def test_a_figure_of_a_year_counts_as_of_its_first_day(
    script: ModuleType, told: str, day: str
) -> None:
    row = {"source": "a list", "date": told, "quality": "exact"}

    assert script.fact_of(row) == ("a list", day, "exact")


def test_a_figure_without_a_date_has_no_facts(script: ModuleType) -> None:
    assert script.fact_of({"source": "a list", "date": "unknown", "quality": "exact"}) is None
