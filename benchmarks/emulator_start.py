"""Emulators started and ended one after the other, as 200 tests with a fixture each do, beside
moto's ThreadedMotoServer in the same process and the same rounds.

    python -m benchmarks.emulator_start [--count 200] [--rounds 3] [--output json]

Each is asked one thing before it ends, so that it is known to answer: its health, and of moto its
list of resources. Requests of a kind that both answer without an SDK, which would cost more than
starting does. The first of each, which imports, is measured by itself.
"""

import argparse
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import Any
from urllib.request import urlopen

from benchmarks.measurement import Measurement, Report, add_output, measurements_of, show

FEWER_OF_MOTO = 10
"""Of moto's servers a tenth is measured: each takes up to half a second to end, because the loop
of Python's socketserver looks that often whether it should."""

OURS, MOTO = "emulator", "moto"

Started = Callable[[], AbstractContextManager[str]]


@contextmanager
def ours() -> Any:
    """Start one emulator and give the URL of its health."""
    from compute_optimizer.emulator.running import emulator

    with emulator() as running:
        yield f"{running.url}/healthz"


@contextmanager
def moto() -> Any:
    """Start one of moto's servers and give the URL of what it knows."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}/moto-api/data.json"
    finally:
        server.stop()


SERVERS: dict[str, Started] = {OURS: ours, MOTO: moto}


def seconds_of(server: Started, count: int) -> float:
    """Return how long that many take to start, to answer once and to end."""
    begin = perf_counter()
    for _ in range(count):
        with server() as url, urlopen(url) as response:
            response.read()
    return perf_counter() - begin


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both in turns and print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    add_output(parser)
    given = parser.parse_args(arguments)
    counts = {OURS: given.count, MOTO: max(given.count // FEWER_OF_MOTO, 1)}
    first = {name: seconds_of(server, 1) for name, server in SERVERS.items()}
    each: dict[str, list[float]] = {name: [] for name in SERVERS}
    for _ in range(given.rounds):
        for name, server in SERVERS.items():
            each[name].append(seconds_of(server, counts[name]) / counts[name])
    firsts = tuple(Measurement(f"first {name}", "s", (one,)) for name, one in first.items())
    show(Report((*firsts, *measurements_of(each, "s", of=OURS))), given.output)


if __name__ == "__main__":
    main()
