"""What-ifs on both kinds of databases: for one session, claimed once, taken over, bounded."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from compute_optimizer.errors import Conflict
from compute_optimizer.store import State, what_ifs
from compute_optimizer.store.what_ifs import (
    INTERRUPTED,
    LIFE,
    MOST_ATTEMPTS,
    MOST_WAITING,
    STALE_AFTER,
    STOPPED,
    Claim,
    Phase,
    StoredWhatIf,
    add_what_if,
    beat,
    claim_what_if,
    find_what_if,
    finish,
    has_work,
    is_over,
    remove_what_ifs_by,
    remove_what_ifs_of,
    stop_what_if,
)

NOW = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ALPHA, BETA = "111111111111", "222222222222"


def add(state: State, owner: str = "mine", at: datetime = NOW, accounts: str = ALPHA) -> str:
    with state.writing() as connection:
        return add_what_if(connection, owner, accounts.split(), b"asked", at)


def claim(state: State, at: datetime = NOW) -> Claim | None:
    with state.writing() as connection:
        return claim_what_if(connection, at)


def found(
    state: State, what_if_id: str, owner: str = "mine", at: datetime = NOW
) -> StoredWhatIf | None:
    with state.reading() as connection:
        return find_what_if(connection, owner, what_if_id, at)


def claimed(state: State, at: datetime = NOW) -> Claim:
    taken = claim(state, at)
    assert taken is not None
    return taken


def finished(state: State, owner: str = "mine", at: datetime = NOW) -> str:
    what_if_id = add(state, owner, at)
    held = claimed(state, at)
    with state.writing() as connection:
        finish(connection, held, b"result")
    return what_if_id


def test_a_result_is_for_the_session_that_asked_until_its_time_is_over(state: State) -> None:
    name = finished(state)

    assert found(state, name) == StoredWhatIf(name, Phase.OVER, 0, 0, "", b"asked", b"result")
    assert found(state, name, owner="other") is None
    assert found(state, name, at=NOW + LIFE) is None


def test_each_is_claimed_by_one_of_many(state: State) -> None:
    names = {add(state) for _ in range(3)}

    with ThreadPoolExecutor(6) as pool:
        claims = list(pool.map(lambda _: claim(state), range(6)))

    assert sorted(one.what_if_id for one in claims if one) == sorted(names)


def test_whoever_waits_longest_is_first(state: State) -> None:
    late = add(state, at=NOW + SECOND)
    early = add(state)

    assert [claimed(state).what_if_id for _ in range(2)] == [early, late]


def test_what_a_process_left_behind_is_taken_over_and_only_that_counts(state: State) -> None:
    name = add(state)
    lost = claimed(state)
    with state.writing() as connection:
        assert beat(connection, lost, 3, 9, NOW + SECOND)

    # The heartbeat of a second later is a second short of stale.
    assert claim(state, NOW + STALE_AFTER) is None
    taken = claimed(state, NOW + STALE_AFTER + SECOND)
    with state.writing() as connection:
        assert not beat(connection, lost, 4, 9, NOW + STALE_AFTER)
        finish(connection, lost, b"of the lost one")
        assert not is_over(connection, name)
        finish(connection, taken, b"result")

    stored = found(state, name)
    assert stored is not None
    assert (stored.result, stored.done, stored.total) == (b"result", 3, 9)


def test_what_ends_its_process_each_time_is_given_up(state: State) -> None:
    name, moment = add(state), NOW
    for _ in range(MOST_ATTEMPTS):
        claimed(state, moment)
        moment += STALE_AFTER

    assert claim(state, moment) is None
    stored = found(state, name)
    assert stored is not None
    assert (stored.phase, stored.problem) == (Phase.OVER, INTERRUPTED)


def test_stopping_ends_what_waits_at_once_and_what_runs_at_its_next_beat(state: State) -> None:
    running = add(state)
    held = claimed(state)
    waiting = add(state)
    with state.writing() as connection:
        for name in (running, waiting):
            stop_what_if(connection, "other", name)
        assert beat(connection, held, 1, 2, NOW)
        for name in (running, waiting):
            stop_what_if(connection, "mine", name)
        assert not beat(connection, held, 1, 2, NOW)
        assert not is_over(connection, running)

    stored = found(state, waiting)
    assert stored is not None
    assert (stored.phase, stored.problem) == (Phase.OVER, STOPPED)
    assert claim(state) is None


def test_more_than_may_wait_are_refused(state: State) -> None:
    for _ in range(MOST_WAITING + 1):
        add(state)

    with pytest.raises(Conflict, match="5 what-ifs are being computed or wait"):
        add(state, owner="other")
    # Those that nobody can see any more make room.
    add(state, at=NOW + LIFE)


def test_the_newest_of_a_session_and_of_all_are_kept(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_ifs, "KEPT_OF_OWNER", 2)
    monkeypatch.setattr(what_ifs, "KEPT", 3)
    names = [finished(state, at=NOW + number * SECOND) for number in range(3)]
    assert [found(state, one) is not None for one in names] == [False, True, True]

    for number in range(2):
        finished(state, owner=f"other {number}", at=NOW + (9 + number) * SECOND)

    # One of three and both of the others are left of all.
    assert [found(state, one) is not None for one in names] == [False, False, True]


def test_what_is_unfinished_makes_no_room(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_ifs, "KEPT", 1)
    names = [add(state, at=NOW + number * SECOND) for number in range(3)]

    assert all(found(state, one) for one in names)


def test_a_session_and_an_account_take_theirs_along(state: State) -> None:
    mine = finished(state)
    theirs = finished(state, owner="other")
    both = add(state, owner="other", accounts=f"{ALPHA} {BETA}")
    with state.writing() as connection:
        remove_what_ifs_by(connection, "mine")
        remove_what_ifs_of(connection, BETA)

    assert found(state, mine) is None
    assert found(state, theirs, "other") is not None
    assert found(state, both, "other") is None


def test_nothing_to_do_is_told_without_a_write(state: State) -> None:
    with state.reading() as connection:
        assert not has_work(connection, NOW)
    add(state)
    with state.reading() as connection:
        assert has_work(connection, NOW)
        assert not has_work(connection, NOW + LIFE)
