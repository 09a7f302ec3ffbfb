"""The file format of a tile: one shard, one UTC day, as a flat Parquet table.

    resource (dictionary of ARNs) | timestamp (ms, UTC) | CPUUtilization_Maximum | ...

One row per resource and five-minute slot, resources in ARN order and each with all its slots, so
that a column is a (resources, SLOTS_PER_DAY) matrix as it lies. Gaps are nulls, so that SQL engines
skip them. Layout and encodings were measured: docs/decisions/0003-tiles.md.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    Statistic,
)

FORMAT_VERSION = 1
"""Version of the layout above; later programs keep reading earlier versions."""

VERSION_KEY = b"compute_optimizer.tile_format"
"""Key of the version in the file's metadata."""

ROW_GROUP_RESOURCES = 1024
"""Resources in one row group: 295k rows, enough for SQL engines to read a file on four cores."""

COMPRESSION = "lz4"
"""Reads nearly twice as fast as zstd and is a tenth larger (docs/decisions/0003-tiles.md)."""

DICTIONARY_VALUES = 2**16
"""Different samples of a row group up to which a dictionary pays: then a sample is a number of 16
bits. With more, bytes by their place in the float take less (docs/decisions/0049)."""

ROW_BYTES = SLOTS_PER_DAY // 8
"""Of Arrow's bits that say which samples of a resource are there: 36, without a rest."""

RESOURCE = "resource"
TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Tile:
    """The samples of one shard on one day."""

    resource_arns: tuple[str, ...]
    """Sorted; row order of every matrix."""
    series: dict[MetricKey, Matrix]
    """(resources, SLOTS_PER_DAY) each, NaN where there is no data."""


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The ARNs of a tile, by what they are stored as: those of a shard seldom change by the day."""

    stored: tuple[Any, ...] = ()
    """Of each row group, the codec, the number of values and the bytes of its column of ARNs."""
    arns: tuple[str, ...] = ()


class TileFile:
    """An open tile file; a context manager.

    Raises StoreUnavailable when the file is missing, damaged or of a later format.
    """

    def __init__(self, path: Path | str, content: Any = None) -> None:
        """`content` is an open Arrow file where `path` is no file of this machine."""
        self._path = path
        try:
            self._content = pa.memory_map(str(path)) if content is None else content
            self._file: Any = pq.ParquetFile(self._content, read_dictionary=[RESOURCE])
        except (OSError, pa.ArrowException) as error:
            raise _unreadable(path, error) from error
        self._check_version()

    def __enter__(self) -> "TileFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._content.close()

    @property
    def keys(self) -> frozenset[MetricKey]:
        """The series that the tile holds."""
        return keys_of(self._file.schema_arrow.names)

    def read(self, wanted: Collection[MetricKey]) -> tuple[tuple[str, ...], dict[MetricKey, Any]]:
        """Return the ARNs in row order, and those wanted columns that exist, still as Arrow."""
        known, columns = self.read_after(KnownNames(), wanted)
        return known.arns, columns

    def read_after(
        self, known: KnownNames, wanted: Collection[MetricKey]
    ) -> tuple[KnownNames, dict[MetricKey, Any]]:
        """Return the same after another tile, whose ARNs are not decoded again if these are they.

        Decoding a name for each sample takes as long as decoding a series.
        """
        present = sorted(self.keys & frozenset(wanted))
        columns = [key.column for key in present]
        try:
            stored = self._stored_names()
            if stored != known.stored:
                columns = [RESOURCE, *columns]
            table = self._file.read(columns=columns, use_threads=pa.cpu_count() > 1)
        except (OSError, pa.ArrowException) as error:
            raise _unreadable(self._path, error) from error
        if RESOURCE in columns:
            known = KnownNames(stored, _arns(table[RESOURCE]))
        return known, {key: table[key.column] for key in present}

    def _stored_names(self) -> tuple[Any, ...]:
        """Return what the column of ARNs is stored as; equal only where the ARNs are."""
        place = self._file.schema_arrow.names.index(RESOURCE)
        metadata = self._file.metadata
        groups = range(metadata.num_row_groups)
        chunks = [metadata.row_group(group).column(place) for group in groups]
        return tuple((one.compression, one.num_values, self._bytes_of(one)) for one in chunks)

    def _bytes_of(self, chunk: Any) -> bytes:
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        found: bytes = self._content.read_at(chunk.total_compressed_size, start)
        return found

    def read_rows(self, key: MetricKey, rows: NDArray[np.int64]) -> Matrix:
        """Return some rows of one series, (rows, SLOTS_PER_DAY); only their row groups are read."""
        groups = range(self._file.num_row_groups)
        sizes = [self._file.metadata.row_group(one).num_rows // SLOTS_PER_DAY for one in groups]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        group_of = np.searchsorted(starts, rows, side="right") - 1
        found: Matrix = np.empty((len(rows), SLOTS_PER_DAY), np.float32)
        for group in np.unique(group_of).tolist():
            try:
                table = self._file.read_row_group(
                    group, columns=[key.column], use_threads=pa.cpu_count() > 1
                )
            except (OSError, pa.ArrowException) as error:
                raise _unreadable(self._path, error) from error
            own = group_of == group
            some: Matrix = np.empty((int(own.sum()), SLOTS_PER_DAY), np.float32)
            decoded(table[key.column]).fill_rows(some, rows[own] - starts[group], np.nan)
            found[own] = some
        return found

    def tile(self) -> Tile:
        """Return all of it."""
        arns, columns = self.read(self.keys)
        return Tile(arns, {key: matrix_of(column) for key, column in columns.items()})

    def _check_version(self) -> None:
        version = int((self._file.schema_arrow.metadata or {}).get(VERSION_KEY, b"0"))
        if not 1 <= version <= FORMAT_VERSION:
            raise StoreUnavailable(
                f"tile {self._path} has format {version}; this program reads formats 1 to "
                f"{FORMAT_VERSION}: run a version that knows it"
            )


@contextmanager
def decoding_threads(most: int) -> Iterator[None]:
    """Let tiles be decoded in no more threads than `most`, in this process and for a while.

    Several processes that read at once would otherwise have a thread for each core, each.
    """
    before = limit_decoding(most)
    try:
        yield
    finally:
        pa.set_cpu_count(before)


def limit_decoding(most: int) -> int:
    """Let this process decode tiles in no more threads than `most`; return how many it was."""
    before: int = pa.cpu_count()
    pa.set_cpu_count(min(before, most))
    return before


@contextmanager
def memory_used_again() -> Iterator[None]:
    """Let Arrow take its memory from the C library, in this process and for a while.

    Its own allocator gives the memory of large columns back to the system as soon as they are
    dropped; where tile after tile is decoded, it is asked for anew (docs/decisions/0057).
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def keys_of(columns: Iterable[str]) -> frozenset[MetricKey]:
    """Return the series that the columns of a tile hold."""
    parts = (name.rsplit("_", 1) for name in columns if name not in (RESOURCE, TIMESTAMP))
    return frozenset(MetricKey(metric, Statistic(statistic)) for metric, statistic in parts)


