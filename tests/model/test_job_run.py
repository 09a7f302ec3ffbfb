"""When a job is due: by its schedule, again after failures, at once after a stop."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from compute_optimizer.model.job_run import JobRun, Outcome, due_moment, following

START = datetime(2026, 3, 15, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
RUNNING = JobRun("analysis", 1, START, 1, "one", START, START + MINUTE)


def hourly(moment: datetime) -> datetime:
    return moment + HOUR


def ended(outcome: Outcome, attempt: int = 1, minutes: int = 2) -> JobRun:
    return replace(RUNNING, outcome=outcome, attempt=attempt, finished_at=START + minutes * MINUTE)


def test_a_job_that_never_ran_is_due_at_once() -> None:
    assert due_moment(None, hourly, START) == START


def test_a_job_that_runs_is_due_when_its_lease_passes() -> None:
    assert due_moment(RUNNING, hourly, START) == START + MINUTE


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (ended(Outcome.SUCCEEDED), HOUR),
        # Stopped, or its process died: nothing is left to wait for.
        (ended(Outcome.INTERRUPTED), 2 * MINUTE),
        (ended(Outcome.LOST), 2 * MINUTE),
        # Failed after 2 minutes: 5 later, after the second time 10 later, after the third no more.
        (ended(Outcome.FAILED), 7 * MINUTE),
        (ended(Outcome.FAILED, attempt=2), 12 * MINUTE),
        (ended(Outcome.FAILED, attempt=3), HOUR),
        (ended(Outcome.LOST, attempt=3), HOUR),
        # The schedule comes before the pause is over.
        (ended(Outcome.FAILED, minutes=58), HOUR),
        # It ran longer than its interval.
        (ended(Outcome.FAILED, minutes=90), 90 * MINUTE),
    ],
)
def test_the_next_run_depends_on_how_the_last_one_ended(last: JobRun, due: timedelta) -> None:
    assert due_moment(last, hourly, START + HOUR) == START + due


@pytest.mark.parametrize(
    ("last", "minutes", "expected"),
    [
        (None, 7, (7, 1)),
        (ended(Outcome.SUCCEEDED), 60, (60, 1)),
        (ended(Outcome.FAILED), 7, (0, 2)),
        (ended(Outcome.LOST, attempt=2), 7, (0, 3)),
        (ended(Outcome.INTERRUPTED, attempt=2), 7, (0, 2)),
        # An hour later the schedule wants it anyway; hours that were missed are one run.
        (ended(Outcome.FAILED), 60, (60, 1)),
        (ended(Outcome.SUCCEEDED), 600, (600, 1)),
        (ended(Outcome.FAILED, attempt=3), 60, (60, 1)),
    ],
)
def test_another_attempt_keeps_the_due_time(
    last: JobRun | None, minutes: int, expected: tuple[int, int]
) -> None:
    due_at, attempt = following(last, hourly, START + minutes * MINUTE)

    assert (due_at, attempt) == (START + expected[0] * MINUTE, expected[1])
