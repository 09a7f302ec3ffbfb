"""Two hundred emulators, one after the other and some at once: nothing of them is left."""

import socket
import threading
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from compute_optimizer.emulator.folders import process_folder
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from tests.forked import CONTEXT
from tests.waiting import SECONDS

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


def held() -> tuple[int, int, list[Path]]:
    """Return how many threads and descriptors this process has, and its files."""
    return threading.active_count(), descriptors(), sorted(process_folder().iterdir())


def run_many(told: Connection) -> None:
    """Run them all, and tell what the process held before and after, and where they were."""
    with emulator() as first:
        assert answers(first)
    before, urls = held(), set()
    for _ in range(MANY // AT_ONCE):
        with ExitStack() as stack:
            together = [stack.enter_context(emulator()) for _ in range(AT_ONCE)]
            assert all(answers(running) for running in together)
            # Each a port of its own.
            assert len({running.url for running in together}) == AT_ONCE
            urls |= {running.url for running in together}

    told.send((before, held(), urls))


def test_many_leave_no_port_no_file_no_thread_and_no_descriptor() -> None:
    # In a process of its own: other tests of this one leave threads and connections that end later.
    told, telling = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=run_many, args=(telling,))
    process.start()
    telling.close()
    before, after, urls = told.recv()
    process.join(SECONDS)

    assert process.exitcode == 0
    assert after == before
    assert all(refuses(url) for url in urls)
