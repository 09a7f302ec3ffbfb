"""Put a backup in the place of the state and the tiles: all of it, or nothing."""

import shutil
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from compute_optimizer.errors import Conflict, InvalidInput, StoreUnavailable
from compute_optimizer.interfaces import StageProgress
from compute_optimizer.store import State
from compute_optimizer.store.backup_files import (
    KEY,
    STATE,
    TILES,
    Manifest,
    check_space,
    size_of,
    unpack,
)
from compute_optimizer.store.freshness import state_bytes
from compute_optimizer.store.state_copy import is_filled, replace_state
from compute_optimizer.store.tiles import STAGING, TileStore, put_files, sweep, tile_paths


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What to restore, and over what."""

    source: Path
    key_file: Path
    """Where the key file belongs, if the backup has it."""
    overwrite: bool = False
    """Replace what is there."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored."""

    manifest: Manifest
    rows: int
    tiles: int
    key_file: str
    """`restored`, `unchanged`, or `not in the backup`."""


def restore(
    state: State, tiles: TileStore, request: RestoreRequest, told: StageProgress
) -> Restored:
    """Check a whole backup, put its files in place, and make it visible in one transaction.

    Raises Conflict where that would replace anything and was not asked for, or while an import
    runs; NotFound and InvalidInput for a backup that is none or damaged; StoreUnavailable where a
    disk is full. The former content stands then.
    """
    try:
        _check_empty(state, request)
        wanted = size_of(request.source)
        with tiles.locked():
            staged = tiles.root / STAGING / "restore"
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir(parents=True)
            check_space(tiles.root, wanted + _room_for_state(state))
            manifest = unpack(request.source, staged, told)
            named = _named_tiles(staged, request.source)
            _check_key_file(staged, request)
            put_files(tiles, staged / TILES, named)
            # Before the state, whose secrets cannot be opened without it.
            key_file = _put_key_file(staged, request)
            rows = replace_state(staged / STATE, state, told)
            sweep(state, tiles)
    except OSError as error:
        raise StoreUnavailable(f"{request.source} cannot be restored: {error}") from error
    return Restored(manifest, sum(rows.values()), len(named), key_file)


def _check_empty(state: State, request: RestoreRequest) -> None:
    with state.reading() as connection:
        filled = is_filled(connection)
    if filled and not request.overwrite:
        raise Conflict(
            f"the state {state.engine.url.render_as_string()} holds data already, which a restore "
            "would replace; name an empty data folder or database, or give --overwrite"
        )


def _room_for_state(state: State) -> int:
    """Return how much the state that is there may take a second time, until it is replaced."""
    with state.reading() as connection:
        return state_bytes(connection) if state.is_sqlite else 0


def _named_tiles(staged: Path, source: Path) -> Collection[str]:
    """Return the tiles that the state of the backup names; all of them must be in it."""
    with closing(State(f"sqlite:///{staged / STATE}")) as copied:
        copied.migrate()
        with copied.reading() as connection:
            named = sorted(tile_paths(connection).values())
    for path in named:
        if not (staged / TILES / path).is_file():
            raise InvalidInput(f"backup {source} lacks the tile {path} that its state names")
    return named


def _check_key_file(staged: Path, request: RestoreRequest) -> None:
    kept, target = staged / KEY, request.key_file
    if not kept.exists() or not target.exists() or request.overwrite:
        return
    if kept.read_bytes() != target.read_bytes():
        raise Conflict(
            f"key file {target} differs from the one in the backup, which sealed its secrets; move "
            "it away, or give --overwrite"
        )


def _put_key_file(staged: Path, request: RestoreRequest) -> str:
    kept, target = staged / KEY, request.key_file
    if not kept.exists():
        return "not in the backup"
    if target.exists() and kept.read_bytes() == target.read_bytes():
        return "unchanged"
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.restored")
    shutil.copyfile(kept, draft)
    draft.chmod(0o600)
    draft.replace(target)
    return "restored"
