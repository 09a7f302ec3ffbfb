"""The clock that a test moves."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute_optimizer.emulator.clock import MovableClock
from compute_optimizer.errors import InvalidInput

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Machine:
    """A machine's clock in a test's hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 26, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def test_goes_on_with_the_machine_from_its_start() -> None:
    machine = Machine()
    clock = MovableClock(START, machine=machine)
    machine.time += timedelta(seconds=5)

    assert clock.now() == START + timedelta(seconds=5)


def test_starts_now_where_no_start_is_given() -> None:
    machine = Machine()

    assert MovableClock(machine=machine).now() == machine.time


def test_stands_still_while_frozen_and_goes_on_afterwards() -> None:
    machine = Machine()
    clock = MovableClock(START, frozen=True, machine=machine)
    machine.time += timedelta(hours=1)
    assert clock.now() == START

    clock.resume()
    machine.time += timedelta(seconds=2)
    assert clock.now() == START + timedelta(seconds=2)

    clock.freeze()
    machine.time += timedelta(hours=1)
    assert clock.now() == START + timedelta(seconds=2)


def test_tells_who_waits_for_it_after_every_move() -> None:
    clock = MovableClock(START, frozen=True)
    seen: list[datetime] = []
    clock.moved = lambda: seen.append(clock.now())

    clock.advance(days=7)
    clock.set(START + timedelta(days=8))

    assert seen == [START + timedelta(days=7), START + timedelta(days=8)]


@given(st.lists(st.timedeltas(timedelta(), timedelta(days=3650)), max_size=10))
def test_moves_add_up(steps: list[timedelta]) -> None:
    clock = MovableClock(START, frozen=True)
    for step in steps:
        clock.advance(step)

    assert clock.now() == START + sum(steps, timedelta())


def test_reads_any_time_zone() -> None:
    clock = MovableClock(START, frozen=True)
    there = timezone(timedelta(hours=9))
    clock.set(datetime(2026, 3, 2, 9, tzinfo=there))

    assert clock.now() == datetime(2026, 3, 2, 0, tzinfo=UTC)


def test_never_goes_back() -> None:
    clock = MovableClock(START, frozen=True)
    with pytest.raises(InvalidInput, match="cannot go back"):
        clock.advance(seconds=-1)
    assert clock.now() == START


@pytest.mark.parametrize("frozen", [True, False])
def test_begins_again_at_its_start(frozen: bool) -> None:
    machine = Machine()
    clock = MovableClock(START, frozen=frozen, machine=machine)
    clock.advance(days=9)
    clock.resume() if frozen else clock.freeze()

    clock.restart()
    assert clock.now() == START
    assert clock.frozen is frozen
    machine.time += timedelta(hours=1)
    assert clock.now() == START + timedelta(hours=not frozen)


def test_begins_again_with_the_machine_where_it_had_no_start() -> None:
    machine = Machine()
    clock = MovableClock(machine=machine)
    clock.advance(days=9)
    machine.time += timedelta(hours=1)

    clock.restart()
    assert clock.now() == machine.time


def test_wants_a_time_zone() -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        MovableClock(datetime(2026, 3, 1))  # what it refuses
