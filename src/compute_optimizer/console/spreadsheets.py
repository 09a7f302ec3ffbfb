"""Tables as files for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from compute_optimizer.console.messages import Response

CSV_TYPE = "text/csv; charset=utf-8"

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Begin what spreadsheets take for a formula."""


def as_file(name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Return rows of cells as a file of CSV with a name, which gets its ending."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    disposition = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(200, out.getvalue().encode(), CSV_TYPE, headers=disposition)


def _plain(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value
