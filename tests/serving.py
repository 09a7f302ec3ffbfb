"""A server in a process of its own, as somebody types it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(
    folder: Path, *options: str, **settings: str
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Serve a data folder on a free port; yield HOST:PORT and the process.

    `settings` are given by their variables, and no other of this process is.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COMPUTE_OPTIMIZER_")}
    given = {f"COMPUTE_OPTIMIZER_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "compute_optimizer", "serve", "--port", "0", *options]
    with subprocess.Popen(
        [*command, "--data-dir", str(folder)], stdout=subprocess.PIPE, text=True, env=kept | given
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://([\d.:]+)", process.stdout.readline())
            assert found
            yield found[1], process
        finally:
            process.terminate()
