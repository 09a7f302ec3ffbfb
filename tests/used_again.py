"""Databases of PostgreSQL that a test has done with, made as new for another one.

A copy of the template is five hundred files. What a test wrote is in a few tables, whose rows are
taken away. A database in which it changed anything but rows, or that somebody still holds open, is
left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

CATALOGS = {
    "pg_attribute": "attrelid",
    "pg_attrdef": "adrelid",
    "pg_constraint": "oid",
    "pg_proc": "oid",
    "pg_statistic": "starelid",
    "pg_trigger": "oid",
}
"""What PostgreSQL notes of a schema, whatever tests may change of it, and whose it is: where that
is 16384 or more, not PostgreSQL's own (FirstNormalObjectId)."""

SCHEMA = " UNION ALL ".join(
    f"SELECT '{catalog}', count(*), coalesce(max(xmin::text::bigint), 0)"
    f" FROM {catalog} WHERE {owner} >= 16384"
    for catalog, owner in CATALOGS.items()
)
"""How many rows of each there are, and which transaction wrote the last of them."""

TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""
"""Tables that hold rows, or held some."""


@dataclass(frozen=True)
class Template:
    """What a new database has."""

    schema: list[tuple[object, ...]]
    rows: Mapping[str, bytes]
    """By table, as COPY writes them, of those that have any."""


def template_of(url: str) -> Template:
    """Return what the database has."""
    with psycopg.connect(url) as connection:
        rows = {name: _rows_of(connection, name) for name in _names(connection)}
        return Template(_schema(connection), rows)


def emptied(url: str, template: Template) -> bool:
    """Bring a database back to what a new one has; return False where that cannot be."""
    with psycopg.connect(url) as connection:
        if _schema(connection) != template.schema:
            return False
        names = sql.SQL(", ").join(map(sql.Identifier, _names(connection)))
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        for name, rows in template.rows.items():
            statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))
            with connection.cursor().copy(statement) as copy:
                copy.write(rows)
    return True


def rename_database(server: psycopg.Connection, former: str, name: str) -> bool:
    """Give a database another name; return False where somebody is connected.

    Such as what a killed process left behind.
    """
    held = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    names = map(sql.Identifier, (former, name))
    if server.execute(held, [former]).fetchone() != (0,):
        return False
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
    return True


def _schema(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(SCHEMA.encode()).fetchall()


def _names(connection: psycopg.Connection) -> list[str]:
    return [name for (name,) in connection.execute(TABLES.encode())]


def _rows_of(connection: psycopg.Connection, table: str) -> bytes:
    statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
    with connection.cursor().copy(statement) as copy:
        return b"".join(copy)
