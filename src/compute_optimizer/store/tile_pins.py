"""Hold on to tile files while they are copied: imports, purges and sweeps take names away.

    tiles/pinned/...     hard links of the files of one view, which keep their content; where tiles
                         are in a bucket, copies of them

A file never changes under its name, so that a second name for it is a whole and constant copy.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from compute_optimizer.errors import Conflict
from compute_optimizer.store.tiles import PINNED, TileStore


@contextmanager
def pinning(tiles: TileStore) -> Iterator[Path]:
    """Yield the folder of pins, empty; it is removed at the end, or, where
    the backup was killed, by the next one or the next import.

    Raises Conflict while another backup of the same tiles is being made.
    """
    folder = tiles.root / PINNED
    with tiles.backing_up() as alone:
        if not alone:
            raise Conflict(
                f"another backup of {tiles.place.name} is being made; run this one again when it "
                "has ended"
            )
        shutil.rmtree(folder, ignore_errors=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def pin(tiles: TileStore, folder: Path, paths: Sequence[str]) -> str | None:
    """Pin files of one view; return the first path that has no file any more, else None."""
    shutil.rmtree(folder, ignore_errors=True)
    return tiles.place.copy(paths, folder)
