"""A reader that has seen enough, such as `head`: whatever writes to it ends quietly."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

READER_LEFT = 141
"""Exit code of a command whose output nobody reads any more: 128 and the number of SIGPIPE.

Shells have it of programs that the signal ends. Python ignores the signal, and so do we: it would
end a server whose client hangs up.
"""


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """End the process with READER_LEFT where the standard output is a pipe that was closed."""
    try:
        yield
    except BrokenPipeError:
        _leave()
    except SystemExit as ended:
        # Typer and Rich catch it themselves and make another code of it; Rich also leads what is
        # left nowhere, so that nobody can be asked who has left. What was told is `from` its error.
        if isinstance(ended.__context__, BrokenPipeError) and ended.__cause__ is None:
            _leave()
        _drop_what_cannot_be_written()
        raise


def reader_has_left() -> bool:
    """Return whether the standard output is a pipe that nobody reads; others break, too."""
    if sys.__stdout__ is None:
        return False
    output = select.poll()
    output.register(sys.__stdout__.fileno(), select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in output.poll(0))


def _leave() -> NoReturn:
    _write_nowhere()
    sys.exit(READER_LEFT)


def _drop_what_cannot_be_written() -> None:
    """Lead what is left nowhere, or the interpreter would complain of it and end with a 120."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _write_nowhere()


def _write_nowhere() -> None:
    """Do as Python's documentation has it (signal, Note on SIGPIPE)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ else nowhere)
