"""The form of a backup: a data folder with a list of its files, or a tar archive of one.

    state.db             the state, as a SQLite file
    tiles/current/...    the tile files that it names
    secrets.key          the key file, where it was asked for
    backup.json          what the backup is, and the size and SHA-256 of each other file

A backup appears under its name when it is whole; until then it is in a hidden folder beside it.
"""

import fcntl
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec

from compute_optimizer.errors import Conflict, InvalidInput, NotFound, StoreUnavailable
from compute_optimizer.store.tile_folder import sync

FORMAT = 1
"""Version of the layout above; later programs keep reading earlier ones."""

MANIFEST = "backup.json"
STATE = "state.db"
TILES = "tiles/current"
KEY = "secrets.key"

ARCHIVES = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz"}
"""Endings of the names of archives, and how they are written; every other name is a folder's."""

OTHER_ARCHIVES = (".zip", ".7z", ".rar", ".bz2", ".xz", ".zst")
"""Endings by which somebody expects an archive of another kind."""

BLOCK_BYTES = 1024**2
"""Copied at once."""

SPARE_BYTES = 16 * 1024**2
"""Kept free on a disk beside what is written."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file of a backup."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is."""

    format: int
    made_at: datetime
    """Of the view of the state."""
    revision: str
    """Of the schema of the state."""
    database: str
    """Kind of the database that the state was read from."""
    files: tuple[BackupFile, ...]

    @property
    def bytes(self) -> int:
        """Return the size of all files."""
        return sum(one.bytes for one in self.files)

    @property
    def has_key(self) -> bool:
        """Return whether the key file is in it."""
        return any(one.path == KEY for one in self.files)


