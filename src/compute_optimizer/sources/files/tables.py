"""CSV and Parquet files as a stream of Arrow batches that know their row numbers.

Rows are counted from 1 and the header is not counted. Text is decoded by `values`, not here: a cell
that is no number must be reported with its row, and must not end the file.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.files.refusals import Reason, Refusals

CSV_BLOCK_BYTES = 8 * 1024 * 1024
"""Read at once: some 100,000 rows."""

PARQUET_BATCH_ROWS = 131_072
"""Read at once from Parquet."""

MAX_FILE_ROWS = 2**31
"""Rows of one metric file; split larger ones."""

CSV_SUFFIXES = (".csv", ".csv.gz", ".csv.zst", ".csv.bz2")
PARQUET_SUFFIXES = (".parquet", ".pq")

OTHER_SEPARATORS = (";", "\t", "|")
"""What some programs write between fields in the place of a comma."""

ReadProgress = Callable[[Path, float], None]
"""Told which share of a file has been read, 0 to 1."""


SHORTEST_ROW_BYTES = 18
"""Of CSV without its values: the moment takes ten digits, the resource and what separates them
the rest. Compressed files are taken as they lie on the disk, so more may come out of them."""

SHORTEST_CELL_BYTES = 2
"""A digit and a comma."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table."""

    columns: dict[str, Any]
    """Arrow arrays of equal length by column name."""
    rows: NDArray[np.int64]
    """The row number of each."""

    def __len__(self) -> int:
        return len(self.rows)


class TableFile(Protocol):
    """An open table."""

    path: Path
    columns: tuple[str, ...]
    most_rows: int
    """Rows that it may have: told by the file, or by its size."""

    def batches(
        self, wanted: Sequence[str], refusals: Refusals, progress: ReadProgress
    ) -> Iterator[Batch]:
        """Yield the wanted columns; raises InvalidInput where the file cannot be read on."""


def open_table(path: Path, others: tuple[str, ...] = ()) -> TableFile:
    """Open a CSV or Parquet file; raises InvalidInput naming the file and what is wrong.

    `others` are kinds of files that the caller reads by itself.
    """
    name = path.name.casefold()
    if name.endswith(PARQUET_SUFFIXES):
        return _ParquetTable(path)
    if name.endswith(CSV_SUFFIXES):
        return _CsvTable(path)
    known = ", ".join((*CSV_SUFFIXES, *PARQUET_SUFFIXES, *others))
    raise InvalidInput(f"{path}: the kind of file is unknown; expected a name ending in {known}")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Explain whatever the content of a file may do to those who read it."""
    try:
        yield
    except (OSError, pa.ArrowException, UnicodeDecodeError, OverflowError, csv.Error) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InvalidInput:
    if isinstance(error, UnicodeDecodeError):
        return InvalidInput(f"{path}: cannot be read: it is no UTF-8 text; write it anew as UTF-8")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    # On one line, as every other complaint; Arrow writes some on several.
    return InvalidInput(f"{path}: cannot be read: {' '.join(reason.split())}")


class _ParquetTable:
    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path):
            self._file: Any = pq.ParquetFile(path)
            self.columns: tuple[str, ...] = tuple(self._file.schema_arrow.names)
        _check_columns(path, self.columns)
        self.most_rows: int = self._file.metadata.num_rows
        if self.most_rows > MAX_FILE_ROWS:
            raise _too_many_rows(path)

    def batches(
        self, wanted: Sequence[str], refusals: Refusals, progress: ReadProgress
    ) -> Iterator[Batch]:
        total = max(self._file.metadata.num_rows, 1)
        first = 1
        with reading(self.path):
            for part in self._file.iter_batches(PARQUET_BATCH_ROWS, columns=list(wanted)):
                rows = np.arange(first, first + part.num_rows, dtype=np.int64)
                first += part.num_rows
                yield Batch({name: part.column(name) for name in wanted}, rows)
                progress(self.path, (first - 1) / total)
        progress(self.path, 1.0)


class _CsvTable:
    def __init__(self, path: Path) -> None:
        self.path = path
        # Names are used without the blanks around them; the parser wants them as they stand.
        self._header = _csv_header(path)
        self.columns = tuple(name.strip() for name in self._header)
        _check_separator(path, self._header)
        _check_columns(path, self.columns)
        shortest = SHORTEST_ROW_BYTES + SHORTEST_CELL_BYTES * len(self.columns)
        with reading(path):
            self.most_rows = path.stat().st_size // shortest

    def batches(
        self, wanted: Sequence[str], refusals: Refusals, progress: ReadProgress
    ) -> Iterator[Batch]:
        numbers = _RowNumbers(self.path, refusals)
        with reading(self.path):
            size = max(self.path.stat().st_size, 1)
            with pa.OSFile(str(self.path)) as raw, _decompressed(raw, self.path) as stream:
                for part in self._reader(_CheckedText(stream), wanted, numbers):
                    columns = dict(zip(wanted, part.columns, strict=True))
                    yield Batch(columns, numbers.of_next(part.num_rows))
                    progress(self.path, min(raw.tell() / size, 1.0))
        progress(self.path, 1.0)

    def _reader(self, stream: Any, wanted: Sequence[str], numbers: "_RowNumbers") -> Any:
        if not _has_rows(self.path):
            return ()
        names = [self._header[self.columns.index(name)] for name in wanted]
        return pa_csv.open_csv(
            stream,
            # Parallel parsing would not know row numbers.
            read_options=pa_csv.ReadOptions(block_size=CSV_BLOCK_BYTES, use_threads=False),
            parse_options=pa_csv.ParseOptions(
                newlines_in_values=False, invalid_row_handler=numbers.skip
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=names,
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )


class _CheckedText(io.RawIOBase):
    """A stream that must be UTF-8: Arrow checks only after it has called `_RowNumbers.skip`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def readable(self) -> bool:
        """Tell that this is a stream to read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; raises UnicodeDecodeError."""
        found: bytes = self._stream.read(size)
        self._decoder.decode(found, final=not found)
        return found


