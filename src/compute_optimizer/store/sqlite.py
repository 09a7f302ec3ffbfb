"""SQLite's databases as SQLAlchemy opens them: in WAL mode, each statement compiled once.

A process may open many of them, one after the other: an emulator for each test has one. SQLAlchemy
keeps what it compiled for one engine and its dialect; here all engines keep it in one place, and
all dialects are equal.
"""

import sqlite3
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

BUSY_TIMEOUT_SECONDS = 30
"""How long a writer waits for another one before the store counts as unavailable."""

PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")

STATEMENTS_KEPT = 1_000
"""Compiled ones, twice as many as SQLAlchemy keeps for an engine; the program has some 300."""

NAME = "sqlite+compute_optimizer"

_compiled: LRUCache[Any, Any] = LRUCache(STATEMENTS_KEPT)


class AlikeDialect(SQLiteDialect_pysqlite):
    """The dialect of Python's SQLite, whose version is one for the whole process."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AlikeDialect)

    def __hash__(self) -> int:
        return hash(AlikeDialect)


registry.register(NAME.replace("+", "."), __name__, AlikeDialect.__name__)


def open_sqlite(url: URL) -> Engine:
    """Return the engine of a database in a file; nothing is opened before it is used."""
    engine = create_engine(
        url.set(drivername=NAME),
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
        execution_options={"compiled_cache": _compiled},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction control begins too late for consistent reads, so it is off and
    # _begin says BEGIN.
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("compute_optimizer_writes", False)
    # A writer takes its lock at once: a deferred one could fail half-way, when it upgrades.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
