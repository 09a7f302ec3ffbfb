"""Back up the state and the tiles of one moment, while everything else goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from compute_optimizer.errors import NotFound, StoreUnavailable
from compute_optimizer.interfaces import Clock, StageProgress
from compute_optimizer.store import State
from compute_optimizer.store.backup_files import (
    FORMAT,
    KEY,
    STATE,
    TILES,
    BackupFile,
    BackupWriter,
    Manifest,
    check_space,
    new_backup,
)
from compute_optimizer.store.freshness import state_bytes
from compute_optimizer.store.state_copy import check_filled, revision_of, write_snapshot
from compute_optimizer.store.tile_pins import pin, pinning
from compute_optimizer.store.tiles import TileStore, tile_paths

ATTEMPTS = 5
"""Views that are tried: between reading one and pinning its files an account may be purged."""

COPIES_OF_STATE = 2
"""Of the state on the target's disk at the same time: as it is read, and as it is kept."""


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """What to back up, and where to."""

    target: Path
    """A folder that does not exist, or an archive by its ending (backup_files.ARCHIVES)."""
    key_file: Path | None = None
    """Taken in as well, so that whoever has the backup can open the secrets in it."""


@dataclass(frozen=True, slots=True)
class _View:
    """What is copied: the state as one transaction sees it, and the names of its tiles."""

    made_at: datetime
    revision: str
    database: str
    paths: tuple[str, ...]


def back_up(
    state: State, tiles: TileStore, clock: Clock, request: BackupRequest, told: StageProgress
) -> Manifest:
    """Make a backup of one consistent point and return what is in it.

    Raises Conflict where the target exists or another backup is being made; NotFound for a key file
    or a folder of the target that does not exist, or a state that holds nothing; StoreUnavailable
    where a disk is full or a tile that the state names is not there.
    """
    _check_key_file(request.key_file)
    with state.reading() as connection:
        check_filled(connection)
    try:
        with pinning(tiles) as pins, new_backup(request.target) as writer:
            view = _snapshot(state, tiles, clock, pins, writer, told)
            files = [writer.add(STATE, writer.scratch / STATE)]
            files += _tiles(view, pins, writer, told)
            if request.key_file is not None:
                files.append(writer.add(KEY, request.key_file))
            manifest = Manifest(FORMAT, view.made_at, view.revision, view.database, tuple(files))
            writer.finish(manifest)
            return manifest
    except OSError as error:
        raise StoreUnavailable(f"backup {request.target} cannot be written: {error}") from error


def _check_key_file(path: Path | None) -> None:
    if path is not None and not path.is_file():
        raise NotFound(f"key file {path} does not exist; set key_file, or back up without it")


def _snapshot(
    state: State,
    tiles: TileStore,
    clock: Clock,
    pins: Path,
    writer: BackupWriter,
    told: StageProgress,
) -> _View:
    """Pin the tiles of one view and write its state; look again where a file went meanwhile."""
    missing = None
    for _ in range(ATTEMPTS):
        with state.reading() as connection:
            view = _view(state, connection, clock)
            missing = pin(tiles, pins, view.paths)
            if missing is None:
                pinned = sum((pins / path).stat().st_size for path in view.paths)
                wanted = COPIES_OF_STATE * state_bytes(connection) + pinned
                check_space(writer.folder, wanted)
                write_snapshot(connection, writer.scratch / STATE, told)
                return view
    raise StoreUnavailable(
        f"tile {tiles.place.name}/current/{missing}, which the state names, does not exist; "
        "restore it, or remove its row and import that day again"
    )


def _view(state: State, connection: Connection, clock: Clock) -> _View:
    paths = tuple(sorted(tile_paths(connection).values()))
    database = "sqlite" if state.is_sqlite else "postgresql"
    return _View(clock.now(), revision_of(connection), database, paths)


def _tiles(
    view: _View, pins: Path, writer: BackupWriter, told: StageProgress
) -> Iterator[BackupFile]:
    for number, path in enumerate(view.paths, 1):
        yield writer.add(f"{TILES}/{path}", pins / path)
        told("tiles", number, len(view.paths))
