"""The state database itself: atomic, never stale, clear about failures; on both kinds."""

import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, insert, select, text

from compute_optimizer.errors import (
    ComputeOptimizerError,
    ConnectionLost,
    InvalidInput,
    StoreUnavailable,
)
from compute_optimizer.store import State
from compute_optimizer.store.schema import accounts, metadata
from tests.states import FreshUrl


def add_account(connection: Connection, account_id: str) -> None:
    connection.execute(
        insert(accounts).values(
            account_id=account_id, name="", suspended=False, metrics_unreadable=False
        )
    )


def count_accounts(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(accounts)).scalar_one()


def test_migrations_build_exactly_the_tables_of_the_metadata(state: State) -> None:
    with state.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(state: State) -> None:
    with state.writing() as connection:
        add_account(connection, "111111111111")
    state.migrate()
    with state.reading() as connection:
        assert count_accounts(connection) == 1


def test_a_block_that_fails_leaves_no_trace(state: State) -> None:
    with pytest.raises(ZeroDivisionError), state.writing() as connection:
        add_account(connection, "111111111111")
        raise ZeroDivisionError
    with state.reading() as connection:
        assert count_accounts(connection) == 0


def test_what_is_not_committed_is_not_seen(state: State) -> None:
    with state.writing() as writer:
        add_account(writer, "111111111111")
        with state.reading() as reader:
            assert count_accounts(reader) == 0


def test_a_reader_keeps_one_view_while_others_commit(state: State) -> None:
    with state.reading() as reader:
        assert count_accounts(reader) == 0
        with state.writing() as writer:
            add_account(writer, "111111111111")
        assert count_accounts(reader) == 0


def test_remembered_sees_its_own_changes(state: State) -> None:
    assert state.remembered("count", count_accounts) == 0
    with state.writing() as connection:
        add_account(connection, "111111111111")
    assert state.remembered("count", count_accounts) == 1


def test_remembered_sees_the_changes_of_another_state(state: State, state_url: str) -> None:
    other = State(state_url)
    assert state.remembered("count", count_accounts) == 0
    with other.writing() as connection:
        add_account(connection, "111111111111")
    assert state.remembered("count", count_accounts) == 1
    other.close()


def test_remembered_sees_the_changes_of_another_process(state: State, state_url: str) -> None:
    assert state.remembered("count", count_accounts) == 0
    program = (
        "import sys; from compute_optimizer.store import State\n"
        "from tests.store.test_state import add_account\n"
        "state = State(sys.argv[1])\n"
        "with state.writing() as connection: add_account(connection, '111111111111')\n"
        "state.close()"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program, state_url], check=True, cwd=root)
    assert state.remembered("count", count_accounts) == 1


def test_remembered_reads_once_while_nothing_changes(sqlite_state: State) -> None:
    reads: list[int] = []

    def load(connection: Connection) -> int:
        reads.append(1)
        return count_accounts(connection)

    assert [sqlite_state.remembered("count", load) for _ in range(3)] == [0, 0, 0]
    assert len(reads) == 1


def test_remembered_keeps_nothing_that_a_commit_overtook(sqlite_state: State) -> None:
    def load_while_another_commits(connection: Connection) -> int:
        before = count_accounts(connection)
        writing = Thread(target=commit_and_look)
        writing.start()
        writing.join()
        return before

    def commit_and_look() -> None:
        with sqlite_state.writing() as writer:
            add_account(writer, "111111111111")
        sqlite_state.remembered("other", count_accounts)

    # The first answer may be the older one; it must not be remembered as the present one.
    sqlite_state.remembered("count", load_while_another_commits)
    assert sqlite_state.remembered("count", count_accounts) == 1


def test_remembered_is_safe_between_threads(sqlite_state: State) -> None:
    errors: list[Exception] = []

    def ask() -> None:
        try:
            for _ in range(200):
                assert sqlite_state.remembered("count", count_accounts) == 0
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_an_unreachable_server_is_store_unavailable(tmp_path: Path) -> None:
    state = State(f"postgresql://nobody@/nothing?host={tmp_path}")
    with pytest.raises(ConnectionLost, match="state store"), state.reading():
        pass
    with pytest.raises(StoreUnavailable), state.writing():
        pass
    with pytest.raises(StoreUnavailable):
        state.migrate()
    with pytest.raises(StoreUnavailable):
        state.remembered("count", count_accounts)
    state.close()


