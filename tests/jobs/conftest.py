"""Where the tests of jobs keep samples."""

from pathlib import Path

import pytest

from compute_optimizer.store.tiles import TileStore


@pytest.fixture
def tiles(tmp_path: Path) -> TileStore:
    """A store of tiles in the test's folder."""
    return TileStore(tmp_path / "tiles")
