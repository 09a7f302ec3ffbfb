"""`compute-optimizer backtest`, as somebody types it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Type
from tests.traces import ACCOUNT, BITBRAINS, MAPPINGS, write_bitbrains_inventory

AZURE = "azure2017_cpu_5min.parquet"

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(typed: Type, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command on an empty data folder; return exit code, output and complaint."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str | Path) -> tuple[int, str, str]:
        ended = typed("backtest", *map(str, words))
        return ended.code, ended.out, ended.err

    return run


def test_the_report_for_programs(command: Command, shared: Path) -> None:
    code, output, _ = command(
        *("--trace", shared / "traces" / AZURE, "--dimensions", "cpu"),
        *("--budgets", "0.05,0.1", "--output", "json"),
    )

    report: dict[str, Any] = json.loads(output)
    (origin,) = report["origins"]
    assert code == 0
    assert list(origin["policies"]["default"]["deployed"]) == ["0.05", "0.1"]
    assert {"observed", "expected"} <= origin["calibration"]["cpu"].keys()


def test_the_report_for_people(command: Command, shared: Path) -> None:
    code, output, _ = command(
        *("--trace", shared / "traces" / AZURE, "--statistic", "Average"),
        *("--robustness", "--lookbacks"),
    )

    assert code == 0
    assert "five-minute averages of cpu" in output
    assert "Origin 2016-11-30: 50 scored of 50 judged" in output
    for title in (
        "Deployed, all origins",
        "against its own forecast",
        "Worse data",
        "Days of past",
    ):
        assert title in output


def test_knobs_from_another_trace(command: Command, shared: Path) -> None:
    traces = shared / "traces"

    code, output, _ = command(
        *("--trace", traces / AZURE, "--statistic", "Average", "--dimensions", "cpu"),
        *("--fit", traces / BITBRAINS, "--output", "json"),
    )

    assert code == 0
    assert json.loads(output)["fleet"]["knobs_from"] == "bitbrains_rnd_5min_aug2013"


def test_knobs_from_another_statistic_are_warned_of(command: Command, shared: Path) -> None:
    traces = shared / "traces"

    _, output, _ = command("--trace", traces / AZURE, "--fit", traces / BITBRAINS)

    assert "the knobs come from five-minute averages and are used on maximums" in output


def test_plots_are_equal_byte_for_byte(command: Command, shared: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"

    for folder in (first, again):
        assert command("--trace", shared / "traces" / AZURE, "--plots", folder)[0] == 0

    names = {path.name for path in first.iterdir()}
    plots = ("savings-against-violations", "reliability", "expected-loss")
    assert names == {f"{plot}-2016-11-30.{suffix}" for plot in plots for suffix in ("svg", "png")}
    for name in names:
        assert (first / name).read_bytes() == (again / name).read_bytes(), name


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "Give either --trace FILE or --fleet"),
        (["--fleet", "--trace", "a.parquet"], "Give either --trace FILE or --fleet"),
        (["--trace", "absent.parquet"], "cannot read the trace absent.parquet"),
        (["--trace", "a.parquet", "--budgets", "few"], "--budgets 'few' is no share"),
        (["--fleet", "--statistic", "Average"], "--statistic chooses among those of a trace"),
        (["--demo", "--fleet", "--type", "EbsVolume"], "Give either --trace FILE or --fleet, or"),
        (["--demo"], "--demo needs --type with another type than Ec2Instance"),
        (["--fleet", "--type", "NatGateway"], "NatGateway is not replayed; expected one of"),
        (["--fleet", "--type", "Nothing"], "type 'Nothing' cannot be analyzed"),
        (["--fleet", "--type", "EbsVolume", "--lookbacks"], "the other options are about inst"),
        (["--trace", "a.parquet", "--type", "EbsVolume"], "the other options are about inst"),
        (["--trace", "a.parquet", "--origin", "soon"], "--origin 'soon' is no day"),
    ],
)
def test_what_cannot_be_replayed_is_explained(
    command: Command, words: list[str], complaint: str
) -> None:
    code, _, said = command(*words)

    assert code == 2
    assert complaint in said


def test_plots_without_the_extra_are_explained_before_anything_is_read(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compute_optimizer.cli.backtest_plots.find_spec", lambda name: None)

    code, _, said = command("--trace", "absent.parquet", "--plots", "plots")

    assert code == 2
    assert "pip install '.[plots]'" in said


def test_the_imported_trace_scores_as_its_file_does(
    command: Command, typed: Type, shared: Path, tmp_path: Path
) -> None:
    trace = shared / "traces" / BITBRAINS
    inventory = write_bitbrains_inventory(shared, tmp_path / "fleet.csv")
    mapping = ("--mapping", MAPPINGS / "bitbrains.yaml")
    for words in (
        ("accounts", "enroll", ACCOUNT),
        ("import", "--inventory", inventory, "--metrics", trace, *mapping),
    ):
        assert typed(*map(str, words)).code == 0
    asked = ("--dimensions", "cpu", "--output", "json")

    _, of_fleet, _ = command("--fleet", "--origin", "2013-08-15", *asked)
    _, of_file, _ = command("--trace", trace, *asked)

    imported, read = (json.loads(output)["origins"][0] for output in (of_fleet, of_file))
    assert imported["scored"] == read["scored"]
    for policy in ("published-p99.5-headroom-20", "oracle", "maximum-x-1.15"):
        ours, theirs = (one["policies"][policy]["deployed"]["0.05"] for one in (imported, read))
        assert ours["violations"] == theirs["violations"], policy
        assert ours["savings"] == pytest.approx(theirs["savings"]), policy


def test_a_fleet_of_nobody_is_a_conflict(command: Command) -> None:
    code, _, said = command("--fleet")

    assert code == 4
    assert "no account is opted in" in said


def test_a_dimension_that_is_not_there_is_named(command: Command, shared: Path) -> None:
    code, _, said = command("--trace", shared / "traces" / AZURE, "--dimensions", "cpu,memory")

    assert code == 2
    assert "no dimension 'memory'" in said


def test_the_demo_is_replayed_by_type_as_a_table_and_as_json(command: Command) -> None:
    code, output, _ = command("--demo", "--type", "EcsService")

    assert code == 0
    assert "the demo: services, 56 days from 2026-09-07" in output
    assert "What the advice would have done" in output

    code, output, _ = command("--demo", "--type", "EcsService", "--output", "json")
    assert code == 0
    assert json.loads(output)["fleet"]["resource_type"] == "EcsService"
