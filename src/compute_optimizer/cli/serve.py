"""`compute-optimizer serve`: answer requests until stopped."""

import gc
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from threading import Event
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from compute_optimizer.api.dispatch import FrontDoor
from compute_optimizer.api.listening import bind, url_of, uvicorn_config
from compute_optimizer.api.server import build_asgi
from compute_optimizer.api.telemetry import SHARED_FOLDER
from compute_optimizer.app import check_exposure, front_door, opened
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
from compute_optimizer.config import Settings
from compute_optimizer.errors import ComputeOptimizerError

GARBAGE_BEFORE_COLLECTING = 10_000
"""New objects before the collector looks (Python's default of 700 is some ten requests)."""


class GracefulServer(uvicorn.Server):
    """A server that answers 503 to whatever still comes while it is shutting down."""

    def __init__(self, door: FrontDoor) -> None:
        super().__init__(uvicorn_config(build_asgi(door)))
        self.door = door

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
        int, typer.Option(min=1, help="Processes that answer on the one port.")
    ] = 1,
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
    never = {"--data-dir": data_dir, "--auth": auth, "--processes": processes > 1}
    refuse_what_does_not_go_together(ephemeral, given, never)
    settings = output.settings_for(
        data_dir,
        host=host,
        port=port,
        auth="off" if ephemeral else auth,
        i_know_this_port_is_private=i_know_this_port_is_private,
    )
    if ephemeral:
        serve_ephemeral(given, settings)
        return
    check_exposure(settings)
    with bind(settings.host, settings.port) as listener:
        if processes == 1:
            serve_on(settings, listener)
        else:
            serve_with(processes, settings, listener)


def serve_on(settings: Settings, listener: socket.socket, announce: bool = True) -> None:
    """Answer requests in this process until a signal or `should_exit` ends it."""
    start_logging(settings)
    with opened(settings) as application, front_door(application) as door:
        if announce:
            print(f"Serving on {url_of(listener)} (auth {settings.auth})", flush=True)
        spare_the_collector()
        if settings.console:
            # Imported here: whoever turned the console off need not load it.
            from compute_optimizer.console.warming import warm_in_background

            warm_in_background()
        GracefulServer(door).run(sockets=[listener])


def spare_the_collector() -> None:
    """Keep the garbage collector from looking through all that was loaded while calls wait.

    Answering makes little garbage in cycles, so that it need not look often either.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_BEFORE_COLLECTING)


def serve_with(processes: int, settings: Settings, listener: socket.socket) -> None:
    """Answer requests in several processes that share the port, until one ends or a signal comes.

    Raises ComputeOptimizerError when a process ended by itself: all stop then, so that whoever
    runs this program starts it again as a whole.
    """
    with opened(settings):
        pass  # The schema is brought up to date once, before the processes open it.
    with tempfile.TemporaryDirectory(prefix="compute-optimizer-metrics-") as counts:
        os.environ[SHARED_FOLDER] = counts  # The processes count together.
        _serve_together(processes, settings, listener)


def _serve_together(processes: int, settings: Settings, listener: socket.socket) -> None:
    context = multiprocessing.get_context("spawn")
    children = [
        context.Process(target=_serve_child, args=(settings, listener, number == 0))
        for number in range(processes)
    ]
    asked = _stop_on_signal(children)
    for child in children:
        child.start()
    ended = wait([child.sentinel for child in children])
    first = next(child for child in children if child.sentinel in ended)
    first.join()
    _stop(children)
    if not asked.is_set():
        raise ComputeOptimizerError(
            f"a serving process ended by itself, with code {first.exitcode}"
        )


def _serve_child(settings: Settings, listener: socket.socket, announce: bool) -> None:
    try:
        serve_on(settings, listener, announce)
    except ComputeOptimizerError as error:
        output.complain(str(error))
        sys.exit(error.exit_code)


def _stop_on_signal(children: Sequence[BaseProcess]) -> Event:
    asked = Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        asked.set()
        for child in children:
            if child.is_alive():
                child.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return asked


def _stop(children: Sequence[BaseProcess]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        child.join()
