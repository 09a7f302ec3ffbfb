"""The metric store: which tile files make up the consistent view, and how that view changes.

    tiles/current/account_id=A/region=R/resource_type=T/shard=N/2026-01-31.<unique>.parquet
    tiles/superseded/...   what a swap replaced, kept for readers that began before it
    tiles/staging/...      what an import is writing; nobody reads it
    tiles/pinned/...       what a backup is copying (store/tile_pins.py)
    tiles/digests/...      days in short, made from the tiles (store/tile_digests.py)
    tiles/import.lock      held by the one process that may change tiles
    tiles/backup.lock      held by the one backup that is being made

Current and superseded files may lie in a bucket instead (store/tile_bucket.py); what is only of
this machine, staging and pins, stays in the folder.

The table `tiles` of the state database is the truth. New files are written beside, moved into place
and named in the table by one transaction; a crash leaves the old view or the new one, and whatever
files it leaves are swept before the next change.
"""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select

from compute_optimizer.errors import Conflict
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Window,
)
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store import inventory
from compute_optimizer.store.schema import tiles as manifest
from compute_optimizer.store.state import State
from compute_optimizer.store.tile_files import (
    FORMAT_VERSION,
    KnownNames,
    Tile,
    TileFile,
    fill,
    last_slot,
    matrix_of,
    merged,
    same,
    write_tile,
)
from compute_optimizer.store.tile_folder import TileFolder
from compute_optimizer.store.tile_places import CURRENT, SUPERSEDED, TilePlace

SUPERSEDED_SECONDS = 600
"""How long a replaced file stays for readers that began before the swap: reading a shard takes
seconds."""

LOOK_AGAIN_SECONDS = 0.1
"""How often one who waits for the right to change tiles looks whether it is free."""

STAGING = "staging"
PINNED = "pinned"
DIGESTS = "digests"


@dataclass(frozen=True, slots=True)
class StagedTile:
    """A tile that is on the disk and not yet visible."""

    key: ShardKey
    day: date
    path: str
    """Relative to the folder of the current files."""
    last_sample_at: datetime


@dataclass(frozen=True, slots=True)
class NamedTile:
    """A tile of the consistent view."""

    day: date
    path: str
    last_sample_at: datetime


