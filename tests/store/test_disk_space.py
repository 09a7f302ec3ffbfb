"""Room on the disk: what is refused before it begins, by the free space of the real disk."""

import shutil
from pathlib import Path

import pytest

from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.store import State
from compute_optimizer.store.disk_space import (
    RUN_BYTES,
    TILE_SAMPLE_BYTES,
    check_room_for_collected,
    check_room_for_run,
    check_room_for_samples,
)


def test_a_run_that_the_disk_cannot_hold_is_refused_with_both_figures(sqlite_state: State) -> None:
    folder = Path(str(sqlite_state.engine.url.database)).parent
    # Twice what is free.
    too_many = 2 * shutil.disk_usage(folder).free // RUN_BYTES

    with (
        sqlite_state.reading() as connection,
        pytest.raises(StoreUnavailable, match=r"GiB free, and recommendations for .* need .* GiB"),
    ):
        check_room_for_run(connection, too_many)


def test_a_run_that_fits_is_let_through(sqlite_state: State) -> None:
    with sqlite_state.reading() as connection:
        check_room_for_run(connection, 1)


def test_samples_that_the_disk_cannot_hold_are_refused(tmp_path: Path) -> None:
    too_many = 2 * shutil.disk_usage(tmp_path).free // TILE_SAMPLE_BYTES

    with pytest.raises(StoreUnavailable, match=r"samples need .*retention_days"):
        check_room_for_samples(tmp_path, too_many, held=2 * too_many)


def test_samples_that_do_not_fit_in_memory_need_room_on_their_way(tmp_path: Path) -> None:
    # A tenth of the disk as tiles: four bytes each; on their way sixteen more, five times as much
    # together, which is half of the disk. Three tenths as tiles become one and a half disks.
    samples = 3 * shutil.disk_usage(tmp_path).free // 10 // TILE_SAMPLE_BYTES

    check_room_for_samples(tmp_path, samples, held=samples)
    with pytest.raises(StoreUnavailable):
        check_room_for_samples(tmp_path, samples, held=samples - 1)


def test_of_what_is_collected_only_what_is_on_its_way_at_once_needs_room_twice(
    tmp_path: Path,
) -> None:
    # Half of the disk as tiles of four bytes a sample. On their way a sample takes sixteen more: of
    # a tenth of them a fifth of the disk, of all two disks.
    samples = shutil.disk_usage(tmp_path).free // 2 // TILE_SAMPLE_BYTES

    check_room_for_collected(tmp_path, samples, at_once=samples // 10, held=0)
    check_room_for_collected(tmp_path, samples, at_once=samples, held=samples)
    with pytest.raises(StoreUnavailable, match=r"samples need .*--days"):
        check_room_for_collected(tmp_path, samples, at_once=samples, held=0)
