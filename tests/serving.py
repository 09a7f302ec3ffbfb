"""A server in a process of its own."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.forked import Running, running


@contextmanager
def serving(folder: Path, *options: str, **settings: str) -> Iterator[tuple[str, Running]]:
    """Serve a data folder on a free port; yield HOST:PORT and the process.

    `settings` are given by their variables, and no other of this process is.
    """
    words = ("serve", "--port", "0", *options, "--data-dir", str(folder))
    with running(*words, **settings) as server:
        found = re.search(r"http://([\d.:]+)", server.out.readline())
        assert found, server.err.read()
        yield found[1], server
