"""The console over real stores, with auth off and on, empty and with the fleet of the demo."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.api.authorization import policy_allowing
from compute_optimizer.api.background import repeating
from compute_optimizer.api.dispatch import FrontDoor
from compute_optimizer.app import opened
from compute_optimizer.app.console import console_of
from compute_optimizer.app.serving import Repeat, front_door
from compute_optimizer.config import Settings, load_settings
from compute_optimizer.console.gate import Room
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State
from compute_optimizer.store.access_keys import KeyRequest, NewSecret, create_access_key
from compute_optimizer.store.sealing import open_key_file
from tests.console.visiting import Visit
from tests.records import FixedClock

ACCOUNT = "111111111111"


@dataclass(frozen=True)
class House:
    """An open program and its console."""

    settings: Settings
    state: State
    clock: FixedClock
    door: FrontDoor
    room: Room

    def visit(self, source: str = "203.0.113.9") -> Visit:
        return Visit(self.room, source=source)

    def new_key(self, *allowed: str, account: str = ACCOUNT, **wanted: Any) -> NewSecret:
        """Store an access key that is allowed the given actions, by default everything."""
        sealer = open_key_file(self.settings.key_file, self.settings.data_dir)
        request = KeyRequest(account, "ci", policy_allowing(list(allowed or ("*",))), **wanted)
        with self.state.writing() as connection:
            return create_access_key(connection, sealer, request, self.clock.now())

    def enroll(self, account: str = ACCOUNT) -> None:
        change_enrollment(self.state, self.clock, account, "Active")

    @property
    def audit(self) -> str:
        return self.settings.audit_file.read_text()


@contextmanager
def housed(
    folder: Path,
    *,
    clock: FixedClock | None = None,
    repeat: Repeat = repeating,
    **settings: Any,
) -> Iterator[House]:
    """Open the program on a folder; what it does in the background is repeated as told."""
    clock, chosen = clock or FixedClock(), load_settings({"data_dir": folder, **settings}, {})
    with ExitStack() as stack:
        application = stack.enter_context(opened(chosen, clock))
        door = stack.enter_context(front_door(application, repeat))
        yield House(chosen, application.state, clock, door, console_of(application, door))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The program with auth off, and nothing in it."""
    with housed(tmp_path, auth="off") as found:
        yield found


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[House]:
    """The program with auth on, and nothing in it."""
    with housed(tmp_path, failed_signatures_per_minute=3.0) as found:
        yield found


@pytest.fixture(scope="module")
def demo(kept_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The program with auth off and the fleet of the demo, which tests only read."""
    with copied(kept_demo, tmp_path_factory) as found:
        yield found


@contextmanager
def copied(
    kept: Path, folders: pytest.TempPathFactory, repeat: Repeat = repeating
) -> Iterator[House]:
    """Open the program with auth off on a copy of a data folder."""
    folder = folders.mktemp("demo") / "data"
    shutil.copytree(kept, folder)
    with housed(folder, repeat=repeat, auth="off") as found:
        yield found


@pytest.fixture
def visit(demo: House) -> Visit:
    """The management account of the demo, signed in."""
    found = demo.visit()
    found.sign_in(ACCOUNT)
    return found
