"""The pytest plugin: fixtures with a server of a test's own.

pytest loads this module in every run of an environment that it is installed in, so what is heavy
is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from compute_optimizer.emulator.environment import VARIABLES_THAT_LEAD_ELSEWHERE, environment_of

if TYPE_CHECKING:
    from compute_optimizer.emulator.running import Emulator

MARKER = "compute_optimizer"


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(**options): what the emulator of this test starts with; "
        "the options of compute_optimizer.emulator.emulator()",
    )


@pytest.fixture
def compute_optimizer(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    """A Compute Optimizer of this test's own, to which the environment leads every AWS SDK."""
    from compute_optimizer.emulator.running import emulator

    options = _options(request.node)
    with emulator(**options) as running:
        for name in VARIABLES_THAT_LEAD_ELSEWHERE:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment_of(running.url, running.account_id).items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def compute_optimizer_url(compute_optimizer: Emulator) -> str:
    """The URL of this test's Compute Optimizer."""
    return compute_optimizer.url


def _options(node: pytest.Item) -> dict[str, Any]:
    """Return what the markers of a test say: the closest one wins, but their states add up."""
    options: dict[str, Any] = {}
    states: list[Any] = []
    for marker in node.iter_markers(MARKER):  # the closest one first
        states[:0] = [marker.kwargs["state"]] if "state" in marker.kwargs else []
        options = {**marker.kwargs, **options}
    return {**options, "state": states}
