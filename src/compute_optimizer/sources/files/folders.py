"""Files that a path, a folder or a pattern names, with what tells whether they have changed."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from glob import has_magic
from os import stat_result
from pathlib import Path

from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.files.inventory import JSON_SUFFIXES
from compute_optimizer.sources.files.tables import CSV_SUFFIXES, PARQUET_SUFFIXES

SUFFIXES = (*CSV_SUFFIXES, *PARQUET_SUFFIXES, *JSON_SUFFIXES)
"""Of the files that a folder is looked through for; others in it are let alone."""

SETTLED_AFTER = timedelta(seconds=10)
"""A file that changed later than this may still be written to: it is left for the next time."""


def settled_files(named: Iterable[str], folder: Path, now: datetime) -> dict[Path, stat_result]:
    """Return the files that the names stand for and that nobody is writing, in order.

    A name is a file, a folder (all tables in it, not below it) or a pattern with `*`, `?` and
    `**`; relative ones begin in `folder`. Raises InvalidInput for a file or folder that is not
    there; a pattern may match nothing.
    """
    latest = (now - SETTLED_AFTER).timestamp()
    found = {path: path.stat() for name in named for path in _files(Path(name), folder)}
    return {path: status for path, status in sorted(found.items()) if status.st_mtime <= latest}


def _files(name: Path, folder: Path) -> Iterator[Path]:
    if has_magic(str(name)):
        base = Path(name.anchor) if name.is_absolute() else folder
        pattern = str(name.relative_to(name.anchor))
        yield from (path for path in base.glob(pattern) if path.is_file())
        return
    path = folder / name
    if path.is_dir():
        yield from (one for one in path.iterdir() if _is_table(one))
    elif path.is_file():
        yield path
    else:
        raise InvalidInput(f"{path}: there is no such file or folder")


def _is_table(path: Path) -> bool:
    return path.is_file() and path.name.casefold().endswith(SUFFIXES)
