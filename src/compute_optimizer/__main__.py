"""Run the command line: the command `compute-optimizer`, and `python -m compute_optimizer`."""

import sys

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended: 128 and the number of SIGINT, as shells have it."""


def run() -> None:
    """Run the command line; Ctrl-C ends it without a traceback, also while modules are read."""
    try:
        # Not above: reading it takes a while, in which nothing would catch Ctrl-C.
        from compute_optimizer.cli import main

        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        _forget_interrupts()


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
