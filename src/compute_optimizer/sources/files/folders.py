"""Files that a path, a folder or a pattern names, with what tells whether they have changed."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from errno import ELOOP, ENOENT, ENOTDIR
from glob import has_magic
from os import stat_result
from pathlib import Path
from stat import S_ISREG

from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.files.inventory import JSON_SUFFIXES
from compute_optimizer.sources.files.tables import CSV_SUFFIXES, PARQUET_SUFFIXES, reading

SUFFIXES = (*CSV_SUFFIXES, *PARQUET_SUFFIXES, *JSON_SUFFIXES)
"""Of the files that a folder is looked through for; others in it are let alone."""

SETTLED_AFTER = timedelta(seconds=10)
"""A file that changed later than this may still be written to: it is left for the next time."""

NO_FILE = (ENOENT, ENOTDIR, ELOOP)
"""Errors of a path that leads to nothing, or to nothing any more."""


def settled_files(named: Iterable[str], folder: Path, now: datetime) -> dict[Path, stat_result]:
    """Return the files that the names stand for and that nobody is writing, in order.

    A name is a file, a folder (all tables in it, not below it) or a pattern with `*`, `?` and
    `**`; relative ones begin in `folder`. Raises InvalidInput for a file or folder that is not
    there; a pattern may match nothing.
    """
    latest = (now - SETTLED_AFTER).timestamp()
    found = dict(pair for name in named for pair in _files(Path(name), folder))
    return {path: status for path, status in sorted(found.items()) if status.st_mtime <= latest}


def _files(name: Path, folder: Path) -> Iterator[tuple[Path, stat_result]]:
    if has_magic(str(name)):
        base = Path(name.anchor) if name.is_absolute() else folder
        pattern = str(name.relative_to(name.anchor))
        yield from _still_there(base.glob(pattern))
        return
    path = folder / name
    if path.is_dir():
        with reading(path):
            listed = list(path.iterdir())
        yield from _still_there(one for one in listed if _is_table(one))
    elif found := list(_still_there([path])):
        yield from found
    else:
        raise InvalidInput(f"{path}: there is no such file or folder")


def _still_there(paths: Iterable[Path]) -> Iterator[tuple[Path, stat_result]]:
    """Yield the files among some paths, each looked at once: what was listed may be gone since."""
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            if error.errno in NO_FILE:
                continue
            raise
        if S_ISREG(status.st_mode):
            yield path, status


def _is_table(path: Path) -> bool:
    return path.name.casefold().endswith(SUFFIXES)
