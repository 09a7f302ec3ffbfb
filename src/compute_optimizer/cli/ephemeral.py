"""`compute-optimizer serve --ephemeral`: an emulator as a process, for tests in any language."""

import json
import shlex
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compute_optimizer.app.serving import check_exposure
from compute_optimizer.cli.granting import checked
from compute_optimizer.cli.logs import start_logging
from compute_optimizer.cli.option_values import moment_of
from compute_optimizer.cli.signals import wait_for_signal
from compute_optimizer.config import Settings
from compute_optimizer.emulator.accounts import DEFAULT_ACCOUNT_ID
from compute_optimizer.emulator.environment import VARIABLES_THAT_LEAD_ELSEWHERE, environment_of
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.account import ACCOUNT_ID

if TYPE_CHECKING:
    from compute_optimizer.emulator.handles import Emulator


class Announcement(StrEnum):
    """How an emulator says where it serves."""

    LINE = "line"
    JSON = "json"
    ENV = "env"


EphemeralOption = Annotated[
    bool, typer.Option("--ephemeral", help="Serve an emulator for tests, of which nothing is kept.")
]
ClockOption = Annotated[
    str | None, typer.Option(help="Moment in UTC at which the emulator's clock starts.")
]
FrozenOption = Annotated[
    bool | None, typer.Option("--frozen", help="Let the emulator's clock stand still.")
]
AccountOption = Annotated[str | None, typer.Option(help="The emulator's own account, 12 digits.")]
StateOption = Annotated[
    Path | None, typer.Option(help="YAML file of what the emulator starts with.")
]
SettingOption = Annotated[
    list[str] | None,
    typer.Option(help="Setting of the emulator, such as page_size=10; repeat for several."),
]
AnnouncementOption = Annotated[
    Announcement | None,
    typer.Option(
        "--output",
        help="How the emulator says where it is: a line, json, or env for `eval` in a shell.",
    ),
]


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """The options of an emulator, as they were given; None where they were not."""

    clock: str | None
    frozen: bool | None
    account: str | None
    state: Path | None
    setting: Sequence[str] | None
    output: Announcement | None


def serve_ephemeral(given: Ephemeral, settings: Settings) -> None:
    """Serve an emulator until SIGTERM or SIGINT; nothing is left behind, however it ends.

    Of the settings, only where to bind and whether that port is private count. Raises InvalidInput
    that names an option and what was expected.
    """
    # Imported here: each process of a server that is none need not load it.
    from compute_optimizer.emulator.running import emulator

    check_exposure(settings)
    start_logging(settings)
    options: dict[str, Any] = {
        "clock": None if given.clock is None else moment_of("--clock", given.clock),
        "frozen": bool(given.frozen),
        "account_id": checked(
            "--account", given.account or DEFAULT_ACCOUNT_ID, ACCOUNT_ID, "12 digits"
        ),
        "host": settings.host,
        "port": settings.port,
        "settings": {
            **_settings(given.setting or ()),
            "i_know_this_port_is_private": settings.i_know_this_port_is_private,
        },
    }
    if given.state:
        options["state"] = given.state
    with _told_to_stop() as stop, emulator(**options) as running:
        print(announcement(running, given.output or Announcement.LINE), flush=True)
        wait_for_signal(stop)


def refuse_what_does_not_go_together(
    ephemeral: bool, given: Ephemeral, never: Mapping[str, Any]
) -> None:
    """Raise InvalidInput for an option that belongs to the other way of serving.

    `never` has those by their names that do not go with --ephemeral.
    """
    if not ephemeral:
        if wrong := [one.name for one in fields(given) if getattr(given, one.name)]:
            raise InvalidInput(f"--{wrong[0]} is an option of an emulator; add --ephemeral")
    elif refused := [name for name, value in never.items() if value]:
        raise InvalidInput(
            f"{refused[0]} does not go with --ephemeral, which keeps nothing, verifies nothing "
            "and is one process; leave one of the two out"
        )


def announcement(running: "Emulator", form: Announcement) -> str:
    """Return the text that says where an emulator serves, without the end of its last line."""
    variables = environment_of(running.url, running.account_id)
    if form is Announcement.JSON:
        return json.dumps(
            {
                "url": running.url,
                "accountId": running.account_id,
                "environment": dict(variables),
                "unset": list(VARIABLES_THAT_LEAD_ELSEWHERE),
            }
        )
    if form is Announcement.ENV:
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        return "\n".join([*lines, f"unset {' '.join(VARIABLES_THAT_LEAD_ELSEWHERE)}"])
    return f"Serving on {running.url} (ephemeral, account {running.account_id})"


def _settings(given: Sequence[str]) -> dict[str, str]:
    pairs = [(word, *word.partition("=")) for word in given]
    for word, name, equals, _ in pairs:
        if not (name and equals):
            raise InvalidInput(f"--setting {word!r}: expected NAME=VALUE, such as page_size=10")
    return {name: value for _, name, _, value in pairs}


@contextmanager
def _told_to_stop() -> Iterator[Event]:
    """Give what is set by SIGTERM and SIGINT, which end nothing by themselves in the block."""
    stop = Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, handle) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
