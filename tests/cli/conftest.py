"""A data folder with a fleet, for commands: made once, and copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.commands import Ended, Type
from tests.enrolling import ALPHA, opt_in
from tests.forked import Running, running
from tests.records import arn
from tests.stored_fleets import BUSY, QUIET, store_fleet

__all__ = ["Ended", "Type"]

MACHINES = [arn(number, ALPHA) for number in range(2)]
"""A quiet one and a busy one."""

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
"""When the samples end."""


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two machines of one account: to be copied."""
    folder = tmp_path_factory.mktemp("stored")
    with closing(State(f"sqlite:///{folder / 'state.db'}")) as state:
        state.migrate()
        opt_in(state, ALPHA)
        fleet = store_fleet(state, TileStore(folder / "tiles"), ALPHA, cpu=(QUIET, BUSY))
    assert [one.arn for one in fleet] == MACHINES
    return folder


@pytest.fixture(scope="session")
def stored_and_analyzed(stored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after an analysis of all samples: to be copied."""
    folder = tmp_path_factory.mktemp("analyzed") / "data"
    shutil.copytree(stored, folder)
    with closing(State(f"sqlite:///{folder / 'state.db'}")) as state:
        analyze(state, TileStore(folder / "tiles"), SystemClock(), as_of=MIDNIGHT, workers=1)
    return folder


@pytest.fixture
def fleet(stored: Path, tmp_path: Path) -> list[str]:
    """Two machines of one account in the data folder, a quiet one and a busy one: their ARNs."""
    shutil.copytree(stored, tmp_path, dirs_exist_ok=True)
    return list(MACHINES)


@pytest.fixture
def analyzed(stored_and_analyzed: Path, tmp_path: Path) -> list[str]:
    """The same, analyzed."""
    shutil.copytree(stored_and_analyzed, tmp_path, dirs_exist_ok=True)
    return list(MACHINES)


Begin = Callable[..., Running]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begin an emulator with the same settings whose start and end are not looked at: forked."""
    with ExitStack() as stack:

        def run(*options: str) -> Running:
            words = ("serve", "--ephemeral", "--port", "0", *options)
            real = {"data_dir": str(tmp_path / "real"), "auth": "on"}
            return stack.enter_context(running(*words, **real))

        yield run
