"""The command `status`: jobs, data and sizes."""

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.model.event import Event, EventName
from compute_optimizer.store import State, outbox
from tests.cli.conftest import Type
from tests.enrolling import ALPHA, HandClock


def test_a_new_installation_has_jobs_that_are_due_and_no_data(typed: Type) -> None:
    found = json.loads(typed("status", "--output", "json").out)

    assert [one["job"] for one in found["jobs"]] == [kind.name for kind in JOB_KINDS]
    assert all(one["lastRun"] is None for one in found["jobs"])
    assert all(one["nextRun"] == found["now"] for one in found["jobs"])
    assert found["data"] == []
    assert found["sizes"]["stateBytes"] > 0
    assert "There is no data yet" in typed("status").out


@pytest.mark.usefixtures("fleet")
def test_jobs_and_data_are_told(typed: Type) -> None:
    typed("worker", "--once", "--job", "purge", "--job", "analysis")
    typed("analyze", "--as-of", "2026-03-14")

    found = json.loads(typed("status", "--output", "json").out)

    jobs = {one["job"]: one for one in found["jobs"]}
    assert jobs["purge"]["lastRun"]["outcome"] == "Succeeded"
    assert jobs["purge"]["schedule"] == "1m"
    assert jobs["analysis"]["lastRun"]["outcome"] == "Failed"
    assert "no sample lies" in jobs["analysis"]["lastRun"]["detail"]["error"]
    assert jobs["exports"]["lastRun"] is None
    (data,) = found["data"]
    assert (data["accountId"], data["region"]) == (ALPHA, "us-east-1")
    assert (data["resources"], data["recommendations"], data["errors"]) == (2, 2, 0)
    # The last slot of 14 March begins at 23:55.
    assert data["newestSample"] == "2026-03-14T23:55:00+00:00"
    assert data["asOf"] == "2026-03-15T00:00:00+00:00"
    assert (found["sizes"]["tileFiles"], found["sizes"]["tileBytes"] > 0) == (14, True)


def test_whoever_never_ran_a_worker_is_told_to_start_one(typed: Type) -> None:
    out = typed("status").out

    assert "No worker has run yet. Start `compute-optimizer worker`" in out
    assert "due since" not in out


def test_jobs_that_wait_for_a_worker_say_since_when(
    typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("worker", "--once", "--job", "purge")
    begun = SystemClock().now()
    assert "No worker" not in typed("status").out

    # Purging is due every minute; what has nothing to do is on record every ten minutes.
    for minutes, told in ((11, False), (13, True)):
        monkeypatch.setattr(SystemClock, "now", lambda _, m=minutes: begun + timedelta(minutes=m))
        jobs = json.loads(typed("status", "--output", "json").out)["jobs"]
        assert {one["job"]: one["overdue"] for one in jobs}["purge"] is told

    out = typed("status").out
    assert f"No worker is running: no job was begun since {begun:%Y-%m-%d %H:%M}" in out
    assert "due since" in out


@pytest.mark.usefixtures("fleet")
def test_the_tables_are_for_people(typed: Type) -> None:
    typed("worker", "--once", "--job", "purge", "--job", "analysis")

    out = typed("status").out

    assert "Jobs of the worker" in out
    assert "no sample lies in the look-back period" in out
    assert "2026-03-14 23:55" in out
    assert "14 day tiles" in out


def test_a_job_that_is_turned_off_has_no_next_run(
    typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_SCHEDULE_PURGE", "off")

    found = json.loads(typed("status", "--output", "json").out)

    (purge,) = (one for one in found["jobs"] if one["job"] == "purge")
    assert (purge["schedule"], purge["nextRun"]) == ("off", None)


def test_how_telling_webhooks_goes_is_told(typed: Type, fleet: list[str], tmp_path: Path) -> None:
    assert json.loads(typed("status", "--output", "json").out)["webhooks"] == []
    assert "Webhooks" not in typed("status").out
    clock = HandClock()
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state, state.writing() as there:
        for number in (1, 2):
            name = f"event-{number}"
            outbox.put(there, Event(name, EventName.NEW, ALPHA, clock.now(), "analysis"))
            outbox.address(there, {name: ["chat"]}, clock.now())
        (one, _) = outbox.due_deliveries(there, "chat", clock.now(), 2)
        outbox.failed(there, one, clock.now(), "answers 500", None)

    (told,) = json.loads(typed("status", "--output", "json").out)["webhooks"]

    assert told == {
        "name": "chat",
        "waiting": 1,
        "delivered": 0,
        "givenUp": 1,
        "oldestWaiting": clock.now().isoformat(),
        "lastError": "answers 500",
    }
    assert "answers 500" in typed("status").out
