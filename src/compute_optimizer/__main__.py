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


if __name__ == "__main__":
    run()
