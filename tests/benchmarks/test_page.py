"""The page of performance is what its generator makes of the committed results."""

import json
from pathlib import Path

import pytest

from benchmarks.aims import Claim, is_met
from benchmarks.measurement import spread_of
from benchmarks.page import PAGE, PAGES, RATIOS, claims_table, main, results
from benchmarks.runner import RESULTS


def test_the_committed_page_is_that_of_the_committed_results(
    tmp_path: Path, repository: Path
) -> None:
    main(["--docs", str(tmp_path)])

    for name in (PAGE, RATIOS, PAGES):
        assert (tmp_path / name).read_text() == (repository / "docs" / name).read_text()


def test_a_figure_below_its_aim_is_said_not_to_be_met() -> None:
    claim = Claim("a", "b", at_least=1.0)

    assert is_met(claim, spread_of([0.9, 1.0, 1.1]))
    assert is_met(claim, spread_of([0.9])) is False
    assert is_met(Claim("a", "b", at_most=1.0), spread_of([1.1])) is False
    assert is_met(Claim("a", "b"), spread_of([1.1])) is None


def test_the_table_tells_another_result_by_its_median(tmp_path: Path) -> None:
    record = json.loads((RESULTS / "copy_rate.json").read_text())
    for one in record["measurements"]:
        one["samples"] = [30.0, 40.0, 60.0] if one["name"] == "COPY" else [20.0, 20.0, 20.0]
    (tmp_path / "copy_rate.json").write_text(json.dumps(record))

    # 30 / 20, 40 / 20 and 60 / 20
    assert "| COPY / INSERT | 2,000 rows | 2.00 (1.50 to 3.00) | at least 1.00 | met |" in (
        claims_table(results(tmp_path))
    )


def test_a_folder_without_results_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--results", str(tmp_path)])

    assert "run `make bench` first" in capsys.readouterr().err
