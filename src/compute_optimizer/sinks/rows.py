"""Rows as CSV and as Parquet, written as they come."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from compute_optimizer.interfaces import Upload
from compute_optimizer.model.export import ColumnKind

Cell = str | float | int | bool | None

CSV_TYPE = "text/csv; charset=utf-8"
PARQUET_TYPE = "application/vnd.apache.parquet"
JSON_TYPE = "application/json"

ROW_GROUP = 10_000
"""Rows of a Parquet row group, which wait in memory until it is full."""

TRUE_AND_FALSE = "true|false"
"""Unless a column says otherwise."""

ARROW_TYPES = {
    ColumnKind.STRING: pa.string(),
    ColumnKind.DOUBLE: pa.float64(),
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.BOOLEAN: pa.bool_(),
    ColumnKind.DATETIME: pa.timestamp("ms", tz="UTC"),
}


class Described(Protocol):
    """What a file needs to know of a column."""

    @property
    def name(self) -> str:
        """Return the header."""

    @property
    def kind(self) -> ColumnKind:
        """Return what its values are."""

    @property
    def pattern(self) -> str | None:
        """Return how they are spelled where that needs saying: of true and false TRUE|FALSE."""


class RowWriter(Protocol):
    """A file that takes rows."""

    def write_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Append rows."""

    def finish(self) -> None:
        """Write what is still waiting; the upload is completed by whoever opened it."""


class _Lines:
    """Encodes what the csv module writes, with line feeds.

    The module is left at CR LF: told to end lines by LF, it quotes no carriage return before
    Python 3.13, and readers take one for the end of a row.
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    def write(self, line: str) -> int:
        return self._upload.write((line.removesuffix("\r\n") + "\n").encode())


class CsvRows:
    """UTF-8, a header, commas, line feeds, doubled quotes; empty cells where nothing is known."""

    def __init__(self, upload: Upload, columns: Sequence[Described]) -> None:
        self._writer = csv.writer(_Lines(upload))
        self._writer.writerow([column.name for column in columns])
        self._booleans: list[tuple[int, Sequence[str]]] = [
            (place, (column.pattern or TRUE_AND_FALSE).split("|"))
            for place, column in enumerate(columns)
            if column.kind is ColumnKind.BOOLEAN
        ]

    def write_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Append rows."""
        for row in rows:
            cells = list(row)
            for place, (true, false) in self._booleans:
                if cells[place] is not None:
                    cells[place] = true if cells[place] else false
            self._writer.writerow(cells)

    def finish(self) -> None:
        """Nothing is waiting."""


class ParquetRows:
    """The same rows in columns of the declared types."""

    def __init__(self, upload: Upload, columns: Sequence[Described]) -> None:
        self._columns = columns
        self._schema = pa.schema([(one.name, ARROW_TYPES[one.kind]) for one in columns])
        self._writer = pq.ParquetWriter(pa.PythonFile(_Closable(upload), mode="w"), self._schema)
        self._waiting: list[Sequence[Cell]] = []

    def write_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Append rows; whole row groups are written."""
        self._waiting.extend(rows)
        if len(self._waiting) >= ROW_GROUP:
            self._write_group()

    def finish(self) -> None:
        """Write the last row group and the footer."""
        if self._waiting:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        cells = zip(*self._waiting, strict=True)
        arrays = [
            pa.array(_typed(values, column.kind), ARROW_TYPES[column.kind])
            for values, column in zip(cells, self._columns, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._waiting = []


class _Closable:
    """What pyarrow wants of a Python file: the upload is completed by whoever opened it."""

    closed = False

    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    def write(self, data: Any) -> int:
        return self._upload.write(bytes(data))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def _typed(values: Sequence[Cell], kind: ColumnKind) -> Sequence[Any]:
    if kind is not ColumnKind.DATETIME:
        return values
    return [
        None if one is None else datetime.fromisoformat(str(one)).replace(tzinfo=UTC)
        for one in values
    ]