class _RowNumbers:
    """Counts rows as they stand in the file, also past those that the parser skips."""

    def __init__(self, path: Path, refusals: Refusals) -> None:
        self._path = path
        self._refusals = refusals
        self._taken = 0
        self._skipped: list[int] = []

    def skip(self, row: Any) -> str:
        """Refuse a row that does not fit the header."""
        number = row.number - 1
        self._skipped.append(number)
        found = f"{row.actual_columns} fields, expected {row.expected_columns}"
        self._refusals.add(self._path, number, Reason.FIELDS, found)
        return "skip"

    def of_next(self, count: int) -> NDArray[np.int64]:
        """Return the row numbers of the next rows that the parser took."""
        taken = np.arange(self._taken + 1, self._taken + count + 1, dtype=np.int64)
        self._taken += count
        if self._taken > MAX_FILE_ROWS:
            raise _too_many_rows(self._path)
        # The i-th skipped row s stands before the k-th taken one where s - i <= k.
        skipped = np.array(self._skipped, np.int64) - np.arange(len(self._skipped))
        return taken + np.searchsorted(skipped, taken, side="right")


def _decompressed(raw: Any, path: Path) -> Any:
    kinds = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
    kind = kinds.get(path.suffix.casefold())
    return pa.CompressedInputStream(raw, kind) if kind else raw


def _csv_header(path: Path) -> tuple[str, ...]:
    for fields in _csv_lines(path):
        return tuple(fields)
    raise InvalidInput(f"{path}: the file is empty; expected a header and rows")


def _has_rows(path: Path) -> bool:
    lines = _csv_lines(path)
    return next(lines, None) is not None and next(lines, None) is not None


def _csv_lines(path: Path) -> Iterator[list[str]]:
    with reading(path), pa.OSFile(str(path)) as raw, _decompressed(raw, path) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        yield from (fields for fields in csv.reader(text) if fields)


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    again = sorted({name for name in columns if name and columns.count(name) > 1})
    if again:
        raise InvalidInput(f"{path}: the column {again[0]!r} occurs twice; keep one")


def _check_separator(path: Path, header: Sequence[str]) -> None:
    if len(header) == 1 and any(one in header[0] for one in OTHER_SEPARATORS):
        raise InvalidInput(
            f"{path}: the header is one field, {header[0][:80]!r}; expected commas between fields, "
            "so write the file anew with them"
        )


def _too_many_rows(path: Path) -> InvalidInput:
    return InvalidInput(f"{path}: more than {MAX_FILE_ROWS:,} rows; split the file")
