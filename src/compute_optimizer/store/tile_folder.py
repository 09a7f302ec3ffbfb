"""Tile files in a folder of this machine, or of a file system that several share."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.store.tile_files import TileFile
from compute_optimizer.store.tile_places import CURRENT, SUPERSEDED, Placed

NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})
"""What file systems without hard links answer (link(2)); files are copied there."""

READ_AHEAD_BYTES = 2**17
"""Asked for at once: what Linux reads ahead by default (`read_ahead_kb` of a device). It reads no
more than that or a device's largest request, and forgets the rest (docs/decisions/0071)."""


class TileFolder:
    """The folder of tile files; locks are those of its file system."""

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self._root = root
        self._durable = durable

    @property
    def name(self) -> str:
        """Return what people call the place."""
        return str(self._root)

    def open_all(self, paths: Sequence[str]) -> Iterator[TileFile]:
        """Open tiles one after the other; raises StoreUnavailable."""
        return map(self._open, paths)

    def _open(self, path: str) -> TileFile:
        try:
            return TileFile(self._root / CURRENT / path)
        except StoreUnavailable:
            replaced = self._root / SUPERSEDED / path
            if replaced.exists():
                return TileFile(replaced)
            raise

    def expect(self, paths: Sequence[str]) -> None:
        """Let the system read files while others are worked on; it may do nothing."""
        if not hasattr(os, "posix_fadvise"):
            return
        for path in paths:
            with suppress(OSError):  # Whoever opens it says what is wrong with it.
                _read_ahead(self._root / CURRENT / path)

    def size(self, path: str) -> int | None:
        """Return the bytes of a current file; None where it is not there any more."""
        try:
            return (self._root / CURRENT / path).stat().st_size
        except FileNotFoundError:
            return None

    def put(self, files: Iterable[tuple[Path, str]]) -> None:
        """Give each file its path among the current ones, and wait for the disk."""
        folders: set[Path] = set()
        for file, path in files:
            target = self._root / CURRENT / path
            target.parent.mkdir(parents=True, exist_ok=True)
            file.rename(target)
            # New folders are entries of the ones above.
            folders |= {one for one in target.parents if one.is_relative_to(self._root)}
        for folder in folders if self._durable else ():
            sync(folder)

    def supersede(self, paths: Iterable[str]) -> None:
        """Take replaced files out of the current ones; readers still find them for a while."""
        for path in paths:
            current, replaced = self._root / CURRENT / path, self._root / SUPERSEDED / path
            if current.exists():
                replaced.parent.mkdir(parents=True, exist_ok=True)
                current.rename(replaced)
                replaced.touch()

    def reinstate(self, path: str) -> None:
        """Put a replaced file back among the current ones."""
        (self._root / SUPERSEDED / path).rename(self._root / CURRENT / path)

    def files(self, part: str) -> list[Placed]:
        """Return every file of a part."""
        folder = self._root / part
        found = []
        for file in folder.rglob("*.parquet"):
            told = file.stat()
            path = file.relative_to(folder).as_posix()
            found.append(Placed(path, told.st_size, told.st_mtime))
        return found

    def now(self) -> float:
        """Return the file system's own time: the lock file was touched when the lock was taken."""
        return self._lock_file("import").stat().st_mtime

    def remove(self, part: str, paths: Iterable[str]) -> None:
        """Remove files."""
        for path in paths:
            (self._root / part / path).unlink(missing_ok=True)

    def remove_account(self, account_id: str) -> None:
        """Remove every file of an account."""
        for part in (CURRENT, SUPERSEDED):
            shutil.rmtree(self._root / part / f"account_id={account_id}", ignore_errors=True)

    def copy(self, paths: Sequence[str], folder: Path) -> str | None:
        """Give files a second name in a folder; return the first that is not there any more."""
        for path in paths:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # A swap moves files from the first to the second, and a sweep some of them back.
            places = (self._root / part / path for part in (CURRENT, SUPERSEDED, CURRENT))
            if not any(_linked(place, target) for place in places):
                return path
        return None

    @contextmanager
    def held(self, right: str) -> Iterator[bool]:
        """Hold a right of one process, or yield False while another one holds it.

        The operating system lets go of it when its holder ends, however it ends.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        with self._lock_file(right).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            self._lock_file(right).touch()
            yield True

    def check_held(self) -> None:
        """Do nothing: a lock of a file is not lost while its holder lives."""

    def _lock_file(self, right: str) -> Path:
        return self._root / f"{right}.lock"


def _read_ahead(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        for start in range(0, os.fstat(descriptor).st_size, READ_AHEAD_BYTES):
            os.posix_fadvise(descriptor, start, READ_AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
    finally:
        os.close(descriptor)


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


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