def test_a_folder_in_place_of_the_file_is_store_unavailable(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    with pytest.raises(StoreUnavailable):
        state.migrate()
    with pytest.raises(StoreUnavailable):
        state.remembered("count", count_accounts)
    state.close()


def test_a_file_that_is_no_database_is_store_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database " * 100)
    state = State(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match=r"state store .*not a database .*/state\.db\)"):
        state.migrate()
    state.close()


def test_where_a_state_is_that_cannot_be_opened_is_told_without_its_password(
    tmp_path: Path,
) -> None:
    state = State(f"postgresql://nobody:secret@/nothing?host={tmp_path}")

    with pytest.raises(StoreUnavailable, match=r"\(postgresql://nobody:\*\*\*@/nothing") as told:
        state.migrate()

    assert "secret" not in str(told.value)
    state.close()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ComputeOptimizerError, match="file"):
        State(f"sqlite:///{tmp_path / 'file' / 'state.db'}")


def test_a_disk_without_room_is_told_with_what_to_do(sqlite_state: State) -> None:
    with (
        pytest.raises(StoreUnavailable, match=r"is full; is its disk full\? Make room"),
        sqlite_state.writing() as connection,
    ):
        connection.execute(text("PRAGMA max_page_count = 1"))
        for number in range(10_000):
            add_account(connection, f"{number:012d}")

    with sqlite_state.reading() as connection:
        assert count_accounts(connection) == 0


def test_a_statement_that_postgresql_ends_is_no_lost_connection(fresh_postgresql: FreshUrl) -> None:
    state = State(fresh_postgresql())

    with pytest.raises(StoreUnavailable) as told, state.writing() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 1"))
        connection.execute(text("SELECT pg_sleep(60)"))

    assert not isinstance(told.value, ConnectionLost)
    state.close()


def test_a_network_that_is_gone_is_noticed_as_the_url_says(fresh_postgresql: FreshUrl) -> None:
    state = State(f"{fresh_postgresql()}&keepalives_idle=7")
    with state.reading() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        told = driver.info.get_parameters()
    state.close()

    assert told["keepalives_idle"] == "7"
    assert told["tcp_user_timeout"] == "60000"


def test_a_connection_that_breaks_is_store_unavailable_and_the_next_one_works(
    fresh_postgresql: FreshUrl,
) -> None:
    url = fresh_postgresql()
    state, other = State(url), State(url)
    with pytest.raises(ConnectionLost), state.reading() as connection:
        process_id = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with other.writing() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:id)"), {"id": process_id})
        count_accounts(connection)
    with state.reading() as connection:
        assert count_accounts(connection) == 0
    state.close()
    other.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_serve_is_refused_by_name(url: str) -> None:
    with pytest.raises(InvalidInput, match="state store"):
        State(url)


def test_two_processes_may_migrate_at_once(state_url: str) -> None:
    states = [State(state_url), State(state_url)]
    with states[0].writing() as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    errors: list[Exception] = []

    def migrate(state: State) -> None:
        try:
            state.migrate()
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=migrate, args=(state,)) for state in states]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for state in states:
        state.close()


def test_a_state_may_be_closed_while_threads_look(tmp_path: Path) -> None:
    # SQLite ends the process where one thread closes a connection that another one uses.
    url = f"sqlite:///{tmp_path / 'state.db'}"
    for _ in range(50):
        state, told = State(url), list[str]()
        threads = [Thread(target=look_until_closed, args=(state, told)) for _ in range(2)]
        for one in threads:
            one.start()
        state.look()
        state.close()
        for one in threads:
            one.join()

        assert told == ["the state store cannot be used: it is closed"] * 2


def look_until_closed(state: State, told: list[str]) -> None:
    try:
        while True:
            state.look()
    except StoreUnavailable as error:
        told.append(str(error))
