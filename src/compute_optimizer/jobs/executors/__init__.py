"""Where shards are worked off: one table, by the names of `--executor`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor
from compute_optimizer.jobs.executors.local import kept_locally
from compute_optimizer.jobs.executors.on_ray import on_ray
from compute_optimizer.store import State

LOCAL = "local"
RAY = "ray"

Opened = Callable[[int, str], AbstractContextManager[Executor]]
"""Of the number of workers, 0 for as many as there are processors, and an address or nothing."""


@contextmanager
def _local(workers: int, address: str) -> Iterator[Executor]:
    if address:
        raise InvalidInput(
            f"--address {address!r} means nothing to the executor local; give --executor ray too"
        )
    with kept_locally(workers) as executor:
        yield executor


EXECUTORS: Mapping[str, Opened] = {LOCAL: _local, RAY: on_ray}


def opened_executor(
    name: str, state: State, *, workers: int = 0, address: str = ""
) -> AbstractContextManager[Executor]:
    """Return an executor to be opened; raises InvalidInput for what cannot work."""
    if name not in EXECUTORS:
        raise InvalidInput(f"there is no executor {name!r}; expected {' or '.join(EXECUTORS)}")
    if address and state.is_sqlite:
        raise InvalidInput(
            f"the state is in SQLite, a file of this machine, which other machines of the cluster "
            f"({address}) cannot open; move it with `compute-optimizer state copy --to "
            "postgresql://...` and set state_url, or leave --address out to use this machine alone"
        )
    return EXECUTORS[name](workers, address)
