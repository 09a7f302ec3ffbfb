"""The revision of a database, told and reached without Alembic where it can be."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text, update
from sqlalchemy.sql.compiler import DDLCompiler

from compute_optimizer.errors import Conflict
from compute_optimizer.store import State
from compute_optimizer.store.revisions import (
    FOLDER,
    alembic_version,
    is_empty,
    is_newest,
    newest_revision,
    upgrade,
)


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return ScriptDirectory.from_config(config)


def test_the_newest_is_where_alembic_ends() -> None:
    assert newest_revision() == scripts().get_current_head()


def _compared(index: Any) -> dict[str, Any]:
    """Return an index with its conditions as SQL: as clauses no two are equal."""
    told = {name: str(one) for name, one in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": told}


def schema_of(connection: Connection) -> dict[str, Any]:
    """Return all that the database tells of its tables."""
    tables = inspect(connection)
    return {
        name: (
            [{**column, "type": str(column["type"])} for column in tables.get_columns(name)],
            tables.get_pk_constraint(name),
            sorted(tables.get_foreign_keys(name), key=str),
            sorted((_compared(one) for one in tables.get_indexes(name)), key=str),
            sorted(tables.get_unique_constraints(name), key=str),
            sorted(tables.get_check_constraints(name), key=str),
        )
        for name in tables.get_table_names()
    }


def rows_of(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every table; of a key, which is random, how long it is."""
    return {
        name: [
            tuple(len(value) if isinstance(value, bytes) else value for value in row)
            for row in connection.execute(text(f'SELECT * FROM "{name}"'))
        ]
        for name in inspect(connection).get_table_names()
    }


def test_a_created_database_is_one_that_went_through_all_revisions(tmp_path: Path) -> None:
    created, walked = (State(f"sqlite:///{tmp_path / name}") for name in ("one.db", "other.db"))
    created.create()
    with walked.writing() as connection:
        upgrade(connection)

    with created.reading() as one, walked.reading() as other:
        assert schema_of(one) == schema_of(other)
        assert is_newest(one)
        assert rows_of(one) == rows_of(other)
        assert list(rows_of(one)[alembic_version.name]) == [(newest_revision(),)]
    created.close()
    walked.close()


def test_tables_are_compiled_once_for_all_databases_of_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(State(f"sqlite:///{tmp_path / 'one.db'}")) as first:
        first.create()
    monkeypatch.delattr(DDLCompiler, "visit_create_table")

    with closing(State(f"sqlite:///{tmp_path / 'other.db'}")) as second:
        second.create()
        with second.reading() as connection:
            assert is_newest(connection)


def test_a_new_sqlite_database_is_made_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    program = (
        "import sys\n"
        "from compute_optimizer.store import State\n"
        "from compute_optimizer.store.revisions import is_newest\n"
        f"state = State({url!r})\n"
        "state.migrate()\n"
        "with state.reading() as connection:\n"
        "    print(is_newest(connection), 'alembic' in sys.modules)"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert said.stdout == "True False\n", said.stderr


def test_a_database_that_holds_something_else_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    other = State(f"sqlite:///{tmp_path / 'state.db'}")
    with other.writing() as connection:
        connection.execute(text("CREATE TABLE notes (body TEXT)"))
        assert not is_empty(connection)

    other.migrate()

    with other.reading() as connection:
        assert is_newest(connection)
    other.close()


def test_an_older_database_is_not_the_newest(state: State) -> None:
    with state.writing() as connection:
        before = scripts().get_revision("head").down_revision
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": before})
        assert not is_newest(connection)


def test_what_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    state = State(url)
    state.migrate()
    state.close()
    program = (
        "import sys\n"
        "from compute_optimizer.store import State\n"
        f"State({url!r}).migrate()\n"
        "print('alembic' in sys.modules)"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert said.stdout == "False\n", said.stderr


def test_a_state_of_a_newer_release_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with closing(State(url)) as state:
        state.migrate()
        with state.writing() as connection:
            connection.execute(update(alembic_version).values(version_num="9999"))

    with closing(State(url)) as state:
        with pytest.raises(Conflict, match="revision 9999 of the schema, ") as told:
            state.migrate()
        with state.reading() as connection:
            kept = connection.execute(select(alembic_version.c.version_num)).scalar()

    assert str(told.value).endswith(f"({url})")
    assert kept == "9999"
