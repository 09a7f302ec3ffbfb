"""The whole state from one database to another, whatever their kinds."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import insert, update

from compute_optimizer.errors import InvalidInput
from compute_optimizer.store import State
from compute_optimizer.store.schema import accounts, recommendation_errors, sealing_keys
from compute_optimizer.store.state_copy import (
    copy_tables,
    is_filled,
    replace_state,
    row_counts,
    write_snapshot,
)
from tests.every_table import ROWS, every_row, fill_every_table
from tests.states import FreshUrl


def silently(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest) -> Iterator[State]:
    """A second database, of each kind in turn."""
    fresh: FreshUrl = request.getfixturevalue(f"fresh_{request.param}")
    with closing(State(fresh())) as opened:
        yield opened


def rows_in(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(State(f"sqlite:///{file}")) as state, state.reading() as connection:
        return every_row(connection)


def add_account(state: State, account_id: str) -> None:
    row = {"account_id": account_id, "name": "", "suspended": False, "metrics_unreadable": False}
    with state.writing() as connection:
        connection.execute(insert(accounts).values(row))


def test_a_new_state_holds_nothing_though_its_keys_were_drawn(state: State) -> None:
    with state.reading() as connection:
        assert row_counts(connection)["sealing_keys"] == 1
        assert not is_filled(connection)


def test_a_state_with_one_row_holds_something(state: State) -> None:
    add_account(state, "111111111111")

    with state.reading() as connection:
        assert is_filled(connection)


def test_every_row_of_every_table_arrives_and_former_rows_go(state: State, target: State) -> None:
    add_account(target, "999999999999")
    with state.writing() as connection:
        fill_every_table(connection)
        wanted = every_row(connection)
    steps: list[tuple[str, int, int]] = []

    with state.reading() as source, target.writing() as writer:
        counts = copy_tables(source, writer, lambda *step: steps.append(step))

    with target.reading() as connection:
        assert every_row(connection) == wanted
    assert set(counts.values()) == {ROWS}
    assert steps[-1] == ("state", ROWS * len(counts), ROWS * len(counts))


def test_a_copy_that_fails_leaves_the_target_as_it_was(state: State, target: State) -> None:
    add_account(target, "999999999999")
    add_account(state, "111111111111")
    with target.reading() as connection:
        before = every_row(connection)

    with (
        pytest.raises(ZeroDivisionError),
        state.reading() as source,
        target.writing() as writer,
    ):
        copy_tables(source, writer, silently)
        raise ZeroDivisionError

    with target.reading() as connection:
        assert every_row(connection) == before


def test_what_is_too_long_for_postgresql_is_named(
    sqlite_state: State, fresh_postgresql: FreshUrl
) -> None:
    with sqlite_state.writing() as connection:
        fill_every_table(connection)
        # SQLite keeps no lengths: the column has 64 characters.
        connection.execute(update(recommendation_errors).values(code="x" * 65))

    with (
        closing(State(fresh_postgresql())) as target,
        sqlite_state.reading() as source,
        pytest.raises(InvalidInput, match="recommendation_errors"),
        target.writing() as writer,
    ):
        copy_tables(source, writer, silently)


def test_a_snapshot_is_the_view_of_its_transaction_in_one_file(
    state: State, tmp_path: Path
) -> None:
    with state.writing() as connection:
        fill_every_table(connection)
        wanted = every_row(connection)

    with state.reading() as source:
        every_row(source)
        add_account(state, "555555555555")
        write_snapshot(source, tmp_path / "snapshot.db", silently)

    assert [one.name for one in tmp_path.iterdir()] == ["snapshot.db"]
    assert rows_in(tmp_path / "snapshot.db") == wanted


def test_a_snapshot_ends_while_others_write_all_the_time(
    fresh_sqlite: FreshUrl, tmp_path: Path
) -> None:
    state, writer = (State(url) for url in [fresh_sqlite()] * 2)
    with state.writing() as connection:
        fill_every_table(connection, rows=1)
        large = [{"purpose": str(one), "key": bytes(2**20)} for one in range(40)]
        connection.execute(insert(sealing_keys), large)
    enough = Event()

    def write() -> None:
        while not enough.is_set():
            with writer.writing() as connection:
                connection.execute(update(sealing_keys).values(key=b"new"))

    thread = Thread(target=write)
    with state.reading() as source:
        wanted = every_row(source)
        thread.start()
        try:
            # 40 MiB are four steps, between which the writer commits.
            write_snapshot(source, tmp_path / "snapshot.db", silently)
        finally:
            enough.set()
            thread.join()

    assert rows_in(tmp_path / "snapshot.db") == wanted
    state.close()
    writer.close()


def test_a_file_replaces_all_that_a_state_holds(
    sqlite_state: State, target: State, tmp_path: Path
) -> None:
    add_account(target, "999999999999")
    with sqlite_state.writing() as connection:
        fill_every_table(connection)
        wanted = every_row(connection)
    with sqlite_state.reading() as source:
        write_snapshot(source, tmp_path / "snapshot.db", silently)

    with target.reading() as reader:
        before = every_row(reader)
        counts = replace_state(tmp_path / "snapshot.db", target, silently)
        # Who reads meanwhile keeps the view that it has.
        assert every_row(reader) == before

    with target.reading() as connection:
        assert every_row(connection) == wanted
    assert sum(counts.values()) == ROWS * len(wanted)


def test_an_open_state_notices_that_it_was_replaced(
    sqlite_state: State, fresh_sqlite: FreshUrl, tmp_path: Path
) -> None:
    with closing(State(fresh_sqlite())) as target:
        assert not target.remembered("filled", is_filled)
        add_account(sqlite_state, "111111111111")
        with sqlite_state.reading() as source:
            write_snapshot(source, tmp_path / "snapshot.db", silently)

        replace_state(tmp_path / "snapshot.db", target, silently)

        assert target.remembered("filled", is_filled)
