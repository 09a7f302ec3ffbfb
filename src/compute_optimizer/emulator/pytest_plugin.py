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
    from compute_optimizer.emulator.handles import Emulator
    from compute_optimizer.emulator.strictness import Strictness

MARKER = "compute_optimizer"

STRICT = f"{MARKER}_strict"
"""The ini option that makes every emulator strict that its marker does not make otherwise."""

_STRICTNESS: pytest.StashKey[Strictness] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell pytest of the ini option."""
    about = "whether emulators of Compute Optimizer fail tests that call them wrongly"
    parser.addini(STRICT, about, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(**options): what the emulator of this test starts with; "
        "the options of compute_optimizer.emulator.emulator()",
    )


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail a test that has passed so far where a strict emulator was called wrongly."""
    strict = item.stash.get(_STRICTNESS, None)
    if strict is not None and (report := strict.report()):
        pytest.fail(report, pytrace=False)


@pytest.fixture
def compute_optimizer(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    """A Compute Optimizer of this test's own, to which the environment leads every AWS SDK."""
    from compute_optimizer.emulator.running import emulator

    options = _options(request.node)
    options.setdefault("strict", request.config.getini(STRICT))
    with emulator(**options) as running:
        request.node.stash[_STRICTNESS] = running.strict
        for name in VARIABLES_THAT_LEAD_ELSEWHERE:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment_of(running.url, running.account_id).items():
            monkeypatch.setenv(name, value)
        yield running
        running.strict.dismiss()  # the test itself was told


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
