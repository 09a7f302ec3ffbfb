"""`compute-optimizer simulate`, as somebody types it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Type

AZURE = "azure2017_cpu_5min.parquet"


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def points(output: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(output)["points"]
    return found


def test_every_value_of_the_service_by_default(typed: Type, fleet: list[str]) -> None:
    ended = typed("simulate", "--output", "json")

    report = json.loads(ended.out)
    assert ended.code == 0
    assert report["resources"] == len(fleet)
    assert {point["percentile"] for point in report["points"]} == {90.0, 95.0, 99.5}
    assert {point["memory_headroom"] for point in report["points"]} == {0.1, 0.2, 0.3}


def test_options_may_be_repeated_and_make_every_combination(typed: Type, fleet: list[str]) -> None:
    ended = typed(
        *("simulate", "--percentile", "95", "--percentile", "99.5", "--lookback", "7"),
        *("--architecture", "BOTH", "--include", "*", "--include", "M5, m6g", "--exclude", "t3"),
        *("--cpu-headroom", "0.3", "--memory-headroom", "0.1", "--output", "json"),
    )

    found = points(ended.out)
    assert [(point["percentile"], point["include"]) for point in found] == [
        (95.0, []),
        (95.0, ["m5", "m6g"]),
        (99.5, []),
        (99.5, ["m5", "m6g"]),
    ]
    for point in found:
        assert point["lookback_days"] == 7
        assert point["architecture"] == "BOTH"
        assert point["exclude"] == ["t3"]
        assert (point["cpu_headroom"], point["memory_headroom"]) == (0.3, 0.1)


def test_the_table_for_people(typed: Type, fleet: list[str]) -> None:
    ended = typed("simulate", "--percentile", "99.5", "--include", "*", "--include", "m5")

    # Two m5.xlarges at 0.192 USD an hour, 730 hours a month. 14 days: the last 4 are the test.
    assert ended.code == 0
    assert "2 instances of the metric store, 2 with a recommendation" in ended.out
    assert "today they cost 280.32 USD a month" in ended.out
    assert "advice of 2026-03-11, tested on the 4 days from then on; share of 2" in ended.out
    assert "pareto, default" in ended.out
    # Of m5 a quiet one gets a m5.large and a busy one a m5.2xlarge: 0.48 USD an hour.
    row = next(line for line in ended.out.splitlines() if " m5 " in line)
    assert "350.40" in row and "-70.08" in row and "-25.0 %" in row
    assert "2 combinations" in ended.out


def test_a_trace_file(typed: Type, shared: Path) -> None:
    trace = str(shared / "traces" / AZURE)

    ended = typed("simulate", "--trace", trace, "--percentile", "99.5", "--output", "json")

    report = json.loads(ended.out)
    assert ended.code == 0
    assert report["fleet"] == Path(AZURE).stem
    assert report["resources"] == 50
    assert report["origin"] is not None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--origin", "soon"], "--origin 'soon' is no day"),
        (["--origin", "2020-01-01"], "leaves no day to learn from or none to test on"),
        (["--include", "m5x"], "no instance type matches 'm5x'"),
        (["--percentile", "7"], "the percentile 7 is out of range"),
        (["--trace", "absent.parquet"], "cannot read the trace absent.parquet"),
        (["--trace", "a.parquet", "--as-of", "2026-01-01"], "give --as-of without --trace"),
    ],
)
def test_what_cannot_be_simulated_is_explained(
    typed: Type, fleet: list[str], words: list[str], complaint: str
) -> None:
    ended = typed("simulate", *words)

    assert ended.code == 2
    assert complaint in ended.err


def test_without_anybody_opted_in_there_is_nothing_to_simulate(typed: Type) -> None:
    ended = typed("simulate")

    assert ended.code != 0
    assert "no account is opted in" in ended.err
