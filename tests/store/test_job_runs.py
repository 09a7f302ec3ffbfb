"""Leases of jobs on both kinds of databases: one holder, taken over once they pass, fenced."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from compute_optimizer.errors import Conflict
from compute_optimizer.model.job_run import JobRun, Outcome
from compute_optimizer.store import State
from compute_optimizer.store.job_runs import (
    Lease,
    claim,
    complete,
    counts_of_runs,
    finish,
    last_run,
    last_runs,
    remove_runs_before,
    renew,
    runs_of,
)
from tests.enrolling import START
from tests.revisions import back_to

JOB = "analysis"
LEASE = timedelta(seconds=60)


def take(state: State, holder: str = "one", after: timedelta = timedelta()) -> Lease | None:
    """Claim the job as a process does that has just seen its last run."""
    return take_knowing(state, newest(state), holder, after)


def take_knowing(
    state: State, last: JobRun | None, holder: str, after: timedelta = timedelta()
) -> Lease | None:
    now = START + after
    with state.writing() as connection:
        return claim(connection, JOB, last, holder, now, due_at=now, attempt=1, length=LEASE)


def newest(state: State) -> JobRun | None:
    with state.reading() as connection:
        return last_run(connection, JOB)


def end(state: State, lease: Lease, after: timedelta = timedelta()) -> None:
    with state.writing() as connection:
        finish(connection, lease, START + after, Outcome.SUCCEEDED, {"resources": 3})


def test_a_run_is_kept_with_what_it_did(state: State) -> None:
    lease = take(state)
    assert lease is not None
    end(state, lease, timedelta(seconds=9))

    found = newest(state)
    assert found == JobRun(
        job=JOB,
        generation=1,
        due_at=START,
        attempt=1,
        holder="one",
        started_at=START,
        lease_until=START + LEASE,
        finished_at=START + timedelta(seconds=9),
        outcome=Outcome.SUCCEEDED,
        detail={"resources": 3},
    )
    with state.reading() as connection:
        assert last_runs(connection) == {JOB: found}
        assert counts_of_runs(connection) == {(JOB, Outcome.SUCCEEDED): 1}


def test_of_processes_at_the_same_moment_one_takes_the_job(state: State) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: take_knowing(state, None, str(number)), range(8)))

    assert sum(one is not None for one in found) == 1


def test_a_held_job_is_not_taken_until_its_lease_passes(state: State) -> None:
    first = take(state)
    assert first is not None

    assert take(state, "two", LEASE - timedelta(seconds=1)) is None
    with state.writing() as connection:
        renew(connection, first, START + timedelta(seconds=30))
    # Renewed after 30 s, it passes after 90.
    assert take(state, "two", LEASE) is None
    second = take(state, "two", LEASE + timedelta(seconds=30))

    assert second is not None
    with state.reading() as connection:
        outcomes = [one.outcome for one in runs_of(connection, JOB)]
    assert outcomes == [Outcome.LOST, None]


def test_whoever_lost_the_lease_can_write_nothing_more(state: State) -> None:
    stale = take(state)
    assert stale is not None
    assert take(state, "two", LEASE) is not None

    with state.writing() as connection, pytest.raises(Conflict, match="given to another"):
        renew(connection, stale, START + LEASE)
    with pytest.raises(Conflict, match="given to another"):
        end(state, stale)
    found = newest(state)
    assert found is not None
    assert (found.holder, found.outcome) == ("two", None)


def test_a_run_may_end_with_its_result_and_tell_later_what_it_did(state: State) -> None:
    lease = take(state)
    assert lease is not None
    with state.writing() as connection:
        complete(connection, lease, START)

    assert take(state, "two") is not None
    end(state, lease)

    with state.reading() as connection:
        first, _ = runs_of(connection, JOB)
    assert (first.outcome, first.detail) == (Outcome.SUCCEEDED, {"resources": 3})
    with pytest.raises(Conflict):
        end(state, lease)


def test_a_run_that_was_lost_cannot_end_with_its_result(state: State) -> None:
    stale = take(state)
    assert stale is not None
    assert take(state, "two", LEASE) is not None

    with state.writing() as connection, pytest.raises(Conflict, match="given to another"):
        complete(connection, stale, START + LEASE)


def test_of_processes_that_see_a_passed_lease_one_takes_over(state: State) -> None:
    take(state)
    last = newest(state)

    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda number: take_knowing(state, last, str(number), LEASE), range(8))
        )

    assert sum(one is not None for one in found) == 1


def test_old_runs_are_forgotten_but_never_the_newest(state: State) -> None:
    for hours in range(3):
        lease = take(state, after=timedelta(hours=hours))
        assert lease is not None
        end(state, lease, timedelta(hours=hours))

    with state.writing() as connection:
        assert remove_runs_before(connection, START + timedelta(hours=1)) == 1
        assert remove_runs_before(connection, START + timedelta(days=9)) == 1
    with state.reading() as connection:
        assert [one.generation for one in runs_of(connection, JOB)] == [3]


def test_a_state_of_the_fifth_revision_gets_the_tables(state: State) -> None:
    with state.writing() as connection:
        back_to(connection, "0005")

    state.migrate()

    assert take(state) is not None
