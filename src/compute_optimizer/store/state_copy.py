"""The whole state at one moment, from one database to another, whatever their kinds.

Both databases have the newest schema, so that a walk over its tables is all there is to it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, text

from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.interfaces import StageProgress
from compute_optimizer.store.bulk import CHUNK_ROWS, Row, insert_rows
from compute_optimizer.store.revisions import alembic_version
from compute_optimizer.store.schema import metadata, sealing_keys
from compute_optimizer.store.state import State

STEP_PAGES = 2_560
"""Pages of SQLite between two steps of progress: 10 MiB."""


def row_counts(connection: Connection) -> dict[str, int]:
    """Return the number of rows of every table."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


def is_filled(connection: Connection) -> bool:
    """Return whether the state holds anything beside the keys that the first revision draws."""
    return any(
        connection.execute(select(table).limit(1)).first() is not None
        for table in metadata.sorted_tables
        if table is not sealing_keys
    )


def check_filled(connection: Connection) -> None:
    """Raise NotFound for a state that holds nothing: most often that of a folder nobody meant."""
    if not is_filled(connection):
        shown = connection.engine.url.render_as_string()
        raise NotFound(
            f"the state {shown} holds nothing; name another one by --data-dir or state_url"
        )


def revision_of(connection: Connection) -> str:
    """Return the revision of the schema."""
    return str(connection.execute(select(alembic_version.c.version_num)).scalar_one())


def copy_tables(source: Connection, target: Connection, told: StageProgress) -> dict[str, int]:
    """Put all rows of the source in the place of those of the target; return their numbers.

    Others may read the target meanwhile and see its former rows; who would write waits. Raises
    InvalidInput for a value that the target cannot hold: SQLite keeps no lengths.
    """
    if target.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        target.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))
    for table in reversed(metadata.sorted_tables):
        target.execute(delete(table))
    counts = row_counts(source)
    done, total = 0, sum(counts.values())
    for table in metadata.sorted_tables:
        counts[table.name] = _copied(target, table, _rows(source, table))
        done += counts[table.name]
        told("state", done, total)
    return counts


def _copied(target: Connection, table: Table, rows: Iterator[Row]) -> int:
    data_error: type[Exception] = target.dialect.loaded_dbapi.DataError
    try:
        return insert_rows(target, table, rows)
    except data_error as error:
        raise InvalidInput(
            f"table {table.name} has a row that the target cannot hold: {error}; nothing was "
            "copied. Remove or shorten what it names, and copy again"
        ) from error


def _rows(source: Connection, table: Table) -> Iterator[Row]:
    query = select(table).execution_options(yield_per=CHUNK_ROWS)
    with source.execute(query) as rows:
        for row in rows:
            yield row._mapping  # type: ignore[misc] # its keys are strings here


def write_snapshot(source: Connection, path: Path, told: StageProgress) -> None:
    """Write the state as the connection sees it to a new SQLite file of its own."""
    if source.dialect.name == "sqlite":
        _back_up(source, path, told)
        return
    with closing(State(f"sqlite:///{path}")) as state:
        state.migrate()
        with state.writing() as target:
            copy_tables(source, target, told)


def _back_up(source: Connection, path: Path, told: StageProgress) -> None:
    """Copy the pages of one view: as its transaction is open, no writer makes it start anew."""
    source.execute(select(sealing_keys).limit(1)).all()  # From here on the view stands.
    driver: Any = source.connection.driver_connection

    def progress(_status: int, remaining: int, total: int) -> None:
        told("state", total - remaining, total)

    with closing(sqlite3.connect(path)) as target:
        driver.backup(target, pages=STEP_PAGES, progress=progress)


def replace_state(snapshot: Path, state: State, told: StageProgress) -> dict[str, int]:
    """Put a SQLite file in the place of all that a state holds, in one transaction.

    The file is brought to the newest schema; returns the number of rows of each table.
    """
    with closing(State(f"sqlite:///{snapshot}")) as copied:
        copied.migrate()
        with copied.reading() as source:
            if not state.is_sqlite:
                with state.writing() as target:
                    return copy_tables(source, target, told)
            counts = row_counts(source)
            _overwrite(source, state)
            told("state", 1, 1)
            return counts


def _overwrite(source: Connection, state: State) -> None:
    """Write all pages as one transaction of the target, also while others have it open."""
    driver: Any = source.connection.driver_connection
    with closing(sqlite3.connect(str(state.engine.url.database))) as target:
        driver.backup(target)
