"""The risk model that ships is what the script makes of the trace."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from compute_optimizer.catalog.risk_prior import RISK_PRIOR_FILE
from compute_optimizer.catalog.tables import dump_table


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("build_risk_prior")


def test_figures_are_rounded_all_the_way_down(script: ModuleType) -> None:
    found = script.rounded({"a": [1.23456789, (2.0, "x")], "b": 3})

    assert found == {"a": [1.23457, [2.0, "x"]], "b": 3}


def test_building_again_gives_the_committed_model(
    script: ModuleType, repository: Path, shared: Path
) -> None:
    committed = repository / "src/compute_optimizer/catalog/data" / RISK_PRIOR_FILE

    assert dump_table(script.build(shared / "traces"), False) == committed.read_bytes()
