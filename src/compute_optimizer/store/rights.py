"""Rights that one process holds at a time, by the state database: where tiles are in a bucket.

PostgreSQL keeps them as advisory locks of a connection, so that they go when their holder does, on
whatever machine. With SQLite everybody is on one machine, and they are locks of files beside it.
"""

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DatabaseError

from compute_optimizer.errors import Conflict
from compute_optimizer.store.state import State

CLASS = 0x0C1
"""First number of the advisory locks; any fixed one does that nothing else uses."""

NUMBERS: Mapping[str, int] = {"import": 1, "backup": 2}
"""Second number, by right."""

Check = Callable[[], None]


@dataclass(frozen=True)
class Rights:
    """The rights of those who share a state; pickled as its URL."""

    state_url: str = field(repr=False)
    _checks: dict[str, Callable[[], None]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Of the rights that this process holds."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Rights, (self.state_url,)

    @contextmanager
    def held(self, right: str) -> Iterator[bool]:
        """Hold a right until the block ends, or yield False while somebody else holds it."""
        with closing(State(self.state_url)) as state:
            hold = _by_file if state.is_sqlite else _by_database
            with hold(state, right) as check:
                if check is None:
                    yield False
                    return
                self._checks[right] = check
                try:
                    yield True
                finally:
                    del self._checks[right]

    def check_held(self, right: str) -> None:
        """Raise Conflict where a right that this process took was lost."""
        if right in self._checks:
            self._checks[right]()


@contextmanager
def _by_file(state: State, right: str) -> Iterator[Check | None]:
    path = Path(f"{state.engine.url.database}.{right}.lock")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield lambda: None


@contextmanager
def _by_database(state: State, right: str) -> Iterator[Check | None]:
    numbers = CLASS, NUMBERS[right]
    with state.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(select(func.pg_try_advisory_lock(*numbers))):
            yield None
            return
        turn = Lock()
        try:
            yield lambda: _ask(connection, turn, right)
        finally:
            # The lock belongs to the connection, which goes with the state that was opened for it.
            connection.invalidate()


def _ask(connection: Connection, turn: Lock, right: str) -> None:
    """Raise Conflict where the connection, and so the lock, is gone."""
    with turn:
        try:
            connection.execute(select(1))
        except DatabaseError as error:
            raise Conflict(
                f"the right to {right} was lost with its connection to the state, and somebody "
                "else may have it now; nothing was changed: run this again"
            ) from error