class TileStore:
    """The tile files: a folder of this machine, and the place of what others may read.

    That is the same folder unless another `place` is given. `durable` is False where nothing has
    to outlive the process: then nobody waits for the disk. `patience` is how many seconds to wait
    for another process that is changing tiles.
    """

    def __init__(
        self,
        root: Path,
        *,
        durable: bool = True,
        place: TilePlace | None = None,
        patience: float = 0.0,
    ) -> None:
        self.root = root
        self.place = place or TileFolder(root, durable=durable)
        self._durable = durable and place is None
        self._patience = patience

    def open(self, path: str) -> TileFile:
        """Open a tile of the manifest, also when a swap has just replaced it.

        Raises StoreUnavailable.
        """
        (found,) = self.place.open_all([path])
        return found

    def stage(self, key: ShardKey, day: date, tile: Tile) -> StagedTile:
        """Write a tile beside the current ones; `publish` makes it visible."""
        path = f"{_folder(key)}/{day.isoformat()}.{uuid4().hex[:12]}.parquet"
        write_tile(self.root / STAGING / path, day, tile, durable=self._durable)
        newest = timedelta(seconds=last_slot(tile) * SLOT_SECONDS)
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return StagedTile(key, day, path, midnight + newest)

    def unstage(self, staged: Iterable[StagedTile]) -> None:
        """Move staged files to where the manifest will name them, and wait for the disk."""
        self.place.put((self.root / STAGING / one.path, one.path) for one in staged)

    def supersede(self, paths: Iterable[str]) -> None:
        """Take replaced files out of the current ones; readers still find them for a while."""
        replaced = tuple(paths)
        self.place.supersede(replaced)
        for path in replaced:
            self.digest_path(path).unlink(missing_ok=True)

    def digest_path(self, path: str) -> Path:
        """Return where the digest of a tile is kept, on this machine."""
        return (self.root / DIGESTS / path).with_suffix(".arrow")

    def sweep(self, named: Collection[str]) -> int:
        """Remove what crashes and swaps left behind and return how many files that was.

        Only for the holder of the lock. `named` are the paths in the manifest.
        """
        shutil.rmtree(self.root / STAGING, ignore_errors=True)
        unnamed = [one.path for one in self.place.files(CURRENT) if one.path not in named]
        self.place.remove(CURRENT, unnamed)
        expired = []
        if replaced := self.place.files(SUPERSEDED):
            oldest = self.place.now() - SUPERSEDED_SECONDS
            for one in replaced:
                if one.path in named:
                    # The machine stopped before the swap was durable: the old view stands.
                    self.place.reinstate(one.path)
                elif one.changed < oldest:
                    expired.append(one.path)
        self.place.remove(SUPERSEDED, expired)
        self._drop_pins_of_dead_backups()
        digests = {self.digest_path(path) for path in named}
        for file in (self.root / DIGESTS).rglob("*.*"):
            if file.is_file() and file not in digests:
                file.unlink(missing_ok=True)
        return len(unnamed) + len(expired)

    def backing_up(self) -> AbstractContextManager[bool]:
        """Hold the right to pin files, or yield False while another process holds it."""
        return self.place.held("backup")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the right to change tiles; raise Conflict while another holds it for too long.

        It goes when its holder ends, however it ends. What the holder staged and did not publish
        is removed.
        """
        with self._right_to_change() as alone:
            if not alone:
                raise Conflict(
                    f"another process, such as an import, is changing the tiles in "
                    f"{self.place.name}; run this one again when it has ended"
                )
            try:
                yield
            finally:
                shutil.rmtree(self.root / STAGING, ignore_errors=True)

    @contextmanager
    def _right_to_change(self) -> Iterator[bool]:
        until = monotonic() + self._patience
        while True:
            with self.place.held("import") as alone:
                if alone or monotonic() >= until:
                    yield alone
                    return
            sleep(LOOK_AGAIN_SECONDS)

    @property
    def on_this_disk(self) -> bool:
        """Return whether published tiles stay on the disk of the folder."""
        return isinstance(self.place, TileFolder)

    @property
    def spill_file(self) -> Path:
        """Where an import may put what does not fit in memory; swept like staged files."""
        return self.root / STAGING / "spill"

    def _drop_pins_of_dead_backups(self) -> None:
        if (self.root / PINNED).exists():
            with self.backing_up() as alone:
                if alone:
                    shutil.rmtree(self.root / PINNED, ignore_errors=True)


def read_samples(
    connection: Connection,
    tiles: TileStore,
    key: ShardKey,
    window: Window,
    wanted: Collection[MetricKey],
    only: Sequence[str] | None = None,
) -> ShardSamples:
    """Return the wanted series of one shard, rows in the order of `inventory.resources_of`.

    `only` names the resources whose rows are wanted, in that order; None wants all. A series that
    no tile of the window holds is left out. Raises StoreUnavailable for a tile that cannot be read.
    """
    arns = inventory.arns_of(connection, key) if only is None else tuple(only)
    named = tiles_of_window(connection, key, window)
    with ExitStack() as stack:
        opened = tiles.place.open_all([one.path for one in named])
        files = {
            one.day: stack.enter_context(file) for one, file in zip(named, opened, strict=True)
        }
        present = frozenset().union(*(file.keys for file in files.values())) & frozenset(wanted)
        shape = (len(arns), window.days * SLOTS_PER_DAY)
        series: dict[MetricKey, Matrix] = {
            metric: np.empty(shape, np.float32) for metric in sorted(present)
        }
        known = KnownNames()
        for number in range(window.days):
            file = files.get(window.first + timedelta(days=number))
            slots = slice(number * SLOTS_PER_DAY, (number + 1) * SLOTS_PER_DAY)
            day = {metric: matrix[:, slots] for metric, matrix in series.items()}
            if file:
                known, columns = file.read_after(known, day.keys())
                _fill_day(day, arns, columns, known.arns)
            else:
                _fill_day(day, arns, {}, ())
    return ShardSamples(arns, window, series)


def tiles_of_window(connection: Connection, key: ShardKey, window: Window) -> list[NamedTile]:
    """Return the tiles of a shard on the days of a window, in order."""
    rows = connection.execute(
        select(manifest.c.day, manifest.c.path, manifest.c.last_sample_at)
        .where(
            *_in_shard(inventory.kept_key(key)),
            manifest.c.day.between(window.first, window.last),
        )
        .order_by(manifest.c.day)
    )
    return [NamedTile(*row) for row in rows]


def newest_sample(connection: Connection) -> datetime | None:
    """Return the start of the newest slot that has a sample; None in an empty store."""
    newest = connection.execute(
        select(manifest.c.last_sample_at).order_by(manifest.c.last_sample_at.desc()).limit(1)
    )
    return newest.scalar()


def tile_paths(connection: Connection) -> dict[tuple[ShardKey, date], str]:
    """Return the path of every tile of the consistent view."""
    rows = connection.execute(
        select(
            manifest.c.account_id,
            manifest.c.region,
            manifest.c.resource_type,
            manifest.c.shard,
            manifest.c.day,
            manifest.c.path,
        )
    )
    return {(ShardKey(*key), day): path for *key, day, path in rows}


def publish(
    state: State,
    tiles: TileStore,
    staged: Sequence[StagedTile],
    first: Callable[[Connection], None] = lambda _: None,
) -> None:
    """Make staged tiles visible in one transaction, together with what `first` writes.

    Only for the holder of the lock.
    """
    tiles.unstage(staged)
    with state.writing() as connection:
        first(connection)
        replaced = _swap(connection, staged)
        tiles.place.check_held()
    tiles.supersede(replaced)


def sweep(state: State, tiles: TileStore) -> int:
    """Remove files that no view needs and return their number; only for the lock's holder."""
    with state.reading() as connection:
        named = frozenset(tile_paths(connection).values())
    return tiles.sweep(named)


