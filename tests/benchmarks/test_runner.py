"""The runner measures in processes of their own, and outlives those that fail or hang."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.aims import CLAIMS
from benchmarks.listing import BENCHMARKS, CI, Benchmark, Size, chosen
from benchmarks.machine import ROOT
from benchmarks.runner import measure, run, write

QUICK = Size(("20",), "20 instances", 60)


def test_every_module_with_a_main_is_listed() -> None:
    modules = {
        path.stem
        for path in (ROOT / "benchmarks").glob("*.py")
        if "add_output(parser)" in path.read_text()
    }

    assert {one.name for one in BENCHMARKS} == modules


def test_every_claim_is_about_a_benchmark_and_says_what_limits_it() -> None:
    names = {one.name for one in BENCHMARKS}

    assert {claim.benchmark for claim in CLAIMS} <= names
    assert all(claim.limit for claim in CLAIMS)


def test_all_of_ci_size_take_ten_minutes_at_most() -> None:
    sizes = [one.ci for one in chosen([], CI) if one.ci is not None]

    assert sum(size.seconds for size in sizes) <= 600


def test_a_benchmark_is_measured_in_a_process_with_machine_and_versions(tmp_path: Path) -> None:
    record, problem = measure(Benchmark("engine_speed", "Stages", QUICK), CI)

    assert problem == ""
    names = [one["name"] for one in record["measurements"]]
    assert "records" in names
    assert record["machine"]["cores"] >= 1
    assert len(record["machine"]["load"]["start"]) == 3
    assert record["versions"]["packages"]["polars"] != "not installed"
    assert record["processor_seconds"] > 0
    assert json.loads(write(record, tmp_path).read_text())["size"]["told"] == "20 instances"
    assert [path.name for path in tmp_path.iterdir()] == ["engine_speed.json"]


def test_what_fails_is_told_by_its_status() -> None:
    ran = run([sys.executable, "-c", "raise SystemExit(3)"], 300)

    assert ran.problem == "ended with status 3"


def test_what_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    sleep = "import time; time.sleep(600)"
    parent = (
        "import pathlib, subprocess, sys; "
        f"child = subprocess.Popen([sys.executable, '-c', {sleep!r}]); "
        f"pathlib.Path({str(pid)!r}).write_text(str(child.pid)); {sleep}"
    )

    for limit in (1, 10, 100):  # A busy machine may need more to start the two.
        ran = run([sys.executable, "-c", parent], limit)
        if pid.exists() and pid.read_text():
            break

    assert ran.problem == f"took longer than {limit} s and was ended"
    assert ran.seconds < limit + 60
    assert not _is_alive(int(pid.read_text()))


def _is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    # A process that ended and that nobody waited for yet is a zombie.
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_one_that_fails_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Benchmark("no_such_module", "Nothing", QUICK, QUICK)
    works = Benchmark("engine_speed", "Stages", QUICK, QUICK)
    monkeypatch.setattr("benchmarks.listing.BENCHMARKS", (broken, works))

    with pytest.raises(SystemExit) as ended:
        main(["--results", str(tmp_path)])

    assert ended.value.code == 1
    assert "failed: no_such_module" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["engine_speed.json"]


def test_a_name_that_is_none_is_answered_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["nothing"])

    assert "there is no benchmark 'nothing'; expected some of" in capsys.readouterr().err


def test_full_size_says_before_what_time_and_disk_it_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["page_latency", "--full", "--list"])

    told = capsys.readouterr().out
    assert "1,000,000 recommendations" in told
    assert "About 5 minutes on two quiet cores, at most 8,000 MB of disk" in told
