"""What is forgotten, and what never is unless asked for."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.jobs.retention import Retention, parse_retention, retain
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore, tile_paths
from tests.enrolling import ALPHA, BETA, START, HandClock
from tests.stored_fleets import LAST_DAY, store_fleet

# The clock stands on 15 March 2026; the stored days are the 1st to the 14th.


@pytest.fixture
def tiles(sqlite_state: State, tmp_path: Path) -> TileStore:
    """Two accounts with 14 days of metrics each."""
    tiles = TileStore(tmp_path / "tiles")
    for account in (ALPHA, BETA):
        store_fleet(sqlite_state, tiles, account)
    return tiles


def days(state: State, account: str) -> list[date]:
    with state.reading() as connection:
        return sorted(day for key, day in tile_paths(connection) if key.account_id == account)


def files(tiles: TileStore, part: str = "current") -> int:
    return len(list((tiles.root / part).rglob("*.parquet")))


def test_days_beyond_the_retention_go_and_a_look_back_of_as_many_stays_whole(
    sqlite_state: State, tiles: TileStore
) -> None:
    found = retain(sqlite_state, tiles, HandClock(), Retention(9))

    # 9 days that end with the 15th begin on the 7th; 6 days of each account lie before.
    assert found.tiles == 12
    assert days(sqlite_state, ALPHA)[0] == date(2026, 3, 7)
    assert days(sqlite_state, ALPHA)[-1] == LAST_DAY
    assert files(tiles) == 2 * 8
    # Readers that began before still find what was replaced.
    assert files(tiles, "superseded") == 12


def test_an_account_may_be_kept_for_longer_or_for_ever(
    sqlite_state: State, tiles: TileStore
) -> None:
    retain(sqlite_state, tiles, HandClock(), Retention(10, {BETA: 0}))

    assert len(days(sqlite_state, ALPHA)) == 9
    assert len(days(sqlite_state, BETA)) == 14


def test_by_default_a_younger_fleet_loses_nothing(sqlite_state: State, tiles: TileStore) -> None:
    assert retain(sqlite_state, tiles, HandClock(), Retention(400)).tiles == 0


def test_a_fence_that_does_not_hold_leaves_everything(
    sqlite_state: State, tiles: TileStore
) -> None:
    def fence(_connection: object) -> None:
        raise Conflict("given to another process")

    with pytest.raises(Conflict):
        retain(sqlite_state, tiles, HandClock(), Retention(9), fence)

    assert len(days(sqlite_state, ALPHA)) == 14
    assert files(tiles) == 28


def test_what_is_forgotten_is_swept_from_the_disk_by_a_later_pass(
    sqlite_state: State, tiles: TileStore
) -> None:
    clock = HandClock()
    retain(sqlite_state, tiles, clock, Retention(9))
    long_ago = (START - timedelta(days=9)).timestamp()
    for file in (tiles.root / "superseded").rglob("*.parquet"):
        os.utime(file, (long_ago, long_ago))

    retain(sqlite_state, tiles, clock, Retention(9))

    assert files(tiles, "superseded") == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((400, ""), Retention(400)),
        ((0, f"{ALPHA}=120, {BETA}=0"), Retention(0, {ALPHA: 120, BETA: 0})),
        ((93, ""), Retention(93)),
    ],
)
def test_settings_say_how_long(given: tuple[int, str], expected: Retention) -> None:
    assert parse_retention(*given, below_look_back=False) == expected


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ((92, ""), "92 days are fewer than the 93 that an analysis may look back"),
        ((400, f"{ALPHA}=14"), "14 days are fewer"),
        ((400, ALPHA), "names no number of days; expected entries such as"),
        ((400, f"{ALPHA}=36526"), "of at most 36525"),
        ((400, f"{ALPHA}=\u00b2"), "names no number of days"),
        ((400, "alpha=100"), "alpha"),
    ],
)
def test_what_an_analysis_would_miss_is_refused(given: tuple[int, str], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        parse_retention(*given, below_look_back=False)


def test_fewer_days_can_be_asked_for() -> None:
    assert parse_retention(30, "", below_look_back=True) == Retention(30)
