"""The command `worker`: one pass for cron, and its exit code."""

import json
import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.cli.conftest import Type
from tests.enrolling import ALPHA, opt_in
from tests.stored_fleets import BUSY, QUIET, store_fleet


@pytest.fixture
def fresh_fleet(tmp_path: Path) -> None:
    """Two machines in the data folder whose samples reach to yesterday."""
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state:
        state.migrate()
        opt_in(state, ALPHA)
        yesterday = SystemClock().now().date() - timedelta(days=1)
        tiles = TileStore(tmp_path / "tiles")
        store_fleet(state, tiles, ALPHA, cpu=(QUIET, BUSY), last=yesterday)


@pytest.mark.usefixtures("fresh_fleet")
def test_once_runs_every_job_and_says_what_it_did(typed: Type) -> None:
    ended = typed("worker", "--once", "--output", "json")

    rows = {one["job"]: one for one in json.loads(ended.out)}
    assert ended.code == 0
    assert list(rows) == [kind.name for kind in JOB_KINDS]
    assert {one["outcome"] for one in rows.values()} == {"Succeeded"}
    assert rows["analysis"]["detail"]["resources"] == 2


@pytest.mark.usefixtures("fleet")
def test_the_exit_code_is_that_of_the_job_that_failed(typed: Type) -> None:
    # The samples of this fleet end in March 2026: the analysis finds none in its window.
    ended = typed("worker", "--once", "--output", "json")

    rows = {one["job"]: one for one in json.loads(ended.out)}
    assert ended.code == 2
    assert rows["analysis"]["outcome"] == "Failed"
    assert "no sample lies in the look-back period" in rows["analysis"]["error"]
    assert {one["outcome"] for name, one in rows.items() if name != "analysis"} == {"Succeeded"}


def test_once_runs_only_the_jobs_that_are_named(typed: Type) -> None:
    ended = typed("worker", "--once", "--job", "purge", "--job", "exports", "--output", "json")

    assert [one["job"] for one in json.loads(ended.out)] == ["exports", "purge"]


def test_the_table_is_for_people(typed: Type) -> None:
    ended = typed("worker", "--once", "--job", "purge")

    assert "What it did" in ended.out
    assert "nothing to do" in ended.out


def test_an_unknown_job_is_named(typed: Type) -> None:
    ended = typed("worker", "--once", "--job", "laundry")

    assert ended.code == 2
    assert "'laundry' is no job; expected one of enrollment, " in ended.err


def test_a_wrong_schedule_is_named_with_its_setting(
    typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_SCHEDULE_PURGE", "sometimes")

    ended = typed("worker", "--once")

    assert ended.code == 2
    assert "setting schedule_purge: 'sometimes' is no schedule" in ended.err


def test_a_job_that_is_turned_off_runs_only_when_it_is_named(
    typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_SCHEDULE_PURGE", "off")

    both = typed("worker", "--once", "--output", "json")
    named = typed("worker", "--once", "--job", "purge", "--output", "json")

    assert "purge" not in {one["job"] for one in json.loads(both.out)}
    assert json.loads(named.out)[0]["outcome"] == "Succeeded"


def test_the_page_has_a_row_for_every_job(repository: Path) -> None:
    page = (repository / "docs" / "worker.md").read_text()
    table = page.split("## What it does")[1].split("\n## ")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [one.name for one in JOB_KINDS]
