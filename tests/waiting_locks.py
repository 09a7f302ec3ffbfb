"""Seeing that a connection to PostgreSQL waits for another: what makes a race happen on purpose."""

import time
from concurrent.futures import Future
from typing import Any

from sqlalchemy import text

from compute_optimizer.store import State

PATIENCE_SECONDS = 60.0
"""Of a busy machine; what waits at all is seen in milliseconds."""

WAITING = text("""
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")


def wait_until_it_waits(state: State, doing: "Future[Any]") -> None:
    """Return once something waits for an advisory lock; fail where `doing` ends without."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with state.reading() as connection:
            if connection.scalar(WAITING):
                return
        assert not doing.done(), f"it waited for nobody and said {doing.result()!r}"
        time.sleep(0.005)
    raise AssertionError(f"nothing waited for a lock in {PATIENCE_SECONDS:.0f} s")
