"""Where a command has its shards worked off."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from compute_optimizer.app import Application, opened, tiles_of
from compute_optimizer.config import Settings
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor
from compute_optimizer.jobs.executors import LOCAL, RAY, opened_executor
from compute_optimizer.store.tiles import TileStore


class Where(StrEnum):
    """An executor."""

    LOCAL = LOCAL
    RAY = RAY


ExecutorOption = Annotated[
    Where,
    typer.Option("--executor", help="Processes of this machine, or Ray (extra `ray`)."),
]
AddressOption = Annotated[
    str,
    typer.Option(
        "--address", help="Cluster of Ray: auto or HOST:PORT. Default: one started here, for this."
    ),
]

WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        help="Tasks at once; 0 means one per core. Default: 1, and of Ray's as many as it has.",
    ),
]
"""Of the commands that hold whole weeks of a shard's samples for each task."""


def tasks_at_once(where: Where, workers: int | None) -> int | None:
    """Return how many workers to ask for; None for what the settings say."""
    return 1 if workers is None and where is Where.LOCAL else workers


@contextmanager
def executing(
    application: Application, where: Where, address: str, workers: int | None = None
) -> Iterator[Executor]:
    """Open an executor; by default with as many workers as the settings say."""
    chosen = application.settings.workers if workers is None else workers
    with opened_executor(
        where.value, application.state, workers=chosen, address=address
    ) as executor:
        yield executor


@dataclass(frozen=True, slots=True)
class Workplace:
    """The metric store, and where its shards are worked off."""

    settings: Settings
    where: Where
    address: str
    workers: int | None = None

    @contextmanager
    def opened(self) -> Iterator[tuple[Application, TileStore, Executor]]:
        """Open the stores, and an executor: one process, unless more are asked for or it is Ray."""
        workers = tasks_at_once(self.where, self.workers)
        with (
            opened(self.settings) as application,
            executing(application, self.where, self.address, workers) as execute,
        ):
            yield application, tiles_of(self.settings), execute


def refuse_executor(where: Where, address: str, what: str, workers: int | None = None) -> None:
    """Raise InvalidInput where an executor is named for something that has no shards."""
    if where is not Where.LOCAL or address or workers is not None:
        raise InvalidInput(
            f"--executor, --address and --workers are about the metric store, not about {what}; "
            "leave them out"
        )
