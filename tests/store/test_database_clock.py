"""The database's clock: what it says in place of a machine's that is wrong, and how it is kept."""

import logging
import pickle
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compute_optimizer.interfaces import Clock, SystemClock
from compute_optimizer.jobs.worker import Hold
from compute_optimizer.jobs.worker import look as look_at_job
from compute_optimizer.model.job_run import Outcome
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import (
    begin_run,
    complete_run,
    prune_runs,
    write_rows,
)
from compute_optimizer.store.database_clock import (
    BETWEEN_LOOKS,
    DatabaseClock,
    is_good,
    lag,
    look,
)
from tests.states import FreshUrl
from tests.workers import job, worker_on
from tests.wrong_clocks import WrongClock

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def states(fresh_postgresql: FreshUrl) -> Iterator[dict[timedelta, State]]:
    """One database, as machines have it open whose clocks are off."""
    url = fresh_postgresql()
    offs = (timedelta(), timedelta(minutes=10), timedelta(hours=-2))
    found = {off: State(url, WrongClock(off)) for off in offs}
    yield found
    for state in found.values():
        state.close()


def read(state: State) -> None:
    with state.reading():
        pass


def about_now(clock: Clock) -> bool:
    return abs(clock.now() - SystemClock().now()) < timedelta(seconds=5)


def test_whoever_shares_a_state_has_one_time(states: dict[timedelta, State]) -> None:
    for off, state in states.items():
        assert about_now(state.clock) == (not off), "nobody has looked yet"
        read(state)
        assert about_now(state.clock)


def test_writing_looks_too(states: dict[timedelta, State]) -> None:
    state = states[timedelta(hours=-2)]
    with state.writing():
        assert about_now(state.clock)


def test_a_clock_that_is_wrong_is_told_of_once(
    states: dict[timedelta, State], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for state in states.values():
        read(state)
        read(state)

    assert [one.message.split(",")[0] for one in caplog.records] == [
        "the clock of this machine is 0:10:00 ahead of PostgreSQL's",
        "the clock of this machine is 2:00:00 behind PostgreSQL's",
    ]


def test_a_run_lives_though_a_machine_that_writes_for_it_is_hours_behind(
    states: dict[timedelta, State],
) -> None:
    here, there = states[timedelta()], states[timedelta(hours=-2)]
    with here.writing() as connection:
        run_id = begin_run(connection, NOON, here.clock.now())
    with there.writing() as connection:
        write_rows(connection, run_id, [], now=there.clock.now())
    with here.writing() as connection:
        prune_runs(connection, here.clock.now())
        complete_run(connection, run_id, [], here.clock.now())


def test_a_lease_counts_the_same_on_machines_whose_clocks_differ(
    states: dict[timedelta, State], tmp_path: Path
) -> None:
    one, two = (
        worker_on(state, state.clock, tmp_path, holder, trial="1h")
        for holder, state in (("one", states[timedelta()]), ("two", states[timedelta(minutes=10)]))
    )
    meanwhile = []

    def run(hold: Hold) -> None:
        meanwhile.append(look_at_job(two, job(lambda hold: pytest.fail("the lease is held"))))
        hold.fence_off()

    assert look_at_job(one, job(run)).outcome is Outcome.SUCCEEDED
    assert (meanwhile[0].outcome, meanwhile[0].held_by) == (None, "one")


def test_it_is_the_machines_clock_with_sqlite(fresh_sqlite: FreshUrl) -> None:
    wrong = WrongClock(timedelta(hours=2))
    with closing(State(fresh_sqlite(), wrong)) as state:
        read(state)
        assert state.clock is wrong


def test_it_goes_to_other_machines_without_what_was_seen_on_this_one(
    states: dict[timedelta, State],
) -> None:
    state = states[timedelta()]

    assert pickle.loads(pickle.dumps(state.clock)) == state.clock
    assert state.url not in repr(state.clock)


def test_the_database_is_asked_again_after_a_minute_or_a_jump(
    states: dict[timedelta, State],
) -> None:
    state, seconds = states[timedelta()], [0.0]
    clock = DatabaseClock(state.url, moved := MovedClock())

    def behind() -> timedelta:
        with state.engine.connect() as connection:
            look(clock, connection, lambda: seconds[0])
        before = moved.now()
        # To the second, which is what two readings one after the other leave.
        return timedelta(seconds=round((clock.now() - before).total_seconds()))

    assert behind() == timedelta()
    moved.off = timedelta(hours=1)
    assert behind() == -timedelta(hours=1)
    seconds[0] += BETWEEN_LOOKS
    moved.off = timedelta()
    assert behind() == timedelta()


class MovedClock:
    """The clock of a machine that somebody sets."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self) -> datetime:
        return SystemClock().now() + self.off


@pytest.mark.parametrize(
    ("gone", "told", "good"),
    [
        (59.0, 59.0, True),
        (60.0, 60.0, False),  # A minute.
        (10.0, 10.9, True),
        (10.0, 12.0, False),  # Set forward, or the machine slept.
        (10.0, 8.0, False),
    ],
)
def test_what_was_seen_is_good_for_a_minute_unless_the_clock_is_set(
    gone: float, told: float, good: bool
) -> None:
    assert is_good(NOON, 5.0, NOON + told * SECOND, 5.0 + gone) is good


@pytest.mark.parametrize(
    ("took", "told", "known", "expected"),
    [
        (0.0, 0.9, 0.0, 0.0),  # NTP is not better than that over a bad network.
        (0.0, 1.1, 0.0, 1.1),
        (10.0, 10.9, 0.0, 0.0),  # 5.9 s after the middle, of which 5 may be the way.
        (0.0, 600.5, 600.0, 600.0),  # What is known stands,
        (0.0, 603.0, 600.0, 603.0),  # unless it is clearly wrong.
        (0.0, 0.5, 600.0, 0.0),  # Set right again.
        (2.0, -7199.0, 0.0, -7200.0),
    ],
)
def test_what_a_clock_lacks(took: float, told: float, known: float, expected: float) -> None:
    found = lag(NOON, NOON + told * SECOND, NOON + took * SECOND, known * SECOND)

    assert found == expected * SECOND
