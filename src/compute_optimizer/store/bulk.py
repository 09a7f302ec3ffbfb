"""Many rows into one table: COPY on PostgreSQL, INSERT in chunks on SQLite."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, insert

from compute_optimizer.errors import StoreUnavailable

CHUNK_ROWS = 1_000
"""Rows in one statement of SQLite: bounds memory; larger ones are no faster."""

CACHE_KIB = 64 * 1024
"""Of pages that SQLite keeps in memory while it takes in many rows: what a full shard writes. With
its own 2 MiB, pages of indexes are written and read again each time a row falls on them."""

Row = Mapping[str, Any]
"""By the names of columns."""


def insert_rows(connection: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Insert rows that all name the same columns, and return how many they were.

    Raises StoreUnavailable where the database goes away.
    """
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        return 0
    put = _insert if connection.dialect.name == "sqlite" else _copy
    return put(connection, table, tuple(first), chain((first,), waiting))


def _insert(connection: Connection, table: Table, names: Sequence[str], rows: Iterator[Row]) -> int:
    """Hand the driver ready tuples: walking the statement for each row costs as much as writing."""
    compiled: Any = insert(table).compile(dialect=connection.dialect, column_keys=list(names))
    statement, processors = str(compiled), _processors(connection, table, compiled.positiontup)
    columns, total = list(zip(compiled.positiontup, processors, strict=True)), 0
    connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
    while chunk := list(islice(rows, CHUNK_ROWS)):
        # Column by column, which takes three fifths of what row by row does.
        by_column = [_stored(chunk, name, process) for name, process in columns]
        connection.exec_driver_sql(statement, list(zip(*by_column, strict=True)))
        total += len(chunk)
    return total


def _stored(rows: Sequence[Row], name: str, process: Callable[[Any], Any] | None) -> Iterable[Any]:
    """Return one column of some rows as the driver takes it."""
    values = map(itemgetter(name), rows)
    return values if process is None else map(process, values)


def _copy(connection: Connection, table: Table, names: Sequence[str], rows: Iterator[Row]) -> int:
    """Send rows in the binary form of COPY, each value as the column's type stores it."""
    dialect, total = connection.dialect, 0
    types = [table.c[name].type for name in names]
    processors = [known or _as_it_is for known in _processors(connection, table, names)]
    quote = dialect.identifier_preparer
    columns = ", ".join(quote.quote(name) for name in names)
    statement = f"COPY {quote.format_table(table)} ({columns}) FROM STDIN (FORMAT BINARY)"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as sending:
            sending.set_types([_type_name(one.compile(dialect)) for one in types])
            for row in rows:
                sending.write_row(
                    [process(row[name]) for name, process in zip(names, processors, strict=True)]
                )
                total += 1
    except driver_errors(connection) as error:
        raise StoreUnavailable(f"the state store cannot be used: {error}") from error
    return total


def driver_errors(connection: Connection) -> type[Exception]:
    """Return what the driver raises where the server goes away: it is used directly here."""
    found: type[Exception] = connection.dialect.loaded_dbapi.OperationalError
    return found


def _processors(
    connection: Connection, table: Table, names: Sequence[str]
) -> list[Callable[[Any], Any] | None]:
    """Return what makes values of columns what the driver takes; None where they are that."""
    dialect = connection.dialect
    types = [table.c[name].type for name in names]
    return [one.dialect_impl(dialect).bind_processor(dialect) for one in types]


def _as_it_is(value: Any) -> Any:
    return value


def _type_name(declared: str) -> str:
    """Return the server's name of a declared type, without its length."""
    return declared.partition("(")[0].lower()
