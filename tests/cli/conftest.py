"""A data folder with a fleet, for commands."""

from contextlib import closing
from pathlib import Path

import pytest

from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.commands import Ended, Type
from tests.enrolling import ALPHA, Desk
from tests.stored_fleets import BUSY, QUIET, store_fleet

__all__ = ["Ended", "Type"]


@pytest.fixture
def fleet(tmp_path: Path) -> list[str]:
    """Two machines of one account in the data folder, a quiet one and a busy one: their ARNs."""
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state:
        state.migrate()
        desk = Desk(state)
        desk.opt_in(ALPHA)
        desk.settle()
        tiles = TileStore(tmp_path / "tiles")
        return [one.arn for one in store_fleet(state, tiles, ALPHA, cpu=(QUIET, BUSY))]
