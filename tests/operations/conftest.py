"""An organization in the states that tests of the operations start from."""

import pytest

from compute_optimizer.store import State
from tests.enrolling import ALPHA, BETA, Desk


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    """No organization at all."""
    return Desk(sqlite_state)


@pytest.fixture
def organized(desk: Desk) -> Desk:
    """A management account and two members, none of them enrolled."""
    desk.organize(ALPHA, BETA)
    return desk


@pytest.fixture
def enrolled(organized: Desk) -> Desk:
    """The same, all of them Active."""
    organized.opt_in_all()
    return organized
