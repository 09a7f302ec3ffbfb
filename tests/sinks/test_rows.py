"""Rows as files."""

import csv
import io
from dataclasses import dataclass

import pytest

from compute_optimizer.model.export import ColumnKind
from compute_optimizer.sinks.rows import CsvRows


@dataclass
class Name:
    """The one column of a file."""

    name: str = "Name"
    kind: ColumnKind = ColumnKind.STRING
    pattern: str | None = None


@pytest.mark.parametrize(
    "name", ["two\rlines", "two\nlines", "two\r\nlines", "end\r\n", 'a "b", c']
)
def test_a_cell_is_read_back_as_it_was_whatever_line_ends_it_has(name: str) -> None:
    file = io.BytesIO()
    rows = CsvRows(file, [Name()])
    rows.write_rows([[name], ["plain"]])
    rows.finish()

    written = file.getvalue().decode()
    assert list(csv.reader(io.StringIO(written, newline=""))) == [["Name"], [name], ["plain"]]
    assert written.startswith("Name\n")
    assert written.endswith("\nplain\n")
