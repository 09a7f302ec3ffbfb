"""Rows for every table of the state, with values that databases may treat differently."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Double,
    Integer,
    LargeBinary,
    String,
    Text,
    delete,
    insert,
    select,
)

from compute_optimizer.store.packed_bodies import PackedBody
from compute_optimizer.store.schema import UtcDateTime, metadata

ROWS = 3

MOMENT = datetime(2026, 3, 14, 23, 59, 59, 123_456, tzinfo=UTC)

TEXTS = ("a", "Z'\\é\t%", "")
"""Of every length of column: no longer than six characters, with the number before it."""

VALUES: dict[type[Any], Callable[[int], Any]] = {
    # The order matters: a type may extend another one.
    UtcDateTime: lambda number: MOMENT + timedelta(days=number),
    BigInteger: lambda number: 2**62 + number,
    Integer: lambda number: number,
    Boolean: lambda number: number % 2 == 0,
    Date: lambda number: date(2026, 2, 28) + timedelta(days=number),
    Double: lambda number: 0.1 + number,
    LargeBinary: lambda number: bytes(range(256)) + bytes([number]),
    PackedBody: lambda number: bytes(range(256)) + bytes([number]),
    JSON: lambda number: {"number": number, "é": [None, True, 1.5]},
    Text: lambda number: f"{number}{TEXTS[number % 3]}" * 1_000,
    String: lambda number: f"{number}{TEXTS[number % 3]}",
}


def value_of(column: Column[Any], number: int) -> Any:
    """Return the value of a column in the row of that number; every third is null where it may."""
    if column.nullable and number == 2 and not column.unique:
        return None
    kind = next(kind for kind in VALUES if isinstance(column.type, kind))
    return VALUES[kind](number)


def fill_every_table(connection: Connection, rows: int = ROWS) -> None:
    """Put rows into every table, in the place of those that are there."""
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))
    for table in metadata.sorted_tables:
        values = [{one.name: value_of(one, row) for one in table.c} for row in range(rows)]
        connection.execute(insert(table), values)


def every_row(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, in an order that databases agree on."""
    return {
        table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
        for table in metadata.sorted_tables
    }
