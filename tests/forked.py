"""Commands as processes of their own, forked of one process that has imported the program.

Importing is most of what `python -m compute_optimizer` does before a command begins. Where a test
kills a command at many moments, each process is forked of multiprocessing's server of forks, which
has imported it once: as real to `kill -9`, and there in milliseconds.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["compute_optimizer.cli.backup", "compute_optimizer.cli.ingest"])

Watch = Callable[[str, tuple[object, ...]], bool]
"""Whether an event that Python audits is one of those that are counted: its name and arguments."""

Forked = ForkServerProcess

NEVER = sys.maxsize
"""Number of an event that no command comes to."""


def renames_of_tiles(event: str, arguments: tuple[object, ...]) -> bool:
    """Return whether a tile is about to be given another name."""
    return event == "os.rename" and str(arguments[0]).endswith(".parquet")


def changes_of_files(event: str, arguments: tuple[object, ...]) -> bool:
    """Return whether a file is about to be opened for writing, renamed or removed."""
    if event == "open":
        return isinstance(arguments[2], int) and bool(arguments[2] & os.O_ACCMODE)
    return event in ("os.rename", "os.link", "shutil.rmtree", "sqlite3.connect")


def forked(said: Path, *words: str, dies_at: int = NEVER, of: Watch | None = None) -> Forked:
    """Start a command; it kills itself at the n-th event of a kind. What it says goes to a file."""
    process = CONTEXT.Process(target=_run, args=(said, words, dies_at, of))
    process.start()
    return process


def ended(process: Forked, seconds: float) -> int:
    """Wait for a process and return its exit code, negative where a signal ended it."""
    process.join(seconds)
    assert process.exitcode is not None, "the command did not end"
    code: int = process.exitcode
    process.close()
    return code


def _run(said: Path, words: tuple[str, ...], dies_at: int, of: Watch | None) -> None:
    from compute_optimizer.cli import main

    with said.open("w") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    for name in [name for name in os.environ if name.startswith("COMPUTE_OPTIMIZER_")]:
        del os.environ[name]
    sys.argv = ["compute-optimizer", *words]
    if of is not None:
        sys.addaudithook(_dying(dies_at, of))
    main()


def _dying(left: int, counted: Watch) -> Callable[[str, tuple[object, ...]], None]:
    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if counted(event, arguments):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return watch
