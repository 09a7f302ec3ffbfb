"""An emulator whose clock stands still."""

from collections.abc import Iterator

import pytest

from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from tests.emulating import START


@pytest.fixture
def still() -> Iterator[Emulator]:
    """Nobody is enrolled in it, and it is START until the test moves its clock."""
    with emulator(clock=START, frozen=True) as one:
        yield one
