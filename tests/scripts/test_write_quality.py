"""The page of figures says what the backtest says."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from compute_optimizer.jobs.backtest import BacktestRequest, backtest, trace_fleet


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("write_quality")


def test_the_committed_figures_of_august_are_those_of_today(
    script: ModuleType, repository: Path, shared: Path
) -> None:
    trace = shared / "traces" / "bitbrains_rnd_5min_aug2013.parquet"
    report = backtest(trace_fleet(trace), BacktestRequest(dimensions=("cpu",)))

    assert script.peers(report) in (repository / "docs" / "quality.md").read_text()


def test_a_folder_that_is_not_there_is_named(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is no folder of traces"):
        script.main([str(tmp_path / "absent")])
