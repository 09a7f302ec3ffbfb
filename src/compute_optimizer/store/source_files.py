"""Which files of a source were brought in already, told by size and time of change."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from compute_optimizer.store.schema import source_files as table


class Mark(NamedTuple):
    """What tells a file from a later one of the same name."""

    bytes: int
    modified_ns: int


def known_files(connection: Connection, source: str) -> dict[str, Mark]:
    """Return the mark of every file that was brought in from a source, by path."""
    query = select(table.c.path, table.c.bytes, table.c.modified_ns).where(table.c.source == source)
    return {row.path: Mark(row.bytes, row.modified_ns) for row in connection.execute(query)}


def remember_files(
    connection: Connection, source: str, marks: Mapping[str, Mark], now: datetime
) -> None:
    """Note that files were brought in, as they were when they were looked at."""
    for path, mark in marks.items():
        mine = table.c.source == source, table.c.path == path
        connection.execute(delete(table).where(*mine))
        row = {"source": source, "path": path, "imported_at": now, **mark._asdict()}
        connection.execute(insert(table).values(row))
