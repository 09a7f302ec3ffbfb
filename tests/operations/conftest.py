"""An organization in the states that tests of the operations start from: each made once, copied."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from compute_optimizer.store import State
from tests.enrolling import ALPHA, BETA, Desk
from tests.states import FreshUrl


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    """No organization at all."""
    return Desk(sqlite_state)


@pytest.fixture
def organized(desk: Desk, state_organized: Path) -> Desk:
    """A management account and two members, none of them enrolled."""
    return holding(desk, state_organized)


@pytest.fixture
def enrolled(organized: Desk, state_enrolled: Path) -> Desk:
    """The same, all of them Active."""
    return holding(organized, state_enrolled)


def holding(desk: Desk, kept: Path) -> Desk:
    """Put what was kept into the state, which nobody has read yet."""
    assert desk.state.engine.pool.checkedin() == 0  # type: ignore[attr-defined]
    shutil.copyfile(kept, str(desk.state.engine.url.database))
    return desk


@pytest.fixture(scope="session")
def state_organized(fresh_sqlite: FreshUrl) -> Path:
    """A database with the organization: to be copied."""
    with closing(State(fresh_sqlite())) as state:
        Desk(state).organize(ALPHA, BETA)
        return Path(str(state.engine.url.database))


@pytest.fixture(scope="session")
def state_enrolled(fresh_sqlite: FreshUrl, state_organized: Path) -> Path:
    """The same, enrolled: to be copied."""
    with closing(State(fresh_sqlite())) as state:
        holding(Desk(state), state_organized).opt_in_all()
        return Path(str(state.engine.url.database))
