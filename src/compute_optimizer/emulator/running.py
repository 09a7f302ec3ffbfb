"""A running emulator: the real server on a free port, until a block ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

from compute_optimizer.api.dispatch import FrontDoor
from compute_optimizer.api.listening import bind, url_of
from compute_optimizer.api.server import build_asgi
from compute_optimizer.app import opened
from compute_optimizer.app.serving import front_door
from compute_optimizer.config import SETTINGS, Settings, load_settings
from compute_optimizer.emulator.accounts import DEFAULT_ACCOUNT_ID, callers
from compute_optimizer.emulator.around import layered
from compute_optimizer.emulator.calls import Calls
from compute_optimizer.emulator.clock import MovableClock
from compute_optimizer.emulator.control import controlled
from compute_optimizer.emulator.daily import analyze_day
from compute_optimizer.emulator.due import Due
from compute_optimizer.emulator.folders import process_folder, temporary_folder
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.injection import Faults
from compute_optimizer.emulator.losses import losing
from compute_optimizer.emulator.serving import serving
from compute_optimizer.emulator.strict import STRICT_PAGE, chosen_rules, small_pages
from compute_optimizer.emulator.strict_strings import watching
from compute_optimizer.emulator.strictness import Strictness
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.preferences import PUBLISHED
from compute_optimizer.operations import OPERATIONS, Operation
from compute_optimizer.operations.context import Context
from compute_optimizer.store import State

if TYPE_CHECKING:
    from compute_optimizer.emulator.state_file import Stated

DEFAULTS = {"profile": PUBLISHED, "workers": 1, "console": False}
"""Settings of an emulator where a test chooses no others."""

READS = ("Get", "Describe")
"""How operations begin that leave no work behind."""


@contextmanager
def emulator(
    *,
    clock: datetime | None = None,
    frozen: bool = False,
    account_id: str = DEFAULT_ACCOUNT_ID,
    host: str = "127.0.0.1",
    port: int = 0,
    settings: Mapping[str, Any] | None = None,
    state: Stated = (),
    strict: bool | Iterable[str] = False,
) -> Iterator[Emulator]:
    """Serve an account that has never been enrolled until the block ends; nothing is left behind.

    `state` is what there is at the start: records of `emulator.state`, the path of a YAML file, or
    its text.
    `clock` is the time at the start and `frozen` lets it stand still between moves. `settings` are
    those of the service by their names, such as page_size. `strict` names the rules that the calls
    are held against when the block ends well, True all of them: AssertionError tells what is wrong.
    Raises InvalidInput for a setting or a rule that is none and for a port that cannot be had.
    """
    rules = chosen_rules(strict)
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        own = settings or {}
        chosen = _settings(folder, host, own)
        copyfile(_new_state(), chosen.data_dir / "state.db")
        listener = stack.enter_context(bind(host, port))
        moved = MovableClock(clock, frozen=frozen)
        due = Due(moved)
        moved.moved = due.run_if_due
        application = stack.enter_context(opened(chosen, moved))
        faults, calls = Faults(application.state, due, account_id), Calls()
        door = stack.enter_context(front_door(application, faults.repeat))
        running = Emulator(
            url_of(listener),
            account_id,
            moved,
            folder,
            application,
            door.tiles,
            due,
            faults,
            calls,
            Strictness(rules, calls, chosen.page_size if "page_size" in own else STRICT_PAGE),
        )
        due.daily = partial(analyze_day, running)
        if state:
            running.put(state)
        app = losing(build_asgi(_emulated(door, running)), faults.take_lost)
        stack.enter_context(serving(controlled(app, running), listener))
        stack.callback(faults.stop)
        if rules:
            stack.enter_context(watching(running.url, running.strict.comparisons))
        yield running
        running.strict.check()


def _emulated(door: FrontDoor, running: Emulator) -> FrontDoor:
    def timed(
        name: str, operation: Operation, context: Context, request: dict[str, Any]
    ) -> dict[str, Any]:
        running.due.run_if_due()
        answer = operation(context, request)
        if not name.startswith(READS):
            running.due.ask()
        return answer

    layers = [running.faults.layer, timed, running.fixed.answer]
    if running.strict.rules:
        layers.insert(1, small_pages(running.strict.page))
    return replace(
        door,
        operations=layered(OPERATIONS, layers),
        watch=running.watch,
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
    return load_settings({**DEFAULTS, **chosen, **own}, {})


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
