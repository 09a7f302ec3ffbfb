"""Several serving processes on one port: started, watched, replaced, and ended together."""

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from types import FrameType

from compute_optimizer.api.processes import Member
from compute_optimizer.api.telemetry import SHARED_FOLDER
from compute_optimizer.app import opened
from compute_optimizer.cli.logs import start_logging
from compute_optimizer.cli.signals import signals_heard
from compute_optimizer.config import Settings
from compute_optimizer.errors import ComputeOptimizerError

log = logging.getLogger(__name__)

REPLACED_AT_MOST = 5
"""Processes that may be replaced within REPLACED_WITHIN_SECONDS: whatever kills more than these
goes on killing, and whoever runs the program shall see it."""

REPLACED_WITHIN_SECONDS = 60.0

Serve = Callable[[Settings, socket.socket, Member, Callable[[], None]], None]
"""Answers requests on a socket as one of several until a signal comes; calls back once it does."""


class Seat:
    """The seat of one process: its number and its socket stay, whoever takes it."""

    def __init__(self, member: Member, listener: socket.socket) -> None:
        self.member = member
        self.listener = listener
        self.process: BaseProcess
        self.told: Connection
        """By which the process says that it serves."""
        self.serves = False

    def fill(self, serve: Serve, settings: Settings) -> None:
        """Start a process in this seat."""
        context = multiprocessing.get_context("spawn")
        self.told, telling = context.Pipe(duplex=False)
        self.serves = False
        arguments = (serve, settings, self.listener, self.member, telling)
        self.process = context.Process(target=_serve_here, args=arguments)
        with _interrupts_held():
            self.process.start()
        telling.close()

    def listen(self) -> None:
        """Note that the process serves, or that it ended before it did."""
        with suppress(EOFError):
            self.serves = bool(self.told.recv())
        self.told.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start processes that hold SIGINT back until they serve.

    Ctrl-C in a terminal reaches them too, and would end them with a traceback while they read
    their modules; the one that started them ends them by SIGTERM.
    """
    resource_tracker.ensure_running()  # Starting it would let SIGINT through again.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def serve_together(
    serve: Serve,
    settings: Settings,
    listeners: Sequence[socket.socket],
    announce: Callable[[], None],
) -> None:
    """Answer requests in a process for each socket, until a signal comes.

    A process that ends by itself is replaced. Raises ComputeOptimizerError when one cannot serve
    in the first place, or when too many have to be replaced: all stop then, so that whoever runs
    this program learns of it.
    """
    start_logging(settings)
    with opened(settings):
        pass  # The schema is brought up to date once, before the processes open it.
    seats: list[Seat] = []
    # Before the folder is made, which a signal that is not caught would leave behind.
    asked = _stop_on_signal(seats, listeners)
    fill = partial(_fill, serve, settings, asked)
    with _shared_folder() as folder, signals_heard() as heard:
        limits = folder / "limits"
        limits.mkdir()
        for number, listener in enumerate(listeners):
            seats.append(Seat(Member(number, limits), listener))
        try:
            for seat in seats:
                fill(seat)
            _watch(seats, asked, heard, announce, fill)
        finally:
            _stop(seats)


def _fill(serve: Serve, settings: Settings, asked: Event, seat: Seat) -> None:
    """Start a process in a seat, unless a signal has asked all to end."""
    if asked.is_set():
        return
    try:
        seat.fill(serve, settings)
    except (OSError, ValueError):
        if not asked.is_set():  # Else the signal closed the socket that was being handed over.
            raise


@contextmanager
def _shared_folder() -> Iterator[Path]:
    """Make the folder of what the processes share, and name it to those that are started."""
    before = os.environ.get(SHARED_FOLDER)
    with tempfile.TemporaryDirectory(prefix="compute-optimizer-serve-") as folder:
        os.environ[SHARED_FOLDER] = folder  # The processes count together, those that died too.
        try:
            yield Path(folder)
        finally:
            del os.environ[SHARED_FOLDER]
            if before is not None:
                os.environ[SHARED_FOLDER] = before


def _watch(
    seats: Sequence[Seat],
    asked: Event,
    heard: socket.socket,
    announce: Callable[[], None],
    fill: Callable[[Seat], None],
) -> None:
    """Replace who dies, until a signal has asked all to end."""
    announced = False
    replaced: deque[float] = deque(maxlen=REPLACED_AT_MOST)
    while not asked.is_set():
        _next_event(seats, heard)
        if not announced and all(seat.serves for seat in seats):
            announce()
            announced = True
        for seat in seats:
            if seat.process.is_alive() or asked.is_set():
                continue
            if not seat.told.closed:
                seat.listen()
            _check_replaceable(seat, replaced)
            fill(seat)


def _next_event(seats: Sequence[Seat], heard: socket.socket) -> None:
    """Wait until a process has ended or has begun to serve, or a signal has come."""
    silent = {seat.told: seat for seat in seats if not seat.told.closed}
    for ready in wait([*silent, heard, *(seat.process.sentinel for seat in seats)]):
        if isinstance(ready, Connection):
            silent[ready].listen()


def _check_replaceable(seat: Seat, replaced: "deque[float]") -> None:
    """Note that a process is replaced; raise ComputeOptimizerError where it must not be."""
    number, code = seat.member.number, seat.process.exitcode
    if not seat.serves:
        raise ComputeOptimizerError(f"a serving process ended by itself, with code {code}")
    now = monotonic()
    if len(replaced) == REPLACED_AT_MOST and now - replaced[0] < REPLACED_WITHIN_SECONDS:
        raise ComputeOptimizerError(
            f"a serving process ended by itself, with code {code}, the "
            f"{REPLACED_AT_MOST + 1}th within {REPLACED_WITHIN_SECONDS:.0f} seconds"
        )
    replaced.append(now)
    log.error("serving process %d ended by itself, with code %s; it is replaced", number, code)


def _serve_here(
    serve: Serve, settings: Settings, listener: socket.socket, member: Member, telling: Connection
) -> None:
    """Serve in a process that was just started, and end with the one that started it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()

    def tell() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        telling.send(True)
        telling.close()

    try:
        serve(settings, listener, member, tell)
    finally:
        if parent is not None and not parent.is_alive() and member.shared is not None:
            # Killed, it could not; what is mapped stays with whoever still answers.
            shutil.rmtree(member.shared.parent, ignore_errors=True)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _stop_on_signal(seats: Sequence[Seat], listeners: Sequence[socket.socket]) -> Event:
    """Have SIGTERM and SIGINT end all processes; return what is set once one came."""
    asked = Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        asked.set()
        for listener in listeners:
            listener.close()  # Nobody accepts what would wait here from now on.
        for seat in seats:
            process = getattr(seat, "process", None)
            if process is not None and process.is_alive():
                process.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return asked


def _stop(seats: Sequence[Seat]) -> None:
    filled = [seat.process for seat in seats if hasattr(seat, "process")]
    started = [process for process in filled if process.pid is not None]
    for process in started:
        process.terminate()
    for process in started:
        process.join()
