"""The state database: SQLite in WAL mode by default, PostgreSQL by URL.

Every function of this package takes a `Connection` from `State.reading()` or `State.writing()`;
what it writes becomes visible when the block ends, all of it or nothing.
"""

import sqlite3
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, func, make_url, select
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from compute_optimizer.errors import Conflict, ConnectionLost, InvalidInput, StoreUnavailable
from compute_optimizer.interfaces import Clock, SystemClock
from compute_optimizer.store import revisions
from compute_optimizer.store.database_clock import DatabaseClock, look
from compute_optimizer.store.sqlite import open_sqlite

T = TypeVar("T")

CONNECTED_BY: Mapping[str, int] = {
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 30,  # seconds without a word, after which the other side is asked
    "keepalives_interval": 10,  # seconds
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds that what was sent may stay unheard
}
"""How PostgreSQL is connected to where the URL does not say it otherwise (libpq's names): a machine
or a network that is gone without a word is noticed within about a minute. By libpq's own defaults
that takes two hours."""

LOST = ("08", "57P", "53300")
"""How the SQLSTATEs begin of a server that goes, comes, or has no connection left (PostgreSQL's
appendix A). One that does not answer has none."""

DISK_ERRORS = ("SQLITE_FULL", "SQLITE_IOERR")
"""How SQLite's names of errors begin that a disk without room brings about: where it cannot even
make its files for reading, it says no more than `disk I/O error`."""

MIGRATION_LOCK = 0x0C0
"""Number of the PostgreSQL advisory lock that migrations hold; any fixed number does."""

REMEMBERED_ENTRIES = 100_000
"""Entries kept by `State.remembered` before all are dropped: bounds its memory."""


