"""What-ifs that are over go without anybody adding another: by who serves, and by the worker."""

from datetime import timedelta
from pathlib import Path

from compute_optimizer.jobs.expiry import forget_expired
from compute_optimizer.jobs.retention import Retention, retain
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from compute_optimizer.store.what_ifs import LIFE, add_what_if
from tests.enrolling import ALPHA, START, HandClock

MOMENT = timedelta(microseconds=1)


def add(state: State) -> None:
    with state.writing() as connection:
        add_what_if(connection, "somebody", [ALPHA], b"asked", START)


def test_whoever_serves_forgets_what_ifs_once_they_are_over(sqlite_state: State) -> None:
    add(sqlite_state)
    clock = HandClock(START + LIFE - MOMENT)

    assert forget_expired(sqlite_state, clock) == 0
    clock.moment += MOMENT
    assert forget_expired(sqlite_state, clock) == 1
    assert forget_expired(sqlite_state, clock) == 0


def test_the_worker_forgets_them_where_nobody_serves(sqlite_state: State, tmp_path: Path) -> None:
    add(sqlite_state)
    tiles = TileStore(tmp_path / "tiles")
    clock = HandClock(START + LIFE - MOMENT)

    assert retain(sqlite_state, tiles, clock, Retention(400)).expired == 0
    clock.moment += MOMENT
    assert retain(sqlite_state, tiles, clock, Retention(400)).expired == 1