class BackupWriter:
    """Takes files into a backup that is being made."""

    def __init__(self, scratch: Path, inner: Path, archive: tarfile.TarFile | None) -> None:
        self.scratch = scratch
        """A folder for what is prepared; it goes when the backup is made."""
        self.folder = scratch.parents[1]
        """Where the backup will be: what its operator knows."""
        self._inner = inner
        self._archive = archive

    def add(self, name: str, source: Path) -> BackupFile:
        """Take in one file and return its checksum."""
        with source.open("rb") as stream:
            if self._archive is None:
                return copied(stream, self._inner / name, name)
            hashing = _Hashing(stream)
            entry = self._archive.gettarinfo(arcname=name, fileobj=stream)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mode = 0o600
            self._archive.addfile(entry, hashing)
            return BackupFile(name, entry.size, hashing.digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Add the list of files."""
        path = self.scratch / MANIFEST
        path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        self.add(MANIFEST, path)


class _Hashing:
    """A file that computes the checksum of what is read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        block = self._stream.read(size)
        self.digest.update(block)
        return block


@contextmanager
def new_backup(target: Path) -> Iterator[BackupWriter]:
    """Yield what writes a backup; it appears under its name when the block ends well.

    Raises Conflict where the name is taken or another backup is being made in the same folder.
    """
    target = target.absolute()
    ending = _archive_ending(target)
    if not target.parent.is_dir():
        raise NotFound(f"the folder {target.parent} of the backup does not exist; make it first")
    with _alone_in(target.parent), ExitStack() as stack:
        check_free(target)
        work = target.parent / f".{target.name}.partial"
        shutil.rmtree(work, ignore_errors=True)  # Of a backup that was killed.
        stack.callback(shutil.rmtree, work, ignore_errors=True)
        inner, scratch = work / target.name, work / "scratch"
        scratch.mkdir(parents=True, mode=0o700)
        archive = None
        if ending:
            mode: Any = ARCHIVES[ending]
            inner.touch(0o600)  # It may hold the key file, and holds the state.
            archive = stack.enter_context(tarfile.open(inner, mode))
        yield BackupWriter(scratch, inner, archive)
        if archive is not None:
            archive.close()
        _sync(inner)
        check_free(target)
        inner.rename(target)
        sync(target.parent)


def check_free(target: Path) -> None:
    """Raise Conflict where something has the name of the backup; an empty folder may.

    Raises InvalidInput for the name of an archive that is not made here: it would be a folder.
    """
    if target.is_dir() and not _archive_ending(target) and not any(target.iterdir()):
        return
    if target.suffix.lower() in OTHER_ARCHIVES:
        raise InvalidInput(
            f"{target}: a backup is a folder, or a file that ends in {', '.join(ARCHIVES)}; "
            f"{target.suffix} is none of these endings"
        )
    if target.exists() or target.is_symlink():
        raise Conflict(f"{target} exists already; name a backup that does not, or remove it")


def check_space(folder: Path, wanted: int) -> None:
    """Raise StoreUnavailable where a disk has not as many bytes free."""
    free = shutil.disk_usage(folder).free
    if free < wanted + SPARE_BYTES:
        raise StoreUnavailable(
            f"{folder} has {_mib(free)} MiB free and {_mib(wanted + SPARE_BYTES)} are needed; "
            "make room or name another disk"
        )


def unpack(source: Path, folder: Path, told: Any) -> Manifest:
    """Copy a backup into a folder, which it makes, and return what it is.

    Raises NotFound where there is none; InvalidInput for one that is damaged, incomplete, or of a
    later format; nothing of it may be used then.
    """
    found: dict[str, BackupFile] = {}
    try:
        for name, stream in _entries(source):
            # The list comes last from an archive, so what it says is compared at the end.
            found[name] = copied(stream, folder / name, name)
            told("files", len(found), len(found) + 1)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise InvalidInput(f"backup {source} cannot be read: {error}; use another one") from error
    manifest = _decoded(source, folder / MANIFEST)
    listed = {one.path for one in manifest.files}
    if STATE not in listed or found.keys() - listed != {MANIFEST}:
        raise InvalidInput(f"backup {source}: {MANIFEST} does not list its files; use another one")
    for one in manifest.files:
        if found.get(one.path) != one:
            fault = "is damaged" if one.path in found else "is missing"
            raise InvalidInput(f"backup {source}: {one.path} {fault}; use another backup")
    return manifest


def size_of(source: Path) -> int:
    """Return how much a backup takes at least when it is unpacked; raises NotFound."""
    if source.is_dir():
        return _decoded(source, source / MANIFEST).bytes
    if not source.is_file():
        raise NotFound(f"backup {source} does not exist")
    return source.stat().st_size


def copied(stream: IO[bytes], target: Path, name: str) -> BackupFile:
    """Copy a stream to a new file, wait for the disk, and return its checksum."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return BackupFile(name, size, digest.hexdigest())


def _entries(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield each file of a backup with its content, which is read before the next one."""
    if source.is_dir():
        listed = (one.path for one in _decoded(source, source / MANIFEST).files)
        for name in (*listed, MANIFEST):
            try:
                with (source / _checked(source, name)).open("rb") as stream:
                    yield name, stream
            except FileNotFoundError:
                continue  # The caller names what is missing.
        return
    with tarfile.open(source, "r|*") as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            if content is not None:
                yield _checked(source, entry.name), content


def _checked(source: Path, name: str) -> str:
    """Return a name that stays inside a backup; raise InvalidInput for any other."""
    path = PurePosixPath(name)
    known = name in (STATE, KEY, MANIFEST) or path.is_relative_to(TILES)
    if not known or path.is_absolute() or ".." in path.parts:
        raise InvalidInput(f"backup {source} has a file {name!r} that no backup has")
    return name


def _decoded(source: Path, path: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise NotFound(
            f"{source} is no backup: it has no {MANIFEST}; name one that `backup` made"
        ) from None
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"backup {source}: {MANIFEST} is damaged: {error}") from error
    if not 1 <= manifest.format <= FORMAT:
        raise InvalidInput(
            f"backup {source} has format {manifest.format}; this program reads formats 1 to "
            f"{FORMAT}: restore it with a version that knows it"
        )
    return manifest


def _archive_ending(target: Path) -> str:
    return next((one for one in ARCHIVES if target.name.endswith(one)), "")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder: what a killed backup left there is removed by the next one only."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"another backup is being written to {folder}; run this one again when it has ended"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder and those below it, are on the disk."""
    if path.is_dir():
        for one in path.rglob("*/"):
            sync(one)
    sync(path)


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f}"
