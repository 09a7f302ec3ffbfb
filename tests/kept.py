"""Data folders that are made once and copied for each test that begins with one."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import Desk


@contextmanager
def kept(folder: Path) -> Iterator[State]:
    """Make the state of a data folder; when the block ends, the folder may be copied."""
    with closing(_state_in(folder)) as state:
        state.migrate()
        yield state


@contextmanager
def copied(folder: Path, into: Path) -> Iterator[State]:
    """Copy a data folder into one that is there, and open its state."""
    shutil.copytree(folder, into, dirs_exist_ok=True)
    with closing(_state_in(into)) as state:
        yield state


@pytest.fixture
def copied_desk(folder: Path, tmp_path: Path) -> Iterator[Desk]:
    """The organization that a module of tests keeps in its `folder`, for one test."""
    with copied(folder, tmp_path) as state:
        yield Desk(state, tiles=TileStore(tmp_path / "tiles"))


def _state_in(folder: Path) -> State:
    return State(f"sqlite:///{folder / 'state.db'}")
