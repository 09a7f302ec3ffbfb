"""Temporary folders that are gone afterwards, also when the process was killed."""

import atexit
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PREFIX = "compute-optimizer-emulator-"

GUARD = "import shutil, sys; sys.stdin.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)"
"""Program of a process that reads until whoever holds the other end is gone, however it ended."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make an empty folder that is removed when the block ends or the process dies."""
    folder = Path(tempfile.mkdtemp(dir=process_folder()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def process_folder() -> Path:
    """Return the folder of this process, which a guard process removes when this one has ended."""
    root = Path(tempfile.mkdtemp(prefix=PREFIX))
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", GUARD, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C ends this program, not its guard.
    )
    atexit.register(guard.communicate)  # nothing is left once this process has ended by itself
    return root
