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

    @contextmanager
    def opened(self) -> Iterator[tuple[Application, TileStore, Executor]]:
        """Open the stores, and an executor: one process, unless it is Ray."""
        workers = 1 if self.where is Where.LOCAL else None
        with (
            opened(self.settings) as application,
            executing(application, self.where, self.address, workers) as execute,
        ):
            yield application, tiles_of(self.settings), execute


def refuse_executor(where: Where, address: str, what: str) -> None:
    """Raise InvalidInput where an executor is named for something that has no shards."""
    if where is not Where.LOCAL or address:
        raise InvalidInput(f"--executor and --address are about the metric store, not about {what}")
