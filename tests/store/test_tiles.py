"""The metric store: one consistent view, changed as a whole, read as matrices."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from compute_optimizer.errors import Conflict
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.store import State, inventory, tiles
from compute_optimizer.store.tile_files import Tile
from compute_optimizer.store.tiles import TileStore, read_samples
from tests.buckets import in_bucket
from tests.inventoried import ACCOUNT, instance, upsert
from tests.one_shard import CPU, DAY, KEY, NETWORK, files, put, read

CPU_AVERAGE = MetricKey("CPUUtilization", Statistic.AVERAGE)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TileStore:
    """A store in a folder, and one in a bucket of moto's server."""
    if request.param == "folder":
        return TileStore(tmp_path / "tiles")
    name = "state" if "state" in request.fixturenames else "sqlite_state"
    state: State = request.getfixturevalue(name)
    return in_bucket(tmp_path / "tiles", request.getfixturevalue("tiles_url"), state)


def gaps(rows: int, days: int = 1) -> Matrix:
    return np.full((rows, days * SLOTS_PER_DAY), np.nan, np.float32)


def content(store: TileStore, path: str, folder: Path) -> Path:
    """Return a copy of a file."""
    assert store.place.copy([path], folder) is None
    return folder / path


def test_what_was_stored_is_read_back_with_its_gaps(state: State, store: TileStore) -> None:
    generator = np.random.default_rng(7)
    cpu = generator.uniform(0, 100, (3, 2 * SLOTS_PER_DAY)).astype(np.float32)
    cpu[1, 5], cpu[2, SLOTS_PER_DAY:] = np.nan, np.nan
    put(state, store, {CPU: cpu})
    got = read(state, store, Window(DAY, date(2026, 2, 1)), CPU)
    np.testing.assert_array_equal(got.series[CPU], cpu)


def test_days_without_a_tile_and_resources_without_samples_are_gaps(
    sqlite_state: State, store: TileStore
) -> None:
    put(sqlite_state, store, {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)})
    # Instance 0 sorts before instance 1 and has no samples.
    upsert(sqlite_state, instance(0))
    got = read(sqlite_state, store, Window(DAY - timedelta(days=1), DAY), CPU)
    assert got.resource_arns == (instance(0).arn, instance(1).arn)
    expected = gaps(2, days=2)
    expected[1, SLOTS_PER_DAY:] = 1
    np.testing.assert_array_equal(got.series[CPU], expected)


def test_a_series_nobody_sent_is_left_out(sqlite_state: State, store: TileStore) -> None:
    put(sqlite_state, store, {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)})
    assert read(sqlite_state, store, Window(DAY, DAY), CPU, NETWORK).series.keys() == {CPU}


def test_a_series_that_starts_later_is_a_gap_before(sqlite_state: State, store: TileStore) -> None:
    put(sqlite_state, store, {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)})
    later = {NETWORK: np.full((1, SLOTS_PER_DAY), 9, np.float32)}
    put(sqlite_state, store, later, DAY + timedelta(days=1))
    got = read(sqlite_state, store, Window(DAY, DAY + timedelta(days=1)), CPU, NETWORK)
    assert np.isnan(got.series[NETWORK][0, :SLOTS_PER_DAY]).all()
    assert (got.series[NETWORK][0, SLOTS_PER_DAY:] == 9).all()


def test_an_empty_window_reads_no_series(sqlite_state: State, store: TileStore) -> None:
    got = read(sqlite_state, store, Window(DAY, DAY), CPU)
    assert got == ShardSamples((), Window(DAY, DAY), {})


def test_late_samples_merge_slot_by_slot_and_replace_what_was_there(
    state: State, store: TileStore
) -> None:
    first, late = gaps(1), gaps(2)
    first[0, :3] = [10, 20, 30]
    late[0, 2:4] = [35, 40]
    late[1, 0] = 5
    put(state, store, {CPU: first})
    put(state, store, {CPU: late})
    got = read(state, store, Window(DAY, DAY), CPU).series[CPU]
    np.testing.assert_array_equal(got[:, :4], [[10, 20, 35, 40], [5, np.nan, np.nan, np.nan]])


def test_averages_and_maxima_are_kept_apart(sqlite_state: State, store: TileStore) -> None:
    put(sqlite_state, store, {CPU: np.full((1, SLOTS_PER_DAY), 90, np.float32)})
    put(sqlite_state, store, {CPU_AVERAGE: np.full((1, SLOTS_PER_DAY), 30, np.float32)})
    got = read(sqlite_state, store, Window(DAY, DAY), CPU, CPU_AVERAGE).series
    assert (got[CPU] == 90).all()
    assert (got[CPU_AVERAGE] == 30).all()


