"""The committed table of EBS prices is what the script makes of the figures."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from compute_optimizer.catalog.volume_prices import VOLUME_PRICES_FILE

DATA = "src/compute_optimizer/catalog/data"


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("build_volume_prices")


def test_building_again_gives_the_committed_prices(
    script: ModuleType, repository: Path, shared: Path
) -> None:
    committed = (repository / DATA / VOLUME_PRICES_FILE).read_bytes()

    assert script.build_volume_prices(shared / "catalog") == committed


def test_a_figure_of_a_year_counts_as_of_its_first_day(script: ModuleType) -> None:
    row = {"source": "a list", "date": "2017", "quality": "dated"}

    assert script.fact_of(row) == ("a list", "2017-01-01", "dated")
    assert script.fact_of(row | {"date": "2024-07-01"})[1] == "2024-07-01"
