"""Commands print the same over PostgreSQL as over SQLite, and leave the same behind."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.interfaces import SystemClock
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.commands import Type
from tests.enrolling import ALPHA, Desk
from tests.records import arn
from tests.states import FreshUrl
from tests.stored_fleets import BUSY, QUIET, store_fleet

COMMANDS = (
    ("accounts", "add", "333333333333", "--name", "staging"),
    ("accounts", "enroll", "333333333333"),
    ("risk", "set", "--account", ALPHA, "--cap", "0.02"),
    ("recommend",),
    ("recommend", "--type", "Idle"),
    ("explain", arn(0, ALPHA)),
    ("simulate",),
    ("risk", "list"),
    ("accounts", "list"),
    ("keys", "list"),
    ("signin", "list"),
    ("prices", "list"),
    ("scores",),
    ("purge",),
)
"""Such that what one writes is read by a later one."""

MOVING = frozenset({"lastUpdated", "lastUpdatedTimestamp", "seconds"})
"""Members that tell when something was done, or how long it took."""


@pytest.fixture
def urls(
    tmp_path: Path, typed: Type, fresh_postgresql: FreshUrl, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """A fleet with its recommendations in SQLite, and a copy of the state in PostgreSQL."""
    here, there = f"sqlite:///{tmp_path / 'state.db'}", fresh_postgresql()
    with closing(State(here)) as state:
        state.migrate()
        desk = Desk(state)
        desk.organize(ALPHA)
        desk.opt_in_all()
        yesterday = SystemClock().now().date() - timedelta(days=1)
        tiles = TileStore(tmp_path / "tiles")
        store_fleet(state, tiles, ALPHA, cpu=[QUIET, BUSY, 1.0], last=yesterday)
    assert typed("analyze").code == 0
    assert typed("state", "copy", "--to", there).code == 0
    yield {"sqlite": here, "postgresql": there}


def test_commands_print_the_same_over_either(
    urls: dict[str, str], typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: dict[str, list[Any]] = {}
    for kind, url in urls.items():
        monkeypatch.setenv("COMPUTE_OPTIMIZER_STATE_URL", url)
        printed[kind] = [told(typed, words) for words in COMMANDS]

    for words, here, there in zip(COMMANDS, *printed.values(), strict=True):
        assert here == there, words
    recommended = printed["postgresql"][COMMANDS.index(("recommend",))]
    assert len(recommended["recommendations"]) == 3


def told(typed: Type, words: tuple[str, ...]) -> Any:
    as_text = words[:2] == ("risk", "set")  # It has nothing for programs.
    ended = typed(*words, *([] if as_text else ["--output", "json"]))
    assert ended.code == 0, (words, ended.err)
    return ended.out if as_text else still(json.loads(ended.out))


def still(value: Any) -> Any:
    """Return what was printed without what moves."""
    if isinstance(value, dict):
        return {name: still(one) for name, one in value.items() if name not in MOVING}
    return [still(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_writes_works_over_either(
    urls: dict[str, str], typed: Type, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_STATE_URL", urls[kind])
    key = typed("keys", "create", "--account", ALPHA, "--name", "ci", "--allow", "*")
    for words in (
        ("analyze",),
        ("worker", "--once", "--job", "analysis", "--job", "scores", "--job", "retention"),
        ("status",),
        ("backup", str(tmp_path / "kept")),
        ("restore", str(tmp_path / "kept"), "--overwrite"),
    ):
        ended = typed(*words)
        assert ended.code == 0, (words, ended.err)

    assert key.code == 0
    assert ALPHA in typed("keys", "list").out