def fill(target: Matrix, column: Any) -> None:
    """Copy one Arrow column into a (resources, SLOTS_PER_DAY) matrix or view of one; gaps are NaN.

    Reads Arrow's buffers directly: its own conversion of nulls to NaN costs three times the
    decoding of the file.
    """
    start = 0
    for chunk in column.chunks:
        samples, known = _decoded(chunk)
        rows = target[start : start + len(samples)]
        rows[...] = samples
        if known is not None:
            np.copyto(rows, np.nan, where=_gaps_of(known))
        start += len(rows)


def matrix_of(column: Any) -> Matrix:
    """Return one Arrow column, or whole rows of one, as (resources, SLOTS_PER_DAY)."""
    found: Matrix = np.empty((len(column) // SLOTS_PER_DAY, SLOTS_PER_DAY), np.float32)
    fill(found, column)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class DecodedColumn:
    """One series of a tile as Arrow decoded it, not copied."""

    chunks: tuple[tuple[Matrix, NDArray[np.uint8] | None], ...]
    """(rows, SLOTS_PER_DAY) each, and which samples are there."""
    counts: NDArray[np.int64]
    """(resources,): samples of each."""

    def rows_without_gaps(self, first: int, rows: int) -> Matrix | None:
        """Return rows that lie one after the other, uncopied and not to be written on.

        None where one of them has a gap, or they do not lie in one chunk.
        """
        if (self.counts[first : first + rows] < SLOTS_PER_DAY).any():
            return None
        start = 0
        for samples, _ in self.chunks:
            if start <= first and first + rows <= start + len(samples):
                return samples[first - start : first - start + rows]
            start += len(samples)
        return None

    def fill_rows(self, target: Matrix, rows: NDArray[np.int64], absent: float) -> None:
        """Copy some rows, ascending, into (rows, SLOTS_PER_DAY); no other is looked at.

        `absent` stands for what is missing.
        """
        start = 0
        for samples, known in self.chunks:
            first, end = np.searchsorted(rows, (start, start + len(samples)))
            if first < end:
                own, places = target[first:end], rows[first:end] - start
                # Any other mode would copy each row twice: `out` is written when all is checked.
                np.take(samples, places, axis=0, out=own, mode="clip")
                if known is not None:
                    np.copyto(own, absent, where=_gaps_of(known[places]))
            start += len(samples)


def decoded(column: Any) -> DecodedColumn:
    """Return what one Arrow column of whole rows holds."""
    chunks = tuple(_decoded(chunk) for chunk in column.chunks)
    none = np.zeros(0, np.int64)
    counts = [
        np.full(len(samples), SLOTS_PER_DAY) if known is None else _counts_of(known)
        for samples, known in chunks
    ]
    return DecodedColumn(chunks, np.concatenate([none, *counts]))


def _decoded(chunk: Any) -> tuple[Matrix, NDArray[np.uint8] | None]:
    """Return the samples as they lie, whatever stands in gaps, and Arrow's bits of each row, 1
    where there is a sample; None where there is no gap."""
    validity, data = chunk.buffers()
    cells = slice(chunk.offset, chunk.offset + len(chunk))
    samples: Matrix = np.frombuffer(data, np.float32)[cells].reshape(-1, SLOTS_PER_DAY)
    samples.flags.writeable = False
    if not chunk.null_count:
        return samples, None
    # Whole rows begin and end with a byte.
    bits = np.frombuffer(validity, np.uint8)[cells.start // 8 : cells.stop // 8]
    return samples, bits.reshape(len(samples), ROW_BYTES)


def _counts_of(known: NDArray[np.uint8]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bitwise_count(known.view(np.uint32)).sum(axis=1, dtype=np.int64)
    return counts


def _gaps_of(known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which cells of some rows are missing."""
    return np.unpackbits(~known, axis=1, bitorder="little").view(np.bool_)


def write_tile(path: Path, day: date, tile: Tile, *, durable: bool = True) -> None:
    """Write the tile and, if durable, wait until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = _table(day, tile)
    few, many = _by_variety(tile)
    with path.open("wb") as file:
        pq.write_table(
            table,
            file,
            compression=COMPRESSION,
            row_group_size=ROW_GROUP_RESOURCES * SLOTS_PER_DAY,
            use_dictionary=[RESOURCE, TIMESTAMP, *few],
            use_byte_stream_split=many,
        )
        if durable:
            file.flush()
            os.fsync(file.fileno())


def merged(older: Tile, newer: Tile) -> Tile:
    """Return both tiles as one; where both have a value for a slot, the newer one stands."""
    arns = tuple(sorted({*older.resource_arns, *newer.resource_arns}))
    row_of = {arn: row for row, arn in enumerate(arns)}
    series: dict[MetricKey, Matrix] = {}
    for tile in (older, newer):
        rows = np.array([row_of[arn] for arn in tile.resource_arns], np.intp)
        for key, matrix in tile.series.items():
            target = series.setdefault(key, no_samples(len(arns)))
            target[rows] = np.where(np.isnan(matrix), target[rows], matrix)
    return Tile(arns, series)


def same(one: Tile, other: Tile) -> bool:
    """Return whether two tiles hold exactly the same samples."""
    return (
        one.resource_arns == other.resource_arns
        and one.series.keys() == other.series.keys()
        and all(
            np.array_equal(matrix, other.series[key], equal_nan=True)
            for key, matrix in one.series.items()
        )
    )


def last_slot(tile: Tile) -> int:
    """Return the newest slot of the day that has a sample; 0 in an empty tile."""
    slots = [np.flatnonzero(~np.isnan(matrix).all(axis=0)) for matrix in tile.series.values()]
    return max((int(found[-1]) for found in slots if found.size), default=0)


def no_samples(resources: int) -> Matrix:
    """Return a matrix of gaps only, (resources, SLOTS_PER_DAY)."""
    return np.full((resources, SLOTS_PER_DAY), np.nan, np.float32)


def _table(day: date, tile: Tile) -> Any:
    resources = len(tile.resource_arns)
    rows = pa.array(np.repeat(np.arange(resources, dtype=np.int32), SLOTS_PER_DAY))
    slots = np.datetime64(day, "ms") + np.arange(SLOTS_PER_DAY) * np.timedelta64(SLOT_SECONDS, "s")
    names = pa.array(tile.resource_arns, pa.string())
    columns = {
        RESOURCE: pa.DictionaryArray.from_arrays(rows, names),
        TIMESTAMP: pa.array(np.tile(slots.astype("datetime64[ms]"), resources)),
    }
    for key in sorted(tile.series):
        columns[key.column] = pa.array(tile.series[key].ravel(), from_pandas=True)
    return pa.table(columns).replace_schema_metadata({VERSION_KEY: str(FORMAT_VERSION)})


def _by_variety(tile: Tile) -> tuple[list[str], list[str]]:
    """Return the columns that have few different samples in a row group, and those with many.

    Told by as many rows as a group has, from all over the tile.
    """
    step = max(1, -(-len(tile.resource_arns) // ROW_GROUP_RESOURCES))
    columns: tuple[list[str], list[str]] = ([], [])
    for key, matrix in tile.series.items():
        ordered = np.sort(matrix[::step], axis=None)
        different = int(np.count_nonzero(ordered[1:] > ordered[:-1])) + 1
        columns[int(different > DICTIONARY_VALUES)].append(key.column)
    return columns


def _arns(column: Any) -> tuple[str, ...]:
    arns: list[str] = []
    for chunk in column.chunks:
        names = chunk.dictionary.to_pylist()
        arns += [names[code] for code in chunk.indices.to_numpy()[::SLOTS_PER_DAY]]
    return tuple(arns)


def _unreadable(path: Path | str, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(
        f"tile {path} cannot be read: {error}; restore it, or remove its row and import that day "
        "again"
    )
