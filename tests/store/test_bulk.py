"""Many rows at once: what is read back is what was put in, on both kinds of database."""

import pytest
from sqlalchemy import Table, delete, func, select, text
from sqlalchemy.exc import DatabaseError

from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.store import State
from compute_optimizer.store.bulk import CHUNK_ROWS, insert_rows
from compute_optimizer.store.schema import metadata, source_files
from tests.every_table import MOMENT, every_row, fill_every_table, value_of
from tests.states import FreshUrl


def file_row(number: int) -> dict[str, object]:
    return {
        "source": "s",
        "path": str(number),
        "bytes": number,
        "modified_ns": 0,
        "imported_at": MOMENT,
    }


def test_rows_of_every_table_are_as_single_inserts_would_have_them(state: State) -> None:
    with state.writing() as connection:
        fill_every_table(connection)
        wanted = every_row(connection)
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
        for table in metadata.sorted_tables:
            insert_rows(connection, table, rows_of(table))

    with state.reading() as connection:
        assert every_row(connection) == wanted


def rows_of(table: Table) -> list[dict[str, object]]:
    return [{one.name: value_of(one, number) for one in table.c} for number in range(3)]


@pytest.mark.parametrize("count", [0, 1, CHUNK_ROWS, 2 * CHUNK_ROWS + 1])
def test_it_tells_how_many_rows_it_has_inserted(state: State, count: int) -> None:
    with state.writing() as connection:
        assert insert_rows(connection, source_files, map(file_row, range(count))) == count
        stored = connection.execute(select(func.count()).select_from(source_files)).scalar_one()

    assert stored == count


def test_a_row_that_is_there_already_fails_and_leaves_no_trace(state: State) -> None:
    errors = (DatabaseError, state.engine.dialect.loaded_dbapi.IntegrityError)
    with pytest.raises(errors), state.writing() as connection:
        insert_rows(connection, source_files, [file_row(1), file_row(2), file_row(1)])

    with state.reading() as connection:
        assert not every_row(connection)["source_files"]


def test_a_server_that_goes_away_is_store_unavailable(fresh_postgresql: FreshUrl) -> None:
    url = fresh_postgresql()
    state, other = State(url), State(url)
    with pytest.raises(StoreUnavailable), state.writing() as connection:
        process_id = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with other.writing() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:id)"), {"id": process_id})
        insert_rows(connection, source_files, map(file_row, range(10)))
    state.close()
    other.close()
