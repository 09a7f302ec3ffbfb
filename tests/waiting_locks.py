"""Seeing that a connection to PostgreSQL waits for another: what makes a race happen on purpose."""

from concurrent.futures import Future
from typing import Any

from sqlalchemy import text

from compute_optimizer.store import State
from tests.waiting import wait_until

WAITING = text("""
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")


def wait_until_it_waits(state: State, doing: "Future[Any]") -> None:
    """Return once something waits for an advisory lock; fail where `doing` ends without."""

    def waits() -> bool:
        with state.reading() as connection:
            if connection.scalar(WAITING):
                return True
        assert not doing.done(), f"it waited for nobody and said {doing.result()!r}"
        return False

    wait_until(waits, lambda: "nothing waited for a lock", every_seconds=0.005)
