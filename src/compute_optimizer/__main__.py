"""Run the command line: the command `compute-optimizer`, and `python -m compute_optimizer`."""

import os
import signal
import sys

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended: 128 and the number of SIGINT, as shells have it."""

TERMINATED = 143
"""Exit code of a command that SIGTERM ended, likewise."""

FIRST = 1
"""Number of the process that a container begins with."""

THREADS_OF_BLAS = "OPENBLAS_NUM_THREADS"
"""Variable of OpenBLAS, which numpy comes with: threads of a process, by default one per core."""


def run() -> None:
    """Run the command line; Ctrl-C ends it without a traceback, also while modules are read."""
    _hear_sigterm()
    _multiply_in_this_thread()
    try:
        # Not above: reading it takes a while, in which nothing would catch Ctrl-C.
        from compute_optimizer.cli import main

        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        _forget_interrupts()


def _hear_sigterm() -> None:
    """Have SIGTERM end this process where it is a container's first, before a command listens.

    The kernel gives such a process no signal that nobody handles (pid_namespaces(7)): whoever
    stopped the container would wait until it is killed.
    """
    if os.getpid() == FIRST:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))


def _multiply_in_this_thread() -> None:
    """Have numpy start no threads, unless somebody has said how many.

    They look for work for a while as soon as numpy is imported, a twelfth of a second of processor
    time for each core but the first, and find none: matrices here have a few columns. Work is
    divided among processes instead.
    """
    os.environ.setdefault(THREADS_OF_BLAS, "1")


def _forget_interrupts() -> None:
    """Have this process end with its exit code, not by SIGINT, after an interrupt was caught.

    CPython remembers an interrupt that left an `exec` of a string, such as those by which
    dataclasses are made while modules are read, and kills itself at the end of `python -m` even
    where it was caught. Only the next such `exec` takes that back (run_eval_code_obj in its
    Python/pythonrun.c).
    """
    exec("")


if __name__ == "__main__":
    run()
