"""Looking at jobs: when they run, who runs them, and what is left when they fail or are stopped."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.worker import REST, Hold, Worker, look, run_now
from compute_optimizer.model.job_run import JobRun, Outcome
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.job_runs import last_run, runs_of
from tests.enrolling import ALPHA, START, Desk, HandClock, opt_in
from tests.records import REGION
from tests.stored_fleets import BUSY, QUIET, store_fleet
from tests.workers import LEASE, job, worker_on

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def worker(sqlite_state: State, clock: HandClock, tmp_path: Path) -> Worker:
    return worker_on(sqlite_state, clock, tmp_path, trial="1h", analysis="1d")


def runs(worker: Worker, name: str = "trial") -> list[JobRun]:
    with worker.state.reading() as connection:
        return runs_of(connection, name)


def test_a_job_runs_when_it_is_due_and_not_before(worker: Worker, clock: HandClock) -> None:
    done: list[int] = []
    kind = job(lambda hold: done.append(1))

    first = look(worker, kind)
    clock.tick(minutes=59)
    early = look(worker, kind)
    clock.tick(minutes=1)
    second = look(worker, kind)

    assert (first.outcome, first.again) == (Outcome.SUCCEEDED, START + HOUR)
    assert (early.outcome, early.again) == (None, START + HOUR)
    assert (second.outcome, second.again) == (Outcome.SUCCEEDED, START + 2 * HOUR)
    assert len(done) == 2


def test_a_job_that_is_turned_off_is_never_looked_at_again(worker: Worker) -> None:
    silent = worker_on(worker.state, worker.clock, Path("unused"), trial="off")

    found = look(silent, job(lambda hold: pytest.fail("it is off")))

    assert found.again is None


def test_a_failure_is_kept_told_and_tried_again(worker: Worker, clock: HandClock) -> None:
    def fail(hold: Hold) -> None:
        raise StoreUnavailable("the source is away")

    found = look(worker, job(fail))

    assert (found.outcome, found.error, found.exit_code) == (
        Outcome.FAILED,
        "the source is away",
        StoreUnavailable.exit_code,
    )
    assert found.again == START + timedelta(minutes=5)
    assert runs(worker)[0].detail == {"error": "the source is away"}
    clock.tick(minutes=5)
    assert look(worker, job(lambda hold: None)).outcome is Outcome.SUCCEEDED
    assert [(one.due_at, one.attempt) for one in runs(worker)] == [(START, 1), (START, 2)]


def test_a_defect_is_logged_and_not_shown(worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    found = look(worker, job(lambda hold: 1 / 0))

    assert found.outcome is Outcome.FAILED
    assert found.error == "an internal error occurred; the worker's log has it"
    assert "ZeroDivisionError" in caplog.text


def test_two_workers_at_once_run_a_job_once(state: State, tmp_path: Path) -> None:
    clock, start, done = HandClock(), Barrier(2), list[str]()

    def act(number: int) -> Outcome | None:
        mine = worker_on(state, clock, tmp_path, str(number), trial="1h")
        start.wait()
        return look(mine, job(lambda hold: done.append(hold.worker.holder))).outcome

    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            outcomes = list(pool.map(act, range(2)))
            assert outcomes.count(Outcome.SUCCEEDED) == 1
            clock.tick(hours=1)
    assert len(done) == 5


def test_a_job_of_a_process_that_is_gone_is_taken_over(worker: Worker, clock: HandClock) -> None:
    other = worker_on(worker.state, clock, Path("unused"), "two", trial="1h")

    def die(hold: Hold) -> None:
        raise SystemExit  # Nobody says how the run ended, as after kill -9.

    with pytest.raises(SystemExit):
        look(worker, job(die))
    waiting = look(other, job(lambda hold: pytest.fail("the lease is held")))
    clock.moment += LEASE
    after = look(other, job(lambda hold: {"resources": 1}))

    assert (waiting.outcome, waiting.held_by, waiting.again) == (None, "one", START + LEASE)
    assert after.outcome is Outcome.SUCCEEDED
    assert [(one.holder, one.outcome, one.attempt) for one in runs(worker)] == [
        ("one", Outcome.LOST, 1),
        ("two", Outcome.SUCCEEDED, 2),
    ]


def test_what_kills_its_process_every_time_waits_for_the_schedule_after_three(
    worker: Worker, clock: HandClock
) -> None:
    def die(hold: Hold) -> None:
        raise SystemExit

    for _ in range(3):
        with pytest.raises(SystemExit):
            look(worker, job(die))
        clock.moment += LEASE
    # The lease of the third has passed, but the next run is the one of the next hour.
    look(worker, job(lambda hold: None))
    assert [one.attempt for one in runs(worker)] == [1, 2, 3, 1]


def test_a_process_that_slept_cannot_write_its_result(worker: Worker, clock: HandClock) -> None:
    other = worker_on(worker.state, clock, Path("unused"), "two", trial="1h")

    def sleep(hold: Hold) -> None:
        clock.moment += LEASE
        assert look(other, job(lambda hold: None)).outcome is Outcome.SUCCEEDED
        with hold.worker.state.writing() as connection:
            hold.fence(connection)

    found = look(worker, job(sleep))

    assert found.outcome is Outcome.LOST
    assert found.error is not None
    assert "given to another process" in found.error
    assert [one.outcome for one in runs(worker)] == [Outcome.LOST, Outcome.SUCCEEDED]


def test_a_job_that_is_stopped_is_begun_again_at_once(worker: Worker) -> None:
    def stop(hold: Hold) -> None:
        hold.worker.stop.set()
        hold.progress(1, 2)

    found = look(worker, job(stop))
    worker.stop.clear()

    assert (found.outcome, found.again) == (Outcome.INTERRUPTED, START)
    assert look(worker, job(lambda hold: None)).outcome is Outcome.SUCCEEDED
    assert [(one.due_at, one.attempt) for one in runs(worker)] == [(START, 1), (START, 1)]


def test_a_job_with_nothing_to_do_writes_nothing_for_a_while(
    worker: Worker, clock: HandClock
) -> None:
    frequent = worker_on(worker.state, clock, Path("unused"), trial="5s")
    idle = job(lambda hold: None, waiting=lambda worker: False)
    look(frequent, idle)
    clock.tick(seconds=5)

    assert look(frequent, idle).again == clock.now() + timedelta(seconds=5)
    assert len(runs(worker)) == 1
    clock.moment += REST
    look(frequent, idle)
    assert len(runs(worker)) == 2


def test_once_runs_whatever_the_schedule_says_unless_another_holds_it(
    worker: Worker, clock: HandClock
) -> None:
    assert look(worker, job(lambda hold: None)).outcome is Outcome.SUCCEEDED
    assert run_now(worker, job(lambda hold: None)).outcome is Outcome.SUCCEEDED

    def nested(hold: Hold) -> None:
        found = run_now(worker, job(lambda hold: pytest.fail("the lease is held")))
        assert (found.outcome, found.held_by) == (None, "one")

    assert run_now(worker, job(nested)).outcome is Outcome.SUCCEEDED


def test_the_lease_is_renewed_while_a_job_runs(
    worker: Worker, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compute_optimizer.jobs.worker.RENEWALS", 6_000)  # Every hundredth second.

    def long(hold: Hold) -> None:
        clock.tick(seconds=40)
        for _ in range(1_000):
            with hold.worker.state.reading() as connection:
                last = last_run(connection, "trial")
            if last is not None and last.lease_until == clock.now() + LEASE:
                return
            hold.lost.wait(0.01)
        pytest.fail("the lease was not renewed")

    assert look(worker, job(long)).outcome is Outcome.SUCCEEDED


# The jobs themselves

KINDS = {kind.name: kind for kind in JOB_KINDS}
SCOPE = Scope(ALPHA, REGION, EC2_INSTANCE)


@pytest.fixture
def fleet(worker: Worker, clock: HandClock) -> Desk:
    desk = opt_in(worker.state, ALPHA, clock=clock)
    store_fleet(worker.state, worker.tiles, ALPHA, cpu=(QUIET, BUSY))
    return desk


def current(worker: Worker) -> str | None:
    with worker.state.reading() as connection:
        return current_run(connection, SCOPE)


def test_the_daily_analysis_publishes_recommendations(worker: Worker, fleet: Desk) -> None:
    found = look(worker, KINDS["analysis"])

    assert found.detail is not None
    assert (found.detail["accounts"], found.detail["resources"]) == (1, 2)
    assert found.detail["run"] == current(worker)


def test_an_analysis_whose_lease_was_lost_publishes_nothing(
    worker: Worker, fleet: Desk, clock: HandClock
) -> None:
    other = worker_on(worker.state, clock, worker.tiles.root.parent, "two", analysis="1d")
    theirs: list[str | None] = []

    def oversleep(_job: str, done: int, total: int) -> None:
        if not theirs:
            theirs.append("asleep")
            clock.moment += LEASE
            assert look(other, KINDS["analysis"]).outcome is Outcome.SUCCEEDED
            theirs.append(current(worker))

    found = look(replace(worker, told=oversleep), KINDS["analysis"])

    assert found.outcome is Outcome.LOST
    assert current(worker) == theirs[1]


def test_an_analysis_that_is_stopped_leaves_the_former_recommendations(
    worker: Worker, fleet: Desk, clock: HandClock
) -> None:
    look(worker, KINDS["analysis"])
    before = current(worker)
    clock.tick(days=1)
    worker.stop.set()

    assert look(worker, KINDS["analysis"]).outcome is Outcome.INTERRUPTED
    assert current(worker) == before
    worker.stop.clear()
    assert look(worker, KINDS["analysis"]).outcome is Outcome.SUCCEEDED
    assert current(worker) != before
