"""How long a worker sleeps before it looks at a job again."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.cli import worker as command
from compute_optimizer.cli.worker import LONGEST_SLEEP, PAUSE_AFTER_FAILURE, SHORTEST_SLEEP
from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.worker import JobKind, Look, Worker
from compute_optimizer.store import State
from tests.enrolling import HandClock
from tests.workers import worker_on

KIND = JOB_KINDS[0]


@pytest.fixture
def bench(sqlite_state: State, tmp_path: Path) -> Worker:
    """A worker whose clock, that of the jobs, is years from the machine's."""
    return worker_on(sqlite_state, HandClock(), tmp_path)


@pytest.mark.parametrize(
    ("until", "sleeps"),
    [
        (timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(0), SHORTEST_SLEEP),
        # Due for long, as where a job that is held elsewhere outlives its lease.
        (timedelta(days=-3), SHORTEST_SLEEP),
        (timedelta(days=6), LONGEST_SLEEP),
    ],
)
def test_it_sleeps_a_span_of_the_clock_of_the_jobs(
    bench: Worker, monkeypatch: pytest.MonkeyPatch, until: timedelta, sleeps: timedelta
) -> None:
    def look(worker: Worker, kind: JobKind) -> Look:
        return Look(kind.name, worker.clock.now() + until)

    monkeypatch.setattr(command, "look", look)

    assert command._looked(bench, KIND) == sleeps


def test_a_job_that_is_turned_off_is_slept_for_no_longer(
    bench: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "look", lambda _, kind: Look(kind.name, None))

    assert command._looked(bench, KIND) is None


@pytest.mark.parametrize(
    ("on", "said"),
    [(("analysis", "purge"), "analysis, purge"), ((), "nothing: all schedules are off")],
)
def test_what_is_turned_off_is_not_told_of(
    sqlite_state: State, tmp_path: Path, on: tuple[str, ...], said: str
) -> None:
    bench = worker_on(sqlite_state, HandClock(), tmp_path, **dict.fromkeys(on, "1h"))

    assert command._scheduled(bench, JOB_KINDS) == said


@pytest.mark.parametrize(
    ("error", "traced"), [(StoreUnavailable("the disk is full"), False), (KeyError("x"), True)]
)
def test_a_state_that_cannot_be_asked_is_slept_over(
    bench: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    traced: bool,
) -> None:
    def look(_worker: Worker, _kind: JobKind) -> Look:
        raise error

    monkeypatch.setattr(command, "look", look)

    with caplog.at_level(logging.ERROR):
        assert command._looked(bench, KIND) == PAUSE_AFTER_FAILURE
    (record,) = caplog.records
    assert (record.exc_info is not None) is traced
