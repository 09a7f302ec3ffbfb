"""Two hundred emulators, one after the other and some at once: nothing of them is left."""

import gc
import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from compute_optimizer.emulator.folders import process_folder
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator

MANY, AT_ONCE = 200, 10


def answers(running: Emulator) -> bool:
    with urlopen(f"{running.url}/healthz") as response:
        return bool(response.status == 200)


def refuses(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname, address.port)).close()
    except ConnectionRefusedError:
        return True
    return False


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_many_leave_no_port_no_file_no_thread_and_no_descriptor() -> None:
    with emulator() as first:
        assert answers(first)
    files = sorted(process_folder().iterdir())
    gc.collect()  # What earlier tests left open is closed now, and not while this one counts.
    before = threading.active_count(), descriptors()
    urls = set()

    for _ in range(MANY // AT_ONCE):
        with ExitStack() as stack:
            together = [stack.enter_context(emulator()) for _ in range(AT_ONCE)]
            assert all(answers(running) for running in together)
            # Each a port of its own.
            assert len({running.url for running in together}) == AT_ONCE
            urls |= {running.url for running in together}

    assert all(refuses(url) for url in urls)
    assert sorted(process_folder().iterdir()) == files
    assert (threading.active_count(), descriptors()) == before
