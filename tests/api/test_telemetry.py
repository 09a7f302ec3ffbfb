"""Metrics: requests as they were counted, the rest as the state has it, all of it documented."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from compute_optimizer.api.telemetry import PREFIX, READINGS, REQUESTS, Telemetry
from compute_optimizer.jobs import decisions
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.worker import look
from compute_optimizer.model.decision import Action
from compute_optimizer.model.forecast import Counted, Score
from compute_optimizer.store import State, outbox
from compute_optimizer.store.forecasts import save_score
from compute_optimizer.store.tiles import TileStore
from tests.deciding import office
from tests.enrolling import ALPHA, START, Desk, HandClock
from tests.stored_fleets import BUSY, QUIET, store_fleet
from tests.workers import job, worker_on

Exposed = dict[str, dict[tuple[str, ...], float]]
"""Figures by name and label values, in the order of the labels' names."""


def exposed(telemetry: Telemetry) -> Exposed:
    found: Exposed = {}
    for family in text_string_to_metric_families(telemetry.exposed().decode()):
        for sample in family.samples:
            values = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name.removeprefix(PREFIX), {})[values] = sample.value
    return found


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def test_answers_are_counted_by_operation_and_status_with_their_time(
    sqlite_state: State, clock: HandClock
) -> None:
    telemetry = Telemetry(sqlite_state, clock)
    for seconds in (0.0001, 0.0002, 0.2):
        telemetry.observe("GetEnrollmentStatus", 200, seconds)
    telemetry.observe("GetEnrollmentStatus", 403, 0.001)

    found = exposed(telemetry)

    count = found["request_seconds_count"]
    assert count == {("GetEnrollmentStatus", "200"): 3, ("GetEnrollmentStatus", "403"): 1}
    total = found["request_seconds_sum"]["GetEnrollmentStatus", "200"]
    assert total == pytest.approx(0.2003)
    # Labels are le, operation, status: two of the three took at most half a millisecond.
    assert found["request_seconds_bucket"]["0.0005", "GetEnrollmentStatus", "200"] == 2
    assert found["request_seconds_bucket"]["0.25", "GetEnrollmentStatus", "200"] == 3


def test_callers_cannot_make_up_labels(sqlite_state: State, clock: HandClock) -> None:
    telemetry = Telemetry(sqlite_state, clock)
    for number in range(100):
        telemetry.observe(f"Invented{number}", 404, 0.001)

    assert exposed(telemetry)["request_seconds_count"] == {("other", "404"): 100}


def test_jobs_are_told_from_the_runs_on_record(
    sqlite_state: State, clock: HandClock, tmp_path: Path
) -> None:
    worker = worker_on(sqlite_state, clock, tmp_path, trial="1h")

    def fail(hold: object) -> None:
        clock.tick(seconds=9)
        raise ZeroDivisionError

    look(worker, job(lambda hold: None))
    clock.tick(hours=1)
    look(worker, job(fail))

    found = exposed(Telemetry(sqlite_state, clock))
    assert found["job_runs_total"] == {("trial",): 2}
    assert found["job_runs_kept"] == {("trial", "Succeeded"): 1, ("trial", "Failed"): 1}
    assert found["job_running"] == {("trial",): 0}
    assert found["job_last_duration_seconds"] == {("trial",): 9}
    assert found["job_last_start_timestamp_seconds"] == {("trial",): START.timestamp() + 3600}


def test_data_and_recommendations_are_told_as_they_are(
    sqlite_state: State, clock: HandClock, tmp_path: Path
) -> None:
    desk, tiles = Desk(sqlite_state, clock), TileStore(tmp_path / "tiles")
    desk.opt_in(ALPHA)
    desk.settle()
    store_fleet(sqlite_state, tiles, ALPHA, cpu=(QUIET, QUIET, BUSY))
    analysis = analyze(sqlite_state, tiles, clock, workers=1)

    found = exposed(Telemetry(sqlite_state, clock))

    scope = (ALPHA, "us-east-1", "Ec2Instance")
    # 06:30 on the 15th is 6 h 35 min after the start of the last slot of the 14th.
    assert found["newest_sample_timestamp_seconds"] == {scope: START.timestamp() - 23_700}
    assert found["analysis_as_of_timestamp_seconds"] == {scope: START.timestamp()}
    # Labels are finding, resource_type.
    assert found["recommendations"] == {
        (name, "Ec2Instance"): count for name, count in analysis.tally.findings.items()
    }
    savings = found["estimated_monthly_savings_usd"]["Ec2Instance",]
    assert savings == pytest.approx(analysis.tally.monthly_savings)
    assert found["exports_unfinished"] == {(): 0}
    assert found["state_bytes"][()] > 0


def test_the_newest_score_is_told(sqlite_state: State, clock: HandClock) -> None:
    none = Counted(0, 0.0, 0, (0.0, 0.0), None)
    every, first = Counted(9, 1.5, 2, (0.5, 5.0), 0.1), Counted(3, 0.5, 1, (0.1, 2.0), 0.1)
    with sqlite_state.writing() as connection:
        save_score(connection, Score("new", START, START, 3, 3, 0, 0, 0, every, first, ()))
        long_ago = START.replace(year=2025)
        save_score(connection, Score("old", long_ago, START, 3, 3, 0, 0, 0, none, none, ()))

    found = exposed(Telemetry(sqlite_state, clock))

    assert found["score_expected"] == {("every",): 1.5, ("first",): 0.5}
    assert found["score_observed"] == {("every",): 2, ("first",): 1}


def test_the_table_of_the_page_lists_every_metric_with_its_labels(repository: Path) -> None:
    page = (repository / "docs" / "worker.md").read_text()
    rows = re.findall(rf"^\| `({PREFIX}\w+)` \| ([^|]*) \|", page, re.MULTILINE)

    documented = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}

    expected = {PREFIX + one.name: one.labels for one in READINGS}
    assert documented == {REQUESTS: ("operation", "status"), **expected}


def test_decisions_and_deliveries_are_told_from_the_state(
    sqlite_state: State, tmp_path: Path
) -> None:
    here = office(sqlite_state, TileStore(tmp_path / "tiles"))
    clock = here.desk.clock
    decisions.decide(here.state, clock, here.advice().recommendation_id, Action.ACCEPT, "ada")
    with here.state.writing() as connection:
        ids = [one.event_id for one in outbox.unaddressed(connection)]
        outbox.address(connection, {one: ["chat"] for one in ids}, clock.now())

    found = exposed(Telemetry(here.state, clock))

    assert found["decisions"] == {(ALPHA, "accepted"): 1}
    # What was new, and what was accepted.
    assert found["webhook_deliveries_kept"]["waiting", "chat"] == 2
    oldest = found["webhook_oldest_waiting_timestamp_seconds"]
    assert oldest == {("chat",): clock.now().timestamp()}
