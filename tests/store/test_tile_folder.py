"""Files of a folder that are fetched before they are opened."""

import os
from pathlib import Path

from compute_optimizer.store.tile_folder import TileFolder
from compute_optimizer.store.tile_places import CURRENT
from tests.page_cache import forget, in_memory
from tests.waiting import wait_until

MORE_THAN_AT_ONCE = 40 * 2**20
"""Bytes: Linux fetches what a device reads ahead and no more, 8 MiB where that is much."""


def test_a_file_is_fetched_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / CURRENT / "large.parquet"
    file.parent.mkdir()
    file.write_bytes(os.urandom(MORE_THAN_AT_ONCE))
    forget(file)

    TileFolder(tmp_path).expect(["large.parquet"])

    wait_until(lambda: in_memory(file))


def test_a_file_that_is_gone_is_no_fault_before_it_is_opened(tmp_path: Path) -> None:
    TileFolder(tmp_path).expect(["gone.parquet"])
