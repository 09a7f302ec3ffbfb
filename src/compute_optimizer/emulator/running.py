"""A running emulator: the real server on a free port, and the handles that a test has on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

from compute_optimizer.api.dispatch import FrontDoor
from compute_optimizer.api.listening import bind, url_of
from compute_optimizer.api.server import build_asgi
from compute_optimizer.app import Application, front_door, opened
from compute_optimizer.config import SETTINGS, Settings, load_settings
from compute_optimizer.emulator.accounts import DEFAULT_ACCOUNT_ID, callers
from compute_optimizer.emulator.around import layered
from compute_optimizer.emulator.clock import MovableClock
from compute_optimizer.emulator.due import Due
from compute_optimizer.emulator.folders import process_folder, temporary_folder
from compute_optimizer.emulator.serving import serving
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.preferences import PUBLISHED
from compute_optimizer.operations import OPERATIONS, Operation
from compute_optimizer.operations.context import Context
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

if TYPE_CHECKING:
    from compute_optimizer.jobs.analyze import Analysis

READS = ("Get", "Describe")
"""How operations begin that leave no work behind."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """What a test holds of a running server."""

    url: str
    """Where the server answers, such as http://127.0.0.1:40123."""
    account_id: str
    """The account of callers whose access key id is not twelve digits."""
    clock: MovableClock
    folder: Path
    """State, tiles and exports; removed at the end."""
    application: Application
    tiles: TileStore
    due: Due

    def analyze(self, as_of: datetime | None = None) -> Analysis:
        """Compute recommendations from the metrics that are there, by the published rule.

        Raises Conflict where no account is opted in, and InvalidInput where no sample lies in the
        look-back period.
        """
        from compute_optimizer.jobs.analyze import analyze

        return analyze(
            self.application.state,
            self.tiles,
            self.clock,
            as_of=as_of,
            workers=1,
            profile=PUBLISHED,
        )

    def settle(self) -> None:
        """Do at once what waits for its time: decide enrollments, write exports."""
        self.due.run()


@contextmanager
def emulator(
    *,
    clock: datetime | None = None,
    frozen: bool = False,
    account_id: str = DEFAULT_ACCOUNT_ID,
    host: str = "127.0.0.1",
    port: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[Emulator]:
    """Serve an account that has never been enrolled until the block ends; nothing is left behind.

    `clock` is the time at the start and `frozen` lets it stand still between moves. `settings` are
    those of the service by their names, such as page_size. Raises InvalidInput for a setting that
    is none and for a port that cannot be had.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        chosen = _settings(folder, host, settings or {})
        copyfile(_new_state(), chosen.data_dir / "state.db")
        listener = stack.enter_context(bind(host, port))
        moved = MovableClock(clock, frozen=frozen)
        due = Due(moved)
        moved.moved = due.run_if_due
        application = stack.enter_context(opened(chosen, moved))
        door = stack.enter_context(front_door(application, due.repeat))
        running = Emulator(
            url_of(listener), account_id, moved, folder, application, door.tiles, due
        )
        stack.enter_context(serving(build_asgi(_emulated(door, running)), listener))
        yield running


def _emulated(door: FrontDoor, running: Emulator) -> FrontDoor:
    def timed(
        name: str, operation: Operation, context: Context, request: dict[str, Any]
    ) -> dict[str, Any]:
        running.due.run_if_due()
        answer = operation(context, request)
        if not name.startswith(READS):
            running.due.ask()
        return answer

    return replace(
        door,
        operations=layered(OPERATIONS, [timed]),
        authenticate=callers(running.account_id),
        inline=False,
    )


def _settings(folder: Path, host: str, chosen: Mapping[str, Any]) -> Settings:
    """Return the settings of the service, of which the environment knows nothing."""
    own = {"data_dir": str(folder), "host": host, "auth": "off"}
    free = sorted({setting.name for setting in SETTINGS} - {*own, "state_url", "port"})
    if unknown := sorted(set(chosen) - set(free)):
        raise InvalidInput(
            f"an emulator has no setting {unknown[0]!r} to choose; "
            f"expected one of {', '.join(free)}"
        )
    return load_settings({"profile": PUBLISHED, "workers": 1, **chosen, **own}, {})


@cache
def _new_state() -> Path:
    """Return a state database that is up to date and empty, to be copied: made once a process."""
    path = process_folder() / "new.db"
    state = State(f"sqlite:///{path}")
    try:
        state.create()
    finally:
        state.close()
    return path
