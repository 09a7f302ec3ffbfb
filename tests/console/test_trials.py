"""What-ifs in the background: one at a time in each process, stopped, and errors told."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads

import pytest

from compute_optimizer.console import trials
from compute_optimizer.console.trials import THREAD, Compute, Trials, compute_next
from compute_optimizer.errors import Conflict, StoreUnavailable
from compute_optimizer.interfaces import Progress
from compute_optimizer.store import State
from compute_optimizer.store.what_ifs import (
    STALE_AFTER,
    STOPPED,
    StoredWhatIf,
    add_what_if,
    claim_what_if,
    find_what_if,
    stop_what_if,
)
from tests.records import FixedClock
from tests.waiting import SECONDS, wait_until

OWNER = "mine"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def add(state: State, clock: FixedClock) -> Callable[[str], str]:
    def add(text: str) -> str:
        with state.writing() as connection:
            return add_what_if(connection, OWNER, ["111111111111"], text.encode(), clock.now())

    return add


Found = Callable[[str], StoredWhatIf]


@pytest.fixture
def found(state: State, clock: FixedClock) -> Found:
    def found(name: str) -> StoredWhatIf:
        with state.reading() as connection:
            stored = find_what_if(connection, OWNER, name, clock.now())
        assert stored is not None
        return stored

    return found


def backwards(asked: bytes, progress: Progress) -> bytes:
    return asked[::-1]


def test_what_waits_is_computed_from_what_was_asked(
    state: State, clock: FixedClock, add: Callable[[str], str], found: Found
) -> None:
    name = add("abc")

    assert compute_next(state, clock, backwards)
    assert not compute_next(state, clock, backwards)
    assert (found(name).is_over, found(name).result) == (True, b"cba")


def test_what_another_process_left_behind_is_computed_anew(
    state: State, clock: FixedClock, add: Callable[[str], str], found: Found
) -> None:
    name = add("abc")
    with state.writing() as connection:
        claim_what_if(connection, clock.now())
    assert not compute_next(state, clock, backwards)

    clock.advance(STALE_AFTER + timedelta(seconds=1))

    assert compute_next(state, clock, backwards)
    assert found(name).result == b"cba"


def test_progress_is_told_while_it_goes_on_and_stopping_ends_it(
    state: State,
    clock: FixedClock,
    add: Callable[[str], str],
    found: Found,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trials, "BEAT_SECONDS", 0.01)
    name = add("abc")

    def compute(asked: bytes, progress: Progress) -> bytes:
        progress(1, 3)
        wait_until(lambda: found(name).done == 1)
        with state.writing() as connection:
            stop_what_if(connection, OWNER, name)
        while True:  # Until the beat has learnt of it; the test's time limit ends it otherwise.
            progress(2, 3)

    compute_next(state, clock, compute)

    assert (found(name).problem, found(name).result, found(name).total) == (STOPPED, None, 3)


def test_errors_are_told_and_defects_are_in_the_log(
    state: State,
    clock: FixedClock,
    add: Callable[[str], str],
    found: Found,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(asked: bytes, progress: Progress) -> bytes:
        raise Conflict("there is nothing to try")

    def fail(asked: bytes, progress: Progress) -> bytes:
        raise ZeroDivisionError("secret")

    for compute, problem in (
        (refuse, "there is nothing to try"),
        (fail, "It failed. The program's log says why."),
    ):
        name = add("abc")
        compute_next(state, clock, compute)
        assert found(name).problem == problem
    assert "secret" in caplog.text


def test_one_is_computed_at_a_time_and_all_in_the_end(
    state: State, clock: FixedClock, add: Callable[[str], str], found: Found
) -> None:
    go, begun = Event(), list[bytes]()

    def compute(asked: bytes, progress: Progress) -> bytes:
        begun.append(asked)
        assert go.wait(SECONDS)
        return asked

    work: Callable[[Compute], bool] = partial(compute_next, state, clock)
    process = Trials()
    first = add("first")
    process.look(partial(work, compute))
    wait_until(lambda: len(begun) == 1)
    second = add("second")
    process.look(partial(work, compute))

    assert begun == [b"first"]
    assert (found(second).is_over, found(second).total) == (False, 0)
    go.set()
    wait_until(lambda: found(second).is_over)
    assert (found(first).result, found(second).result) == (b"first", b"second")
    # It has a last look, over a connection that nobody may close meanwhile.
    wait_until(lambda: all(one.name != THREAD for one in enumerate_threads()))


def test_a_state_that_is_away_ends_the_look_and_not_the_next_one(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    process, done = Trials(), Event()

    def away() -> bool:
        done.set()
        raise StoreUnavailable("the state store cannot be used")

    def there() -> bool:
        done.set()
        return False

    for work in (away, there):
        done.clear()
        process.look(work)
        assert done.wait(SECONDS)
        with process.turn:  # The look has told what it met, or is about to.
            pass
    wait_until(lambda: "what-ifs cannot be computed" in caplog.text)
