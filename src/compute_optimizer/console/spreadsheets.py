"""Tables as files for spreadsheets."""

import csv
import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from compute_optimizer.console.messages import Response
from compute_optimizer.errors import ComputeOptimizerError

log = logging.getLogger(__name__)

CSV_TYPE = "text/csv; charset=utf-8"

ROWS_AT_ONCE = 1_000
"""Rows in one piece of a file: some 150 KB."""


class Incomplete(Exception):
    """A file broke off: the browser must not take it for a whole one."""

    def __init__(self, written: int) -> None:
        super().__init__(f"the file broke off after {written} rows")


FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Begin what spreadsheets take for a formula."""


def as_file(name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Return rows of cells as a file of CSV with a name, which gets its ending.

    Rows are asked for while the file is sent, some thousand at a time.
    """
    disposition = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(200, b"", CSV_TYPE, headers=disposition, pieces=_pieces(headings, rows))


def _pieces(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Yield the file; where rows break off, its last line says so, for the status is sent."""
    waiting, written = iter(rows), 0
    yield _lines([headings])
    try:
        while some := [[_plain(cell) for cell in row] for row in islice(waiting, ROWS_AT_ONCE)]:
            yield _lines(some)
            written += len(some)
    except Exception as error:
        known = isinstance(error, ComputeOptimizerError)
        log.log(logging.WARNING if known else logging.ERROR, "a file broke off", exc_info=not known)
        why = str(error) if known else "an internal error occurred; the server's log has it"
        yield _lines([[f"INCOMPLETE after {written} rows: {why}"]])
        raise Incomplete(written) from error


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _plain(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value
