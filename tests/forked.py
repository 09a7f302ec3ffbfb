"""Commands as processes of their own, forked of one process that has imported the program.

Importing is most of what `python -m compute_optimizer` does before a command begins. Where a test
kills a command at many moments, or needs a server or a worker beside it, each process is forked of
multiprocessing's server of forks, which has imported it once: as real to `kill -9`, and there in
milliseconds. A test of how the program starts or ends types the command instead.
"""

import faulthandler
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

from tests.waiting import SECONDS

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "tests.warmed",
        # What servers and workers import when they begin.
        "apscheduler.executors.pool",
        "apscheduler.schedulers.background",
        "apscheduler.triggers.cron",
        "compute_optimizer.console.room",
    ]
)

Watch = Callable[[str, tuple[object, ...]], bool]
"""Whether an event that Python audits is one of those that are counted: its name and arguments."""

Forked = ForkServerProcess

NEVER = sys.maxsize
"""Number of an event that no command comes to."""


@dataclass(frozen=True)
class Running:
    """A command that runs beside the test, and what it says."""

    process: Forked
    out: TextIO
    err: TextIO

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self) -> int:
        """Return its exit code once it has ended, negative where a signal ended it."""
        self.process.join(SECONDS)
        if self.process.exitcode is None:
            self.send(signal.SIGABRT)
            raise AssertionError(f"the command did not end; it said\n{self.err.read()}")
        code: int = self.process.exitcode
        return code


@contextmanager
def running(*words: str, **settings: str) -> Iterator[Running]:
    """Run a command until the block ends; it is told to end then, where it still runs.

    `settings` are given by their variables, and no other of this process is.
    """
    with ExitStack() as stack:
        (out, its_out), (err, its_err) = (CONTEXT.Pipe(duplex=False) for _ in range(2))
        process = CONTEXT.Process(target=_run_beside, args=(words, settings, its_out, its_err))
        process.start()
        for one in (its_out, its_err):
            one.close()
        # Last of all, so that whatever it still says finds its pipes open.
        read, complained = (stack.enter_context(_text_of(one)) for one in (out, err))
        stack.callback(_end, process)
        yield Running(process, read, complained)


def _end(process: Forked) -> None:
    process.terminate()
    process.join(SECONDS)
    process.kill()
    process.join()
    process.close()


def _text_of(connection: Connection) -> TextIO:
    """Return what is written at the other end of a pipe, which ends with it."""
    descriptor = os.dup(connection.fileno())
    connection.close()
    return os.fdopen(descriptor)


def _run_beside(
    words: tuple[str, ...], settings: Mapping[str, str], out: Connection, err: Connection
) -> None:
    _say_to(out.fileno(), err.fileno())
    _type(words, settings)


def renames_of_tiles(event: str, arguments: tuple[object, ...]) -> bool:
    """Return whether a tile is about to be given another name."""
    return event == "os.rename" and str(arguments[0]).endswith(".parquet")


def changes_of_files(event: str, arguments: tuple[object, ...]) -> bool:
    """Return whether a file is about to be opened for writing, renamed or removed."""
    if event == "open":
        return isinstance(arguments[2], int) and bool(arguments[2] & os.O_ACCMODE)
    return event in ("os.rename", "os.link", "shutil.rmtree", "sqlite3.connect")


def forked(
    said: Path,
    *words: str,
    dies_at: int = NEVER,
    of: Watch | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Forked:
    """Start a command; it kills itself at the n-th event of a kind. What it says goes to a file.

    `variables` are added to its environment.
    """
    process = CONTEXT.Process(target=_run, args=(said, words, dies_at, of, dict(variables)))
    process.start()
    return process


def ended(process: Forked, seconds: float) -> int:
    """Wait for a process and return its exit code, negative where a signal ended it."""
    process.join(seconds)
    assert process.exitcode is not None, "the command did not end"
    code: int = process.exitcode
    process.close()
    return code


def _run(
    said: Path,
    words: tuple[str, ...],
    dies_at: int,
    of: Watch | None,
    variables: Mapping[str, str],
) -> None:
    os.environ |= variables
    with said.open("w") as log:
        _say_to(log.fileno(), log.fileno())
    if of is not None:
        sys.addaudithook(_dying(dies_at, of))
    _type(words, {})


def _say_to(out: int, err: int) -> None:
    """Let the process say to open files what it prints."""
    os.dup2(out, sys.stdout.fileno())
    os.dup2(err, sys.stderr.fileno())


def _type(words: tuple[str, ...], settings: Mapping[str, str]) -> None:
    from compute_optimizer.__main__ import run

    for name in [name for name in os.environ if name.startswith("COMPUTE_OPTIMIZER_")]:
        del os.environ[name]
    os.environ |= {f"COMPUTE_OPTIMIZER_{name.upper()}": value for name, value in settings.items()}
    sys.argv = ["compute-optimizer", *words]
    faulthandler.enable()  # SIGABRT has it say where each of its threads is.
    run()


def _dying(left: int, counted: Watch) -> Callable[[str, tuple[object, ...]], None]:
    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if counted(event, arguments):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return watch
