"""`compute-optimizer serve`: answer requests until stopped."""

import gc
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from compute_optimizer.api.dispatch import FrontDoor
from compute_optimizer.api.listening import bind_each, many_at_once, url_of, uvicorn_config
from compute_optimizer.api.processes import ALONE, Member
from compute_optimizer.api.server import build_asgi, build_prompt
from compute_optimizer.app import opened
from compute_optimizer.app.serving import check_exposure, front_door
from compute_optimizer.cli import output
from compute_optimizer.cli.ephemeral import (
    AccountOption,
    AnnouncementOption,
    ClockOption,
    Ephemeral,
    EphemeralOption,
    FrozenOption,
    SettingOption,
    StateOption,
    refuse_what_does_not_go_together,
    serve_ephemeral,
)
from compute_optimizer.cli.logs import start_logging
from compute_optimizer.cli.on_demand import garbage_left
from compute_optimizer.cli.together import serve_together
from compute_optimizer.config import Settings
from compute_optimizer.errors import ComputeOptimizerError

GARBAGE_BEFORE_COLLECTING = 10_000
"""New objects before the collector looks (Python's default of 700 is some ten requests)."""


class GracefulServer(uvicorn.Server):
    """A server that answers 503 to whatever still comes while it is shutting down."""

    def __init__(self, door: FrontDoor, announce: Callable[[], None] | None = None) -> None:
        super().__init__(uvicorn_config(build_asgi(door), build_prompt(door)))
        self.door = door
        self.announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self.announce is not None:
            self.announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down; a second interrupt ends without waiting for running calls.

        uvicorn's own handler would raise the signal again at the end, and so skip everything that
        this program still has to close.
        """
        self.door.closing.set()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def serve(
    data_dir: output.DataDirOption = None,
    host: Annotated[str | None, typer.Option(help="Address to bind.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind; 0 takes a free one.")] = None,
    auth: Annotated[
        str | None, typer.Option(help="on verifies signatures, off trusts the access key id.")
    ] = None,
    i_know_this_port_is_private: Annotated[
        bool | None,
        typer.Option(
            "--i-know-this-port-is-private",
            help="Let auth off bind beyond loopback: only where nobody else can reach the port.",
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes", "--workers", min=1, help="Processes that answer on the one port."
        ),
    ] = None,
    ephemeral: EphemeralOption = False,
    clock: ClockOption = None,
    frozen: FrozenOption = None,
    account: AccountOption = None,
    state: StateOption = None,
    setting: SettingOption = None,
    form: AnnouncementOption = None,
) -> None:
    """Serve the API until stopped; with --ephemeral, an emulator of it for tests."""
    given = Ephemeral(clock, frozen, account, state, setting, form)
    never = {"--data-dir": data_dir, "--auth": auth, "--processes": (processes or 1) > 1}
    refuse_what_does_not_go_together(ephemeral, given, never)
    settings = output.settings_for(
        data_dir,
        host=host,
        port=port,
        auth="off" if ephemeral else auth,
        i_know_this_port_is_private=i_know_this_port_is_private,
        processes=processes,
    )
    if ephemeral:
        serve_ephemeral(given, settings)
        return
    check_exposure(settings)
    with ExitStack() as stack:
        listeners = bind_each(settings.host, settings.port, settings.processes)
        for listener in listeners:
            stack.enter_context(listener)
        if settings.processes == 1:
            serve_on(settings, listeners[0])
        else:
            told = f"Serving on {url_of(listeners[0])} (auth {settings.auth})"
            serve_together(serve_member, settings, listeners, partial(print, told, flush=True))


def serve_on(
    settings: Settings,
    listener: socket.socket,
    announce: Callable[[], None] | None = None,
    member: Member = ALONE,
) -> None:
    """Answer requests in this process until a signal or `should_exit` ends it.

    `announce` is called once it answers; by default a line says where.
    """
    start_logging(settings)
    warm = _console_loaded(settings) if settings.console else None
    with opened(settings) as application, front_door(application, member=member) as door:
        spare_the_collector()
        if warm is not None:
            warm()
        server = GracefulServer(door, announce or partial(tell_where, settings, listener))
        server.run(sockets=many_at_once(listener))


def _console_loaded(settings: Settings) -> Callable[[], None]:
    """Import the console, and return what makes it ready for the first visitor.

    Whoever turned the console off need not load it. The front door would import it as well, but
    look for garbage meanwhile.
    """
    with garbage_left():
        import_module("compute_optimizer.console.room")
        from compute_optimizer.app.openid import prefix_of
        from compute_optimizer.console.warming import warm_in_background
    return partial(warm_in_background, prefix_of(settings.console_url))


def tell_where(settings: Settings, listener: socket.socket) -> None:
    """Print where the service is."""
    print(f"Serving on {url_of(listener)} (auth {settings.auth})", flush=True)


def spare_the_collector() -> None:
    """Keep the garbage collector from looking through all that was loaded while calls wait.

    Answering makes little garbage in cycles, so that it need not look often either.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_BEFORE_COLLECTING)


def serve_member(
    settings: Settings, listener: socket.socket, member: Member, announce: Callable[[], None]
) -> None:
    """Answer requests in one of several processes."""
    try:
        serve_on(settings, listener, announce, member)
    except ComputeOptimizerError as error:
        output.complain(str(error))
        sys.exit(error.exit_code)