class State:
    """An open state database."""

    def __init__(self, url: str, machine: Clock | None = None) -> None:
        self.url = url
        self.engine = _open(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        """Whether this is the embedded database."""
        machine = machine or SystemClock()
        self.clock: Clock = machine if self.is_sqlite else DatabaseClock(url, machine)
        """What all go by who share the state; of its machine where it is a file."""
        self._remembered: dict[Hashable, Any] = {}
        self._version: int | None = None
        self._watch: sqlite3.Connection | None = None
        self._asking: sqlite3.Cursor
        """Of the connection that watches; made once, because making one takes a microsecond."""
        self._is_closed = False
        self._lock = Lock()

    def migrate(self) -> None:
        """Bring the schema to the newest revision; raise StoreUnavailable if that fails.

        Raises Conflict where a newer release has written the state. The first to look at a state:
        its error alone tells where the state is, for operators.
        """
        try:
            self._migrate()
        except (Conflict, StoreUnavailable) as error:
            raise type(error)(f"{error} ({self.engine.url.render_as_string()})") from error

    def _migrate(self) -> None:
        with self.reading() as connection:
            if revisions.is_newest(connection):
                return
        with self.writing() as connection:
            if not self.is_sqlite:
                # SQLite's writers wait for each other; here two first starts could collide.
                connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            elif revisions.is_empty(connection):
                revisions.create(connection)
                return
            revisions.upgrade(connection)

    def create(self) -> None:
        """Make the newest schema in a database that is empty."""
        with self.writing() as connection:
            revisions.create(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open one consistent view; raise StoreUnavailable when the database cannot be reached."""
        with _store_errors(), self.engine.connect() as connection:
            if not self.is_sqlite:
                # SQLite's transactions are one view already.
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
                self._look_at_time(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open one transaction that commits at the end of the block or leaves no trace."""
        with _store_errors(), self.engine.connect() as connection:
            writer = connection.execution_options(compute_optimizer_writes=True)
            with writer.begin():
                self._look_at_time(writer)
                yield writer

    def look(self) -> None:
        """Forget what is remembered if any process has changed the database since the last look.

        SQLite tells in microseconds whether another connection committed (PRAGMA data_version).
        PostgreSQL does not, so there nothing is remembered.
        """
        if self.is_sqlite:
            with self._lock:
                self._forget_if_changed()

    def remembered(
        self, key: Hashable, load: Callable[[Connection], T], *, looked: bool = False
    ) -> T:
        """Return what `load` read, reading again only after any process has changed the database.

        Whoever has `look`ed since the request arrived, and says so, is spared another look: an
        answer is as new as its request then, and no call that was over before is left out.
        """
        if not self.is_sqlite:
            with self.reading() as connection:
                return load(connection)
        with self._lock:
            if not looked:
                self._forget_if_changed()
            if key in self._remembered:
                found: T = self._remembered[key]
                return found
            version = self._version
        with self.reading() as connection:
            value = load(connection)
        with self._lock:
            if len(self._remembered) >= REMEMBERED_ENTRIES:
                self._remembered.clear()
            # A commit that another thread has noticed meanwhile may have overtaken this value.
            if version == self._version:
                self._remembered[key] = value
        return value

    def close(self) -> None:
        """Close every connection; a call that is still under way cannot look any more."""
        self.engine.dispose()
        # Under the lock: SQLite crashes the process where one thread closes what another asks.
        with self._lock:
            self._is_closed = True
            if self._watch is not None:
                self._watch.close()
                self._watch = None

    def _look_at_time(self, connection: Connection) -> None:
        if isinstance(self.clock, DatabaseClock):
            look(self.clock, connection)

    def _forget_if_changed(self) -> None:
        # Runs for every request: a try block costs nothing, a context manager a microsecond.
        try:
            if self._watch is None:
                if self._is_closed:
                    raise StoreUnavailable("the state store cannot be used: it is closed")
                path = str(self.engine.url.database)
                self._watch = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                self._asking = self._watch.cursor()
            # All rows, though there is one: a cursor that has more to tell keeps its old view.
            ((version,),) = self._asking.execute("PRAGMA data_version").fetchall()
        except sqlite3.DatabaseError as error:
            raise _unavailable(error) from error
        if version != self._version:
            self._remembered.clear()
            self._version = version


def _open(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInput(
            f"state store {url!r} is no database URL; expected sqlite:///PATH or postgresql://..."
        ) from error
    engine = _open_parsed(parsed)
    engine.url = parsed  # As its user wrote it, for messages.
    return engine


def _open_parsed(parsed: URL) -> Engine:
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(parsed)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise InvalidInput(
            f"state store {parsed.render_as_string()!r} is not supported; "
            "expected sqlite:///PATH or postgresql://..."
        )
    _make_folder(Path(parsed.database).parent)
    return open_sqlite(parsed)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the folder of the state store cannot be made: {error}") from error


def _open_postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={name: one for name, one in CONNECTED_BY.items() if name not in url.query},
        )
    except ModuleNotFoundError:
        raise InvalidInput(
            "a state store in PostgreSQL needs the package psycopg, which is not installed; "
            "install it in a checkout with pip install '.[postgresql]'"
        ) from None


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError):
        raise  # Our own defects, not the database's absence.
    except (DatabaseError, InterfaceError, sqlite3.DatabaseError) as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> StoreUnavailable:
    cause = getattr(error, "orig", None) or error
    kind = ConnectionLost if _is_lost(error, cause) else StoreUnavailable
    return kind(f"the state store cannot be used: {cause}{_to_do(cause)}")


def _to_do(cause: object) -> str:
    if not getattr(cause, "sqlite_errorname", "").startswith(DISK_ERRORS):
        return ""
    return "; is its disk full? Make room there, and do this again: nothing of it was kept"


def _is_lost(error: Exception, cause: object) -> bool:
    """Whether PostgreSQL was there, and may be there again in a moment."""
    if not isinstance(error, OperationalError) or isinstance(cause, sqlite3.Error):
        return False
    state = getattr(cause, "sqlstate", None)
    return state is None or state.startswith(LOST)
