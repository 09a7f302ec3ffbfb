"""Days in short beside their tiles: what they say, when they are made, and when they go."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.engine.digests import Figure, KeptSeries
from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, Window
from compute_optimizer.store import State, tile_digests, tiles
from compute_optimizer.store.tile_digests import DigestedWindow, expect_digested, read_digested
from compute_optimizer.store.tiles import TileStore
from tests.inventoried import ACCOUNT, instance
from tests.one_shard import CPU, DAY, KEY, NETWORK, put
from tests.page_cache import forget, in_memory
from tests.waiting import wait_until

PARTS = (
    KeptSeries((CPU,), (Figure.COUNT, Figure.TAIL, Figure.TOTAL)),
    KeptSeries((NETWORK,), (Figure.HIGHEST,)),
)
TOTAL, TAIL, COUNT = (f"{CPU.column}.{one}" for one in ("total", "tail", "count"))
END = datetime(2026, 2, 3, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> TileStore:
    return TileStore(tmp_path / "tiles")


def ramp(rows: int = 3, days: int = 1) -> Matrix:
    """Return 0, 1, 2 ... on each row, and ten times that on the next."""
    slots = np.arange(days * SLOTS_PER_DAY, dtype=np.float32)
    return np.stack([slots * 10**row for row in range(rows)])


def read(
    state: State, store: TileStore, days: int = 1, rows: int = 3, as_of: datetime = END
) -> DigestedWindow:
    arns = [instance(number + 1).arn for number in range(rows)]
    window = Window(DAY, DAY + timedelta(days=days - 1))
    with state.reading() as connection:
        return read_digested(connection, store, KEY, window, PARTS, [CPU, NETWORK], arns, as_of)


def digests(store: TileStore) -> list[Path]:
    return sorted(file for file in (store.root / "digests").rglob("*.*") if file.is_file())


def tile_files(store: TileStore) -> list[Path]:
    return sorted((store.root / "current").rglob("*.parquet"))


def test_a_day_is_made_on_first_use_and_kept(state: State, store: TileStore) -> None:
    put(state, store, {CPU: ramp(days=2)})

    made = read(state, store, days=2).samples
    kept = read(state, store, days=2).samples

    assert len(digests(store)) == len(tile_files(store)) == 2
    # The second day goes on from 288; of each the sum of the row, and its largest 22.
    assert made.figures[TOTAL][0].tolist() == [287 * 144, 287 * 144 + 288 * 288]
    assert made.figures[TAIL][1, 0].tolist() == [2870.0 - 10 * n for n in range(22)]
    assert made.figures[COUNT].tolist() == [[288, 288]] * 3
    assert kept.figures.keys() == made.figures.keys()
    assert all((kept.figures[name] == figures).all() for name, figures in made.figures.items())
    assert made.present == kept.present == {CPU}


def test_a_row_without_samples_says_that_there_is_none(state: State, store: TileStore) -> None:
    quiet = ramp(rows=2)
    quiet[1] = np.nan
    put(state, store, {CPU: quiet, NETWORK: quiet})

    found = read(state, store, rows=2).samples.figures

    assert found[COUNT].tolist() == [[288], [0]]
    assert found[TOTAL].tolist() == [[287 * 144], [0]]
    assert np.isneginf(found[TAIL][1]).all()
    highest = found[f"{NETWORK.column}.highest"][:, 0]
    assert highest[0] == 287 and np.isnan(highest[1])


def test_what_is_kept_is_not_read_from_the_tile_again(
    sqlite_state: State, store: TileStore
) -> None:
    put(sqlite_state, store, {CPU: ramp()})
    before = read(sqlite_state, store).samples
    (file,) = tile_files(store)
    file.write_bytes(bytes(file.stat().st_size))

    after = read(sqlite_state, store).samples

    assert (after.figures[TOTAL] == before.figures[TOTAL]).all()


def test_a_tile_that_is_cut_off_or_gone_is_told(sqlite_state: State, store: TileStore) -> None:
    put(sqlite_state, store, {CPU: ramp()})
    read(sqlite_state, store)
    (file,) = tile_files(store)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(StoreUnavailable, match=file.name):
        read(sqlite_state, store)
    file.unlink()
    with pytest.raises(StoreUnavailable, match=file.name):
        read(sqlite_state, store)


def test_late_data_replaces_tile_and_digest(sqlite_state: State, store: TileStore) -> None:
    put(sqlite_state, store, {CPU: ramp()})
    read(sqlite_state, store)
    (former,) = digests(store)

    put(sqlite_state, store, {CPU: ramp() + 1})

    assert not former.exists()
    assert read(sqlite_state, store).samples.figures[TOTAL][0, 0] == 287 * 144 + 288
    assert len(digests(store)) == 1


def test_of_a_day_that_has_not_ended_only_what_is_known_counts(
    sqlite_state: State, store: TileStore
) -> None:
    put(sqlite_state, store, {CPU: ramp(days=2)})
    noon = datetime(2026, 2, 1, 12, tzinfo=UTC)

    known = read(sqlite_state, store, days=2, as_of=noon)

    # Twelve hours are 144 slots, the last of which is 288 + 143; that half is not kept.
    assert known.samples.figures[COUNT][0].tolist() == [288, 144]
    assert known.samples.figures[TAIL][0, 1, 0] == 431
    assert len(digests(store)) == 1
    whole = known.whole({CPU: np.array([1])})[CPU].samples[0]
    assert np.isnan(whole[288 + 144 :]).all()
    assert whole[: 288 + 144].tolist() == ramp(days=2)[1, : 288 + 144].tolist()
    assert read(sqlite_state, store, days=2).samples.figures[COUNT][0].tolist() == [288, 288]


def test_days_without_a_tile_and_resources_without_rows_say_nothing(
    sqlite_state: State, store: TileStore
) -> None:
    put(sqlite_state, store, {CPU: ramp(1)})

    found = read(sqlite_state, store, days=2, rows=2)

    assert found.samples.figures[COUNT].tolist() == [[288, 0], [0, 0]]
    assert (found.samples.figures[TAIL][1] == -np.inf).all()
    assert np.isnan(found.whole({CPU: np.array([1])})[CPU].samples).all()


def test_whole_rows_come_from_their_row_groups_only(sqlite_state: State, store: TileStore) -> None:
    # Two row groups: 1,024 resources in the first. Row n holds n throughout.
    levels = np.repeat(np.arange(1030, dtype=np.float32), SLOTS_PER_DAY)
    put(sqlite_state, store, {CPU: levels.reshape(1030, SLOTS_PER_DAY)})
    read(sqlite_state, store, rows=1030)
    # Kept the first time, so that the tile was not read this time.
    found = read(sqlite_state, store, rows=1030)
    assert not found.at_hand

    whole = found.whole({CPU: np.array([0, 1023, 1024, 1029])})[CPU]

    assert whole.samples[:, 7].tolist() == [0, 1023, 1024, 1029]
    assert whole.take(np.array([1023, 1029]))[:, 287].tolist() == [1023, 1029]


def test_samples_that_were_read_to_make_days_short_are_not_read_again(
    sqlite_state: State, store: TileStore
) -> None:
    put(sqlite_state, store, {CPU: ramp(days=2)})
    found = read(sqlite_state, store, days=2)
    for file in tile_files(store):
        file.unlink()

    whole = found.whole({CPU: np.array([0, 2])})[CPU].samples

    assert (whole == ramp(days=2)[[0, 2]]).all()


def test_samples_stay_at_hand_within_their_share_of_memory(
    sqlite_state: State, store: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sqlite_state, store, {CPU: ramp(days=2)})
    # A day of three resources has 3 x 288 samples of four bytes.
    monkeypatch.setattr(tile_digests, "AT_HAND_BYTES", 3 * 288 * 4)

    found = read(sqlite_state, store, days=2)

    assert list(found.at_hand) == [0]
    whole = found.whole({CPU: np.array([0, 2])})[CPU].samples
    assert (whole == ramp(days=2)[[0, 2]]).all()


@pytest.mark.parametrize("damage", [b"", b"ARROW1 and then nothing of use"])
def test_a_damaged_digest_is_made_again(
    sqlite_state: State, store: TileStore, damage: bytes
) -> None:
    put(sqlite_state, store, {CPU: ramp()})
    read(sqlite_state, store)
    (file,) = digests(store)
    whole = file.stat().st_size
    file.write_bytes(damage)

    assert read(sqlite_state, store).samples.figures[TOTAL][0, 0] == 287 * 144
    assert file.stat().st_size == whole


def test_a_digest_of_another_format_or_without_all_parts_is_made_again(
    sqlite_state: State, store: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sqlite_state, store, {CPU: ramp()})
    read(sqlite_state, store)
    assert tile_digests.read_digest(store, named(store), PARTS)

    more = (*PARTS, KeptSeries((CPU,), (Figure.HIGHEST,)))
    assert tile_digests.read_digest(store, named(store), more) is None
    monkeypatch.setattr(tile_digests, "FORMAT_VERSION", 2)
    assert tile_digests.read_digest(store, named(store), PARTS) is None


def named(store: TileStore) -> str:
    (file,) = tile_files(store)
    return file.relative_to(store.root / "current").as_posix()


def test_where_nothing_can_be_kept_the_tile_is_read(sqlite_state: State, store: TileStore) -> None:
    put(sqlite_state, store, {CPU: ramp()})
    (store.root / "digests").write_text("no folder")

    assert read(sqlite_state, store).samples.figures[TOTAL][0, 0] == 287 * 144


def test_digests_go_with_days_accounts_and_whatever_has_no_tile(
    sqlite_state: State, store: TileStore
) -> None:
    put(sqlite_state, store, {CPU: ramp(days=2)})
    read(sqlite_state, store, days=2)
    first, second = digests(store)
    orphan = first.with_name("2026-01-01.0123456789ab.arrow")
    orphan.write_bytes(first.read_bytes())

    with store.locked():
        tiles.sweep(sqlite_state, store)
        assert digests(store) == [first, second]
        with sqlite_state.writing() as connection:
            paths = tiles.forget_days(connection, ACCOUNT, date(2026, 2, 1))
        store.supersede(paths)
        assert digests(store) == [second]
        with sqlite_state.writing() as connection:
            remove_files = tiles.remove_account(connection, store, ACCOUNT)
        remove_files()
    assert digests(store) == []


def test_a_digest_made_while_its_tile_is_removed_is_not_kept(
    sqlite_state: State, store: TileStore
) -> None:
    put(sqlite_state, store, {CPU: ramp()})
    path = named(store)
    made, _ = tile_digests._made(store, path, PARTS, SLOTS_PER_DAY, tile_digests.Reused())
    (file,) = tile_files(store)
    content = file.read_bytes()

    assert tile_digests.keep_digest(store, path, made, PARTS)
    file.unlink()
    assert not tile_digests.keep_digest(store, path, made, PARTS)
    file.write_bytes(content)
    assert tile_digests.keep_digest(store, path, made, PARTS)


def test_only_tiles_that_have_to_be_read_are_fetched_before_they_are(
    sqlite_state: State, store: TileStore
) -> None:
    put(sqlite_state, store, {CPU: ramp(days=2)})
    read(sqlite_state, store, days=1)
    kept, missing = tile_files(store)
    forget(kept)
    forget(missing)

    with sqlite_state.reading() as connection:
        expect_digested(connection, store, KEY, Window(DAY, DAY + timedelta(days=1)))

    wait_until(lambda: in_memory(missing))
    assert not in_memory(kept)
