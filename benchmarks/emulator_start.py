"""Emulators started and ended one after the other, as 200 tests with a fixture each do, beside
moto's ThreadedMotoServer in the same process and the same rounds.

    python -m benchmarks.emulator_start [--count 200] [--rounds 3] [--output json]

Each is asked one thing before it ends, so that it is known to answer: its health, and of moto its
list of resources. Requests of a kind that both answer without an SDK, which would cost more than
starting does. The first of each, which imports, is measured by itself.
"""

import argparse
import json
import logging
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import Any
from urllib.request import urlopen

AIM_SECONDS = 20.0
"""For 200 fixtures on two cores."""

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


def main() -> None:
    """Measure both in turns and print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", choices=["table", "json"], default="table")
    given = parser.parse_args()
    counts = {OURS: given.count, MOTO: max(given.count // FEWER_OF_MOTO, 1)}
    first = {name: seconds_of(server, 1) for name, server in SERVERS.items()}
    each: dict[str, list[float]] = {name: [] for name in SERVERS}
    for _ in range(given.rounds):
        for name, server in SERVERS.items():
            each[name].append(seconds_of(server, counts[name]) / counts[name])
    report(first, {name: statistics.median(rounds) for name, rounds in each.items()}, given)


def report(first: dict[str, float], each: dict[str, float], given: argparse.Namespace) -> None:
    """Print what was measured, in seconds."""
    ratio = each[OURS] / each[MOTO]
    if given.output == "json":
        print(json.dumps({"first": first, "each": each, "ratio": ratio}))
        return
    for name, one in each.items():
        print(f"{name:10} first {first[name]:6.2f} s   then {one * 1000:6.1f} ms each")
    whole = each[OURS] * given.count
    print(f"ratio {ratio:.2f}; {given.count} take {whole:.1f} s, aim: 200 in {AIM_SECONDS:.0f} s")


if __name__ == "__main__":
    main()
