"""Days in short, kept beside their tiles: what an analysis reads instead of samples.

    tiles/digests/account_id=A/.../2026-01-31.<unique>.arrow    of the tile of the same name

An Arrow IPC file, lz4: a row for each row of the tile, a column for each figure of
`engine.digests`. A tile never changes under its name, so neither does its digest; whoever reads a
tile without one makes it and keeps it. It holds nothing that the tile does not tell: it may be
missing, and backups leave it out.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection

from compute_optimizer.engine.arrays import Integers
from compute_optimizer.engine.day_figures import BLOCK_ROWS, SentRows, counted, figures_of_day
from compute_optimizer.engine.digests import (
    ABSENT,
    DEPTH,
    DTYPES,
    DigestedSamples,
    KeptSeries,
    Wanted,
    Whole,
    WholeRows,
    shape_of,
)
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    Window,
)
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store.inventory import SHARD_RESOURCES
from compute_optimizer.store.tile_files import (
    RESOURCE,
    DecodedColumn,
    KnownNames,
    TileFile,
    decoded,
    keys_of,
)
from compute_optimizer.store.tiles import TileStore, tiles_of_window

FORMAT_VERSION = 1
"""Of the files; one of another version is made anew."""

VERSION_KEY = b"compute_optimizer.digest_format"
PARTS_KEY = b"compute_optimizer.parts"
"""Which parts the file knows of; a part without a column had no samples."""
SERIES_KEY = b"compute_optimizer.series"
"""The columns of the tile."""

SIZE_KEY = b"compute_optimizer.tile_bytes"
"""Size of the tile: one that was cut off or replaced by hand is read, and told of, again."""

COMPRESSION = "lz4"

AT_HAND_BYTES = 6 * SHARD_RESOURCES * 14 * SLOTS_PER_DAY * 4
"""Of samples that stay in memory where days in short are made: six series of a full shard over the
default look-back period, 396 MB."""

Scratch = list[Matrix]
"""(BLOCK_ROWS, SLOTS_PER_DAY) for each series, written again and again: memory that is asked for
with each block goes back to the system each time, and its pages cost as much as what they hold."""


@dataclass(frozen=True, slots=True, eq=False)
class SamplesAtHand:
    """A tile whose samples were read to make it short: as Arrow decoded them, not copied."""

    columns: Mapping[MetricKey, DecodedColumn]
    resources: int
    known_slots: int
    """Slots of the day that are known; later ones are blank."""

    @property
    def keys(self) -> list[MetricKey]:
        """The series that parts are made of, in the order of what blocks hold."""
        return list(self.columns)

    @property
    def bytes(self) -> int:
        """Return what the samples take in memory."""
        return len(self.columns) * self.resources * SLOTS_PER_DAY * np.float32().nbytes

    def block(self, scratch: Scratch, first: int, rows: int) -> list[SentRows]:
        """Return what some rows, one after the other, sent of every series.

        Their samples are not to be written on. Where they have gaps they are in the scratch, and
        the next block replaces them.
        """
        for _ in range(len(scratch), len(self.columns)):
            scratch.append(np.empty((BLOCK_ROWS, SLOTS_PER_DAY), np.float32))
        columns = zip(self.columns.values(), scratch, strict=False)
        return [self._sent(column, samples, first, rows) for column, samples in columns]

    def _sent(self, column: DecodedColumn, scratch: Matrix, first: int, rows: int) -> SentRows:
        counts, whole_day = column.counts[first : first + rows], self.known_slots == SLOTS_PER_DAY
        if whole_day and (whole := column.rows_without_gaps(first, rows)) is not None:
            return SentRows(np.arange(rows), whole, counts)
        known = np.flatnonzero(counts)
        samples = scratch[: len(known)]
        column.fill_rows(samples, first + known, -np.inf)
        if whole_day:
            return SentRows(known, samples, counts[known])
        samples[:, self.known_slots :] = -np.inf
        return counted(known, samples)

    def read_rows(self, key: MetricKey, rows: Integers) -> Matrix:
        """Return some rows of one series, ascending, as those of an open tile."""
        found: Matrix = np.empty((len(rows), SLOTS_PER_DAY), np.float32)
        self.columns[key].fill_rows(found, rows, np.nan)
        found[:, self.known_slots :] = np.nan
        return found


@dataclass(slots=True)
class Reused:
    """What one tile leaves behind for the next one."""

    scratch: Scratch = field(default_factory=list)
    names: KnownNames = field(default_factory=KnownNames)


@dataclass(frozen=True, slots=True, eq=False)
class DigestedDay:
    """One tile in short."""

    arns: tuple[str, ...]
    """Row order of every figure."""
    keys: frozenset[MetricKey]
    """The series of the tile."""
    figures: Mapping[str, NDArray[Any]]
    """By column, (resources,), tails (resources, DEPTH)."""


@dataclass(frozen=True, slots=True, eq=False)
class DigestedWindow:
    """The days of some resources in short, and where their samples are."""

    samples: DigestedSamples
    tiles: TileStore
    paths: Mapping[int, str]
    """By number of the day in the window; a day may have no tile."""
    rows: Mapping[int, Integers]
    """By number of the day, (resources,): their rows in the tile, -1 where it has none."""
    known_slots: int
    """Slots of the window that begin before the moment of the analysis."""
    at_hand: Mapping[int, SamplesAtHand] = field(default_factory=dict)
    """By number of the day: tiles that need not be read again."""

    def whole(self, wanted: Wanted) -> Whole:
        """Return all samples of the wanted rows of each series; the tiles are opened once."""
        shape = self.samples.window.days * SLOTS_PER_DAY
        found = {
            key: WholeRows(rows, np.full((len(rows), shape), np.nan, np.float32))
            for key, rows in wanted.items()
        }
        for number in self.paths:
            slots = slice(number * SLOTS_PER_DAY, (number + 1) * SLOTS_PER_DAY)
            with self._opened(number) as day:
                for key in sorted(wanted.keys() & day.keys):
                    places = self.rows[number][found[key].rows]
                    there = np.flatnonzero(places >= 0)
                    found[key].samples[there, slots] = day.read_rows(key, places[there])
        for one in found.values():
            one.samples[:, self.known_slots :] = np.nan
        return found

    def _opened(self, number: int) -> AbstractContextManager[TileFile | SamplesAtHand]:
        day = self.at_hand.get(number)
        return self.tiles.open(self.paths[number]) if day is None else nullcontext(day)


def read_digested(
    connection: Connection,
    tiles: TileStore,
    key: ShardKey,
    window: Window,
    parts: Sequence[KeptSeries],
    wanted: Sequence[MetricKey],
    only: Sequence[str],
    as_of: datetime,
) -> DigestedWindow:
    """Return the days of a window in short, as known before a moment, rows in the order of `only`.

    Raises StoreUnavailable for a tile that cannot be read.
    """
    arns, first = tuple(only), datetime.combine(window.first, time(), UTC)
    known_slots = ceil((as_of - first) / timedelta(seconds=SLOT_SECONDS))
    paths: dict[int, str] = {}
    rows: dict[int, Integers] = {}
    figures: dict[str, NDArray[Any]] = {}
    present: set[MetricKey] = set()
    at_hand: dict[int, SamplesAtHand] = {}
    reused = Reused()
    for one in tiles_of_window(connection, key, window):
        number = (one.day - window.first).days
        slots = SLOTS_PER_DAY
        if one.last_sample_at >= as_of:
            slots = max(known_slots - number * SLOTS_PER_DAY, 0)
        day, read = _digested_day(tiles, one.path, parts, slots, reused)
        if (
            read is not None
            and sum(kept.bytes for kept in (read, *at_hand.values())) <= AT_HAND_BYTES
        ):
            at_hand[number] = read
        paths[number], rows[number] = one.path, _places(arns, day.arns)
        present |= day.keys & frozenset(wanted)
        _gather(figures, day, number, rows[number], parts, (len(arns), window.days))
    samples = DigestedSamples(arns, window, frozenset(present), figures)
    return DigestedWindow(samples, tiles, paths, rows, known_slots, at_hand)


def expect_digested(
    connection: Connection, tiles: TileStore, key: ShardKey, window: Window
) -> None:
    """Begin to fetch the tiles of a window that have to be read because no digest is kept."""
    named = (one.path for one in tiles_of_window(connection, key, window))
    tiles.place.expect([path for path in named if not tiles.digest_path(path).exists()])


def _places(arns: tuple[str, ...], of_tile: tuple[str, ...]) -> Integers:
    """Return the row in the tile of each resource, -1 where it has none."""
    if arns == of_tile:
        return np.arange(len(arns))
    row_of = {arn: row for row, arn in enumerate(of_tile)}
    return np.array([row_of.get(arn, -1) for arn in arns], np.int64)


def _gather(
    figures: dict[str, NDArray[Any]],
    day: DigestedDay,
    number: int,
    rows: Integers,
    parts: Sequence[KeptSeries],
    shape: tuple[int, int],
) -> None:
    """Put the figures of one day in their place in those of the window, (resources, days)."""
    there = np.flatnonzero(rows >= 0)
    everybody = len(there) == len(day.arns) == len(rows) and bool((np.diff(rows) == 1).all())
    for part in parts:
        for column, figure in part.columns.items():
            if column not in day.figures:
                continue
            if column not in figures:
                blank = np.full(shape_of(figure, *shape), ABSENT[figure], DTYPES[figure])
                figures[column] = blank
            if everybody:
                figures[column][:, number] = day.figures[column]
            else:
                figures[column][there, number] = day.figures[column][rows[there]]


def _digested_day(
    tiles: TileStore, path: str, parts: Sequence[KeptSeries], slots: int, reused: Reused
) -> tuple[DigestedDay, SamplesAtHand | None]:
    """Return a tile in short: as it is kept, else made and kept, with the samples that were read.

    Of a day that is known up to `slots` only, it is made and not kept.
    """
    if slots == SLOTS_PER_DAY and (found := read_digest(tiles, path, parts)):
        return found, None
    made, read = _made(tiles, path, parts, slots, reused)
    if slots == SLOTS_PER_DAY:
        keep_digest(tiles, path, made, parts)
    return made, read


def _made(
    tiles: TileStore, path: str, parts: Sequence[KeptSeries], slots: int, reused: Reused
) -> tuple[DigestedDay, SamplesAtHand]:
    wanted = {key for part in parts for key in part.keys}
    with tiles.open(path) as file:
        keys = file.keys
        reused.names, columns = file.read_after(reused.names, wanted)
    arns = reused.names.arns
    whole = {key: decoded(column) for key, column in columns.items()}
    read = SamplesAtHand(whole, len(arns), slots)
    figures = figures_of_day(len(arns), read.keys, partial(read.block, reused.scratch), parts)
    return DigestedDay(arns, keys, figures), read


def read_digest(tiles: TileStore, path: str, parts: Sequence[KeptSeries]) -> DigestedDay | None:
    """Return the kept digest of a tile; None where there is none of this version and this tile,
    with all parts and whole."""
    try:
        with pa.memory_map(str(tiles.digest_path(path))) as source:
            reader = pa.ipc.open_file(source)
            told = reader.schema.metadata or {}
            known = told.get(PARTS_KEY, b"").decode().split("\n")
            fresh = told.items() >= _stamp(tiles, path).items()
            if not fresh or not {_described(part) for part in parts} <= set(known):
                return None
            return _day_of(reader.read_all(), told[SERIES_KEY].decode(), parts)
    except (OSError, pa.ArrowException):
        return None


def _stamp(tiles: TileStore, path: str) -> dict[bytes, bytes]:
    """Return what a digest of this version says of the tile as it is; raise OSError without one."""
    size = tiles.place.size(path)
    if size is None:
        raise FileNotFoundError(path)
    return {VERSION_KEY: str(FORMAT_VERSION).encode(), SIZE_KEY: str(size).encode()}


def _described(part: KeptSeries) -> str:
    return f"{part.name}: {' '.join(figure.value for figure in part.figures)}"


def _day_of(table: Any, series: str, parts: Sequence[KeptSeries]) -> DigestedDay:
    wanted = {column for part in parts for column in part.columns}
    figures = {
        name: _array(table[name].combine_chunks()) for name in table.column_names if name in wanted
    }
    arns = tuple(table[RESOURCE].to_pylist())
    return DigestedDay(arns, keys_of(filter(None, series.split("\n"))), figures)


def _array(column: Any) -> NDArray[Any]:
    if pa.types.is_fixed_size_list(column.type):
        flat: NDArray[Any] = column.flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(column), DEPTH)
    found: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return found


def keep_digest(tiles: TileStore, path: str, day: DigestedDay, parts: Sequence[KeptSeries]) -> bool:
    """Write a digest and return whether it is kept.

    A disk that is full or not ours to write on keeps none: the tile tells the same. Neither is one
    kept whose tile was replaced or removed meanwhile: whoever does that removes the tile first.
    """
    target = tiles.digest_path(path)
    draft = target.with_name(f"{uuid4().hex}.draft")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(draft, day, parts, _stamp(tiles, path))
        draft.replace(target)
    except OSError:
        _forget(draft)
        return False
    if tiles.place.size(path) is not None:
        return True
    _forget(target)
    return False


def _forget(file: Path) -> None:
    with suppress(OSError):
        file.unlink()


def _write(
    path: Path, day: DigestedDay, parts: Sequence[KeptSeries], stamp: Mapping[bytes, bytes]
) -> None:
    columns = {RESOURCE: pa.array(day.arns, pa.string())}
    for name, figures in day.figures.items():
        columns[name] = _column(figures)
    told = {
        **stamp,
        PARTS_KEY: "\n".join(_described(part) for part in parts),
        SERIES_KEY: "\n".join(sorted(key.column for key in day.keys)),
    }
    table = pa.table(columns).replace_schema_metadata(told)
    options = pa.ipc.IpcWriteOptions(compression=COMPRESSION)
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema, options=options) as file,
    ):
        file.write_table(table)


def _column(figures: NDArray[Any]) -> Any:
    if figures.ndim == 1:
        return pa.array(figures)
    return pa.FixedSizeListArray.from_arrays(pa.array(figures.ravel()), DEPTH)