def stage_merged(
    tiles: TileStore, stored: str | None, key: ShardKey, day: date, tile: Tile
) -> StagedTile | None:
    """Stage the tile merged into the stored one at path `stored`; None when nothing changes."""
    if stored is None:
        return tiles.stage(key, day, tile)
    with tiles.open(stored) as file:
        older = file.tile()
    both = merged(older, tile)
    return None if same(older, both) else tiles.stage(key, day, both)


def put_files(tiles: TileStore, folder: Path, paths: Iterable[str]) -> None:
    """Move files of another folder to where the manifest will name them, and wait for the disk.

    Only for the holder of the lock. A file that is there already has the same name, and so the same
    content; it is replaced, because it may be damaged.
    """
    tiles.place.put((folder / path, path) for path in paths)


def tiled_accounts(connection: Connection) -> list[str]:
    """Return the accounts that have tiles, in order."""
    query = select(manifest.c.account_id).distinct().order_by(manifest.c.account_id)
    return list(connection.execute(query).scalars())


def forget_days(connection: Connection, account_id: str, first_kept: date) -> list[str]:
    """Take the days of an account before the given one out of the view, and return their paths.

    Only for the holder of the lock, who supersedes the files when the transaction is committed.
    """
    old = manifest.c.account_id == account_id, manifest.c.day < first_kept
    paths = list(connection.execute(select(manifest.c.path).where(*old)).scalars())
    connection.execute(delete(manifest).where(*old))
    return paths


def remove_account(connection: Connection, tiles: TileStore, account_id: str) -> Callable[[], None]:
    """Forget the metrics and the inventory of one account.

    Only for the holder of the lock. Returns what removes the files; call it when the transaction
    has been committed.
    """
    of_account = manifest.c.account_id == account_id
    connection.execute(delete(manifest).where(of_account))
    inventory.remove_resources_of(connection, account_id)

    def remove_files() -> None:
        tiles.place.remove_account(account_id)
        # Digests last: who makes one keeps it only while its tile is there.
        shutil.rmtree(tiles.root / DIGESTS / f"account_id={account_id}", ignore_errors=True)

    return remove_files


def _fill_day(
    targets: Mapping[MetricKey, Matrix],
    arns: tuple[str, ...],
    columns: Mapping[MetricKey, Any],
    tile_arns: tuple[str, ...],
) -> None:
    """Fill one day's slots of every series; what the tile does not hold becomes NaN."""
    for key, target in targets.items():
        if key in columns and tile_arns == arns:
            fill(target, columns[key])
            continue
        target[...] = np.nan
        if key in columns:
            _fill_some(target, arns, columns[key], tile_arns)


def _fill_some(
    target: Matrix, arns: tuple[str, ...], column: Any, tile_arns: tuple[str, ...]
) -> None:
    """Copy the rows of a tile that holds other resources than are wanted."""
    block = matrix_of(column)
    row_of = {arn: row for row, arn in enumerate(arns)}
    rows = np.array([row_of.get(arn, -1) for arn in tile_arns], np.intp)
    target[rows[rows >= 0]] = block[rows >= 0]


def _swap(connection: Connection, staged: Sequence[StagedTile]) -> list[str]:
    """Name tiles in the manifest and return the paths that they replace.

    All tiles by the same few statements: making one anew for each took as long as its file.
    """
    days: dict[ShardKey, list[date]] = {}
    for tile in staged:
        days.setdefault(tile.key, []).append(tile.day)
    replaced = [path for key in days for path in _paths_of_days(connection, key, days[key])]
    if replaced:
        named = delete(manifest).where(manifest.c.path == bindparam("replaced"))
        connection.execute(named, [{"replaced": path} for path in replaced])
    if staged:
        connection.execute(insert(manifest), [_row(tile) for tile in staged])
    return replaced


def _paths_of_days(connection: Connection, key: ShardKey, days: Sequence[date]) -> list[str]:
    query = select(manifest.c.path).where(*_in_shard(key), manifest.c.day.in_(days))
    return list(connection.execute(query).scalars())


def _row(tile: StagedTile) -> dict[str, Any]:
    return {
        "account_id": tile.key.account_id,
        "region": tile.key.region,
        "resource_type": tile.key.resource_type,
        "shard": tile.key.shard,
        "day": tile.day,
        "path": tile.path,
        "format_version": FORMAT_VERSION,
        "last_sample_at": tile.last_sample_at,
    }


def _in_shard(key: ShardKey) -> tuple[Any, ...]:
    return (
        manifest.c.account_id == key.account_id,
        manifest.c.region == key.region,
        manifest.c.resource_type == key.resource_type,
        manifest.c.shard == key.shard,
    )


def _folder(key: ShardKey) -> str:
    return (
        f"account_id={key.account_id}/region={key.region}/resource_type={key.resource_type}"
        f"/shard={key.shard}"
    )