def test_shards_larger_than_a_row_group_keep_their_order(
    sqlite_state: State, store: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compute_optimizer.store.tile_files.ROW_GROUP_RESOURCES", 2)
    values: NDArray[np.float32] = np.repeat(np.arange(5, dtype=np.float32), SLOTS_PER_DAY)
    matrix = values.reshape(5, SLOTS_PER_DAY)
    matrix[4, 7] = np.nan
    put(sqlite_state, store, {CPU: matrix})
    got = read(sqlite_state, store, Window(DAY, DAY), CPU)
    np.testing.assert_array_equal(got.series[CPU], matrix)


def test_the_newest_sample_is_the_last_slot_with_a_value(state: State, store: TileStore) -> None:
    with state.reading() as connection:
        assert tiles.newest_sample(connection) is None
    matrix = gaps(2)
    matrix[0, 3], matrix[1, 12] = 1, 1
    put(state, store, {CPU: matrix})
    put(state, store, {NETWORK: np.ones((1, SLOTS_PER_DAY), np.float32)}, date(2026, 1, 1))
    with state.reading() as connection:
        # Slot 12 of five minutes starts at 01:00.
        assert tiles.newest_sample(connection) == datetime(2026, 1, 31, 1, 0, tzinfo=UTC)


def test_samples_that_change_nothing_leave_the_file_alone(
    sqlite_state: State, store: TileStore
) -> None:
    series: dict[MetricKey, Matrix] = {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)}
    put(sqlite_state, store, series)
    before = files(store, "current")
    put(sqlite_state, store, series)
    assert files(store, "current") == before
    assert not files(store, "superseded")


def test_a_reader_that_began_before_a_swap_sees_the_old_view_to_its_end(
    sqlite_state: State, store: TileStore
) -> None:
    state = sqlite_state
    put(state, store, {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)})
    with state.reading() as connection:
        inventory.arns_of(connection, KEY)
        put(state, store, {CPU: np.full((1, SLOTS_PER_DAY), 2, np.float32)})
        old = read_samples(connection, store, KEY, Window(DAY, DAY), [CPU])
    assert (old.series[CPU] == 1).all()
    assert (read(state, store, Window(DAY, DAY), CPU).series[CPU] == 2).all()


def test_what_crashes_and_swaps_leave_behind_is_swept(
    sqlite_state: State, store: TileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sqlite_state, store, {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)})
    put(sqlite_state, store, {CPU: np.full((1, SLOTS_PER_DAY), 2, np.float32)})
    (kept,) = files(store, "current")
    (replaced,) = files(store, "superseded")
    orphan = kept.replace("2026-01-31", "2026-01-30")
    store.place.put([(content(store, kept, tmp_path), orphan)])
    staged = store.root / "staging" / "half.parquet"
    staged.parent.mkdir(exist_ok=True)
    staged.write_bytes(b"half a file")
    with store.locked():
        # The replaced file may still have readers: it goes ten minutes after the swap.
        assert tiles.sweep(sqlite_state, store) == 1
        assert files(store, "superseded") == [replaced]
        # As if more than that had passed: clocks of buckets tell whole seconds.
        monkeypatch.setattr(tiles, "SUPERSEDED_SECONDS", -2)
        assert tiles.sweep(sqlite_state, store) == 1
    assert (files(store, "current"), files(store, "superseded")) == ([kept], [])
    assert not staged.exists()
    assert (read(sqlite_state, store, Window(DAY, DAY), CPU).series[CPU] == 2).all()


def test_a_replaced_file_that_the_manifest_still_names_is_read_and_put_back(
    sqlite_state: State, store: TileStore
) -> None:
    """A machine that stopped after a swap may come back with the database of before."""
    put(sqlite_state, store, {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)})
    (file,) = files(store, "current")
    store.supersede([file])
    assert files(store, "current") == []
    assert (read(sqlite_state, store, Window(DAY, DAY), CPU).series[CPU] == 1).all()
    with store.locked():
        tiles.sweep(sqlite_state, store)
    assert files(store, "current") == [file]


def test_only_one_process_changes_tiles_at_a_time(state: State, store: TileStore) -> None:
    message = "such as an import, is changing the tiles"
    # As another process opens it.
    other = pickle.loads(pickle.dumps(store))
    with store.locked(), pytest.raises(Conflict, match=message), other.locked():
        pass
    with store.locked():
        pass


def test_who_is_patient_waits_for_the_right_to_change_tiles(store: TileStore) -> None:
    patient = TileStore(store.root, place=store.place, patience=60.0)

    def change() -> bool:
        with patient.locked():
            return True

    with ThreadPoolExecutor(1) as pool:
        with store.locked():
            waiting = pool.submit(change)
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
        assert waiting.result(60.0)


def test_a_removed_account_leaves_no_file_and_no_row(state: State, store: TileStore) -> None:
    put(state, store, {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)})
    put(state, store, {CPU: np.full((1, SLOTS_PER_DAY), 2, np.float32)})
    upsert(state, instance(1, account="222222222222"))
    with state.writing() as connection:
        remove_files = tiles.remove_account(connection, store, ACCOUNT)
    assert files(store, "current"), "files stay until the transaction has been committed"
    remove_files()
    assert not files(store, "current") + files(store, "superseded")
    with state.reading() as connection:
        assert tiles.tile_paths(connection) == {}
        assert [key.account_id for key in inventory.shards(connection)] == ["222222222222"]


def test_a_failed_transaction_publishes_nothing(sqlite_state: State, store: TileStore) -> None:
    def fail(_: object) -> None:
        raise Conflict("no")

    tile = Tile((instance(1).arn,), {CPU: gaps(1)})
    with store.locked():
        staged = store.stage(KEY, DAY, tile)
        with pytest.raises(Conflict):
            tiles.publish(sqlite_state, store, [staged], fail)
        with sqlite_state.reading() as connection:
            assert tiles.tile_paths(connection) == {}
        assert tiles.sweep(sqlite_state, store) == 1
