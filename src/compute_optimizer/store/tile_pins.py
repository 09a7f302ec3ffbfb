"""Hold on to tile files while they are copied: imports, purges and sweeps take names away.

    tiles/pinned/...     hard links of the files of one view, which keep their content

A file never changes under its name, so that a second name for it is a whole and constant copy.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from compute_optimizer.errors import Conflict
from compute_optimizer.store.tiles import CURRENT, PINNED, SUPERSEDED, TileStore

NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})
"""What file systems without hard links answer (link(2)); files are copied there."""


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
                f"another backup of {tiles.root} is being made; run this one again when it has "
                "ended"
            )
        shutil.rmtree(folder, ignore_errors=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def pin(tiles: TileStore, folder: Path, paths: Iterable[str]) -> str | None:
    """Pin files of one view; return the first path that has no file any more, else None."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        # A swap moves files from the first to the second, and a sweep some of them back.
        places = (tiles.root / part / path for part in (CURRENT, SUPERSEDED, CURRENT))
        if not any(_linked(place, target) for place in places):
            return path
    return None


def _linked(place: Path, target: Path) -> bool:
    try:
        try:
            os.link(place, target)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            shutil.copyfile(place, target)
    except FileNotFoundError:
        return False
    return True
