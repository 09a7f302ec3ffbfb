"""Hundreds of kept-alive clients of `serve --processes N`, while one account opts in and out.

    python -m benchmarks.api_load [--requests 1000000] [--clients 200] [--processes 2]
                                  [--ladder 1 16 64 256 512] [--rung 40000]

Signed GetEnrollmentStatus and pages of recommendations, in both protocols. Processes of their own
drive: each signs a pool of requests by botocore beforehand and replays it, one request under way
per connection. The server takes signatures of the last day, since a run lasts longer than their
five minutes; nothing else is set. Meanwhile another account opts in and out by boto3, and after
each answer asks on connections to every process what its status is: an older one is stale.
Before that, fewer and more clients are tried in turn: where nothing breaks down, the rate stays and
latencies grow with the number of clients, who wait for each other.
Printed are latencies as clients see them (on a machine that others use, mostly its queues), errors,
stale answers, how evenly connections were served, the private memory of each serving process along
the run, in a run of 700,000 answers and more how it grows, and who had the cores.
"""

import argparse
import multiprocessing
import os
import re
import selectors
import socket
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from benchmarks.enrollment_rate import processor_seconds
from benchmarks.measurement import Measurement, Report, add_output, show
from benchmarks.page_latency import ACCOUNT, REGION, fill
from benchmarks.process_memory import growth, private_mb, serving_processes
from compute_optimizer.api.authorization import policy_allowing
from compute_optimizer.app import opened
from compute_optimizer.config import load_settings
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store.access_keys import KeyRequest, NewSecret, create_access_key
from compute_optimizer.store.sealing import open_key_file

CHANGER = "222222222222"
STATUS, PAGE = "GetEnrollmentStatus", "GetEC2InstanceRecommendations"
CBOR_OF = {STATUS: b"\xa0", PAGE: b"\xa1jmaxResults\x18d"}
"""Requests without members, and with maxResults 100 (RFC 8949)."""
JSON_OF = {STATUS: b"{}", PAGE: b'{"maxResults":100}'}
RUNG = 40_000
"""Requests of each number of clients: of a few for each client most would wait for the first
answers, while all others connect."""
POLLS_PER_PAGE = 49
"""Calls of GetEnrollmentStatus for each page of 100."""
WATCHED = 16
"""Connections on which statuses are asked: one of two processes is left out by 2 in 65,536 runs."""
REPORTS = 20
"""Times that a driver tells how far it is."""


@dataclass
class Told:
    """What a driver has to tell."""

    done: int = 0
    errors: list[bytes] = field(default_factory=list)
    seconds: dict[str, "array[float]"] = field(default_factory=dict)
    served: list[int] = field(default_factory=list)
    """Answers by connection."""
    busy: float = 0.0
    """Seconds that the driver kept a core busy."""


def prepare(folder: Path, recommendations: int) -> dict[str, NewSecret]:
    """Make a state with recommendations, and a key for each of the two accounts."""
    settings = load_settings({"data_dir": folder}, environment={})
    with opened(settings) as application:
        state, clock = application.state, application.clock
        change_enrollment(state, clock, ACCOUNT, "Active")
        advance_enrollments(state, clock)
        fill(state, recommendations)
        sealer = open_key_file(settings.key_file, settings.data_dir)
        policy = policy_allowing(["compute-optimizer:*"])
        with state.writing() as connection:
            return {
                account: create_access_key(
                    connection, sealer, KeyRequest(account, "load", policy), clock.now()
                )
                for account in (ACCOUNT, CHANGER)
            }


@contextmanager
def served(folder: Path, processes: int) -> Iterator[tuple[tuple[str, int], int]]:
    """Run `serve` and return its address and the id of its first process."""
    options = ["--port", "0", "--data-dir", str(folder), "--processes", str(processes)]
    environment = os.environ | {"COMPUTE_OPTIMIZER_CLOCK_SKEW_SECONDS": "86400"}
    with subprocess.Popen(
        [sys.executable, "-m", "compute_optimizer", "serve", *options],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://([\d.]+):(\d+)", process.stdout.readline())
            if found is None:
                raise SystemExit("the server did not start")
            yield (found[1], int(found[2])), process.pid
        finally:
            process.terminate()


def spelled(signer: SigV4Auth, host: str, operation: str, cbor: bool) -> bytes:
    """Return a signed request."""
    path = f"/service/ComputeOptimizerService/operation/{operation}" if cbor else "/"
    headers = {"Host": host, "Content-Type": "application/x-amz-json-1.0"}
    if cbor:
        headers |= {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    else:
        headers["X-Amz-Target"] = f"ComputeOptimizerService.{operation}"
    body = (CBOR_OF if cbor else JSON_OF)[operation]
    request = AWSRequest("POST", f"http://{host}{path}", headers=headers, data=body)
    signer.add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    head = [f"POST {path} HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def mixed(address: tuple[str, int], key: NewSecret) -> list[tuple[str, bytes]]:
    """Return what one driver replays: polls and pages, half of each in CBOR."""
    signer = SigV4Auth(
        Credentials(key.access_key_id, key.secret_access_key), "compute-optimizer", REGION
    )
    host = f"{address[0]}:{address[1]}"
    found = []
    for cbor in (False, True):
        found += [(STATUS, spelled(signer, host, STATUS, cbor))] * POLLS_PER_PAGE
        found.append((PAGE, spelled(signer, host, PAGE, cbor)))
    return found


def answer_of(peer: socket.socket) -> bytes:
    """Return one whole answer."""
    data = b""
    while True:
        part = peer.recv(1 << 18)
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
        head, found, body = data.partition(b"\r\n\r\n")
        if found:
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index] # a KeyError would say less
            if len(body) >= length:
                return data


def drive(
    address: tuple[str, int], key: NewSecret, clients: int, requests: int, tell: Connection
) -> None:
    """Replay requests over kept-alive connections, and tell how it went."""
    waiting, told, selector = cycle(mixed(address, key)), Told(), selectors.DefaultSelector()
    told.seconds = {STATUS: array("d"), PAGE: array("d")}
    told.served, began = [0] * clients, process_time()
    for number in range(clients):
        peer = socket.create_connection(address)
        selector.register(peer, selectors.EVENT_READ, (number, *_send(peer, next(waiting))))
    while told.done < requests:
        for ready, _ in selector.select():
            answering: Any = ready.fileobj
            number, operation, sent = ready.data
            answer = answer_of(answering)
            told.seconds[operation].append(perf_counter() - sent)
            told.done += 1
            told.served[number] += 1
            if not answer.startswith(b"HTTP/1.1 200"):
                told.errors.append(answer)
            again = (number, *_send(answering, next(waiting)))
            selector.modify(answering, selectors.EVENT_READ, again)
            if told.done % max(1, requests // REPORTS) == 0:
                tell.send(told.done)
    told.busy = process_time() - began
    tell.send(told)


def _send(peer: socket.socket, request: tuple[str, bytes]) -> tuple[str, float]:
    operation, spelling = request
    began = perf_counter()
    peer.sendall(spelling)
    return operation, began


def change(address: tuple[str, int], key: NewSecret, tell: Connection) -> None:
    """Opt in and out until something is received; tell how often and how often it was stale."""
    client = boto3.client(
        "compute-optimizer",
        endpoint_url=f"http://{address[0]}:{address[1]}",
        region_name=REGION,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    poll = mixed(address, key)[0][1]
    peers = [socket.create_connection(address) for _ in range(WATCHED)]
    changes = asked = stale = 0
    while not tell.poll():
        status = ("Active", "Inactive")[changes % 2]
        client.update_enrollment_status(status=status)
        changes += 1
        for peer in peers:
            peer.sendall(poll)
            out = b'"status":"Inactive"' in answer_of(peer)  # else Pending or Active
            asked += 1
            stale += out != (status == "Inactive")
    tell.send((changes, asked, stale))


@dataclass(frozen=True)
class Load:
    """Who is called, as whom, and by how many processes."""

    address: tuple[str, int]
    parent: int
    """The program whose children serve."""
    key: NewSecret
    drivers: int


@dataclass(frozen=True)
class Ran:
    """What came of one load."""

    told: list[Told]
    seconds: float
    memory: dict[int, list[tuple[int, float]]]
    """Private megabytes of each serving process, by the answers of all so far."""
    served_for: float
    """Seconds that the serving processes kept a core busy."""

    @property
    def answers(self) -> int:
        """Of all drivers."""
        return sum(one.done for one in self.told)


def run(load: Load, clients: int, requests: int) -> Ran:
    """Drive with so many clients until so many requests are answered."""
    drivers = min(load.drivers, clients)
    context, heard = multiprocessing.get_context("spawn"), []
    before, began = _busy(load.parent), perf_counter()
    for _ in range(drivers):
        hears, tells = context.Pipe(duplex=False)
        shares = (clients // drivers, requests // drivers)
        context.Process(
            target=drive, args=(load.address, load.key, *shares, tells), daemon=True
        ).start()
        heard.append(hears)
    memory: dict[int, list[tuple[int, float]]] = {}
    told = follow(heard, load.parent, memory)
    return Ran(told, perf_counter() - began, memory, _busy(load.parent) - before)


def _busy(parent: int) -> float:
    return sum(map(processor_seconds, serving_processes(parent)))


def follow(
    drivers: Sequence[Connection], parent: int, memory: dict[int, list[tuple[int, float]]]
) -> list[Told]:
    """Note memory while the drivers drive, and return what they tell."""
    ended: list[Told] = []
    done: dict[Connection, int] = dict.fromkeys(drivers, 0)
    while len(ended) < len(drivers):
        for ready in wait([one for one in drivers if not one.closed]):
            assert isinstance(ready, Connection)
            told = ready.recv()
            if isinstance(told, Told):
                ended.append(told)
                ready.close()
                continue
            done[ready] = told
            answers = sum(done.values())
            for process in serving_processes(parent):
                memory.setdefault(process, []).append((answers, private_mb(process)))
            grown = ", ".join(f"{samples[-1][1]:.1f} MB" for samples in memory.values())
            print(f"{answers:>9,} answers, {grown}", file=sys.stderr)
    return ended


def latencies(ran: Ran, operation: str, shares: Sequence[float]) -> Iterator[Measurement]:
    """Yield quantiles of what clients waited for."""
    values = sorted(value for one in ran.told for value in one.seconds[operation])
    for share in shares:
        value = values[int(share * (len(values) - 1))] * 1000
        yield Measurement(f"{operation}, p{share * 100:g}", "ms", (value,))


def told_of(ran: Ran) -> Iterator[Measurement]:
    """Yield latencies, the rate, the number of errors, how even it was, and memory."""
    for operation in (STATUS, PAGE):
        yield from latencies(ran, operation, (0.5, 0.99, 0.999, 1.0))
    # A driver counts to its share, so that the slower one has the last seconds for itself.
    yield Measurement("answers", "answers/s", (ran.answers / ran.seconds,))
    errors = [error for one in ran.told for error in one.errors]
    yield Measurement("errors", "answers", (float(len(errors)),))
    if errors:
        print(errors[0][:2000], file=sys.stderr)
    yield Measurement("least served connection / median", "", (evenness(ran),))
    for number, samples in enumerate(ran.memory.values()):
        along = tuple(megabytes for _, megabytes in samples)
        yield Measurement(f"private memory of process {number}, along the run", "MB", along)
    grown = [mb for samples in ran.memory.values() if (mb := growth(samples)) is not None]
    if grown:
        told = "growth with 100,000 answers, after warm-up"
        yield Measurement(told, "MB", (max(grown),))


def evenness(ran: Ran) -> float:
    """Return how the least served connection fared beside the middle one, 0 to 1."""
    served = sorted(count for one in ran.told for count in one.served)
    return served[0] / max(served[len(served) // 2], 1)


def cores_of(ran: Ran) -> str:
    """Return who had the cores: the drivers must not be what is measured."""
    driven = sum(one.busy for one in ran.told) / ran.seconds
    return f"servers used {ran.served_for / ran.seconds:.2f} cores, drivers {driven:.2f}"


def ladder(load: Load, rungs: Sequence[int], requests: int) -> Iterator[Measurement]:
    """Yield the rate and the latency of each number of clients."""
    for clients in rungs:
        # Starting drivers takes seconds, so that the rate is told by what one answer waits for.
        ran = run(load, clients, requests)
        every = [value for one in ran.told for each in one.seconds.values() for value in each]
        in_flight = clients * len(every) / sum(every)
        above = [f"{fewer} clients" for fewer in rungs if fewer < clients]
        rates = tuple(f"{one}, answers" for one in above)
        yield Measurement(f"{clients} clients, answers", "answers/s", (in_flight,), rates)
        for found in latencies(ran, STATUS, (0.5, 0.99)):
            (waited,) = found.samples
            yield Measurement(f"{clients} clients, {found.name}", "ms", (waited,))
        yield Measurement(
            f"{clients} clients, p99 for each",
            "ms",
            (waited / clients,),
            tuple(f"{one}, p99 for each" for one in above),
        )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--drivers", type=int, default=2)
    parser.add_argument("--recommendations", type=int, default=2_000)
    parser.add_argument("--ladder", type=int, nargs="*", default=[1, 16, 64, 256, 512])
    parser.add_argument("--rung", type=int, default=RUNG, help="requests of each rung")
    add_output(parser)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the load and show what came of it."""
    given = _arguments(arguments)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        keys = prepare(Path(name), given.recommendations)
        with served(Path(name), given.processes) as (address, parent):
            load = Load(address, parent, keys[ACCOUNT], given.drivers)
            found = list(ladder(load, given.ladder, given.rung))
            mine, its = context.Pipe()
            changer = context.Process(target=change, args=(address, keys[CHANGER], its))
            changer.start()
            ran = run(load, given.clients, given.requests)
            found += told_of(ran)
            mine.send(True)
            changes, asked, stale = mine.recv()
            changer.join()
    found.append(Measurement("stale answers", "answers", (float(stale),)))
    notes = {
        "load": f"{given.requests:,} requests, {given.clients} clients, "
        f"{given.processes} processes",
        "changes": f"{changes} opt-ins and opt-outs, {asked} polls after them",
        "cores": cores_of(ran),
    }
    show(Report(tuple(found), notes), given.output)


if __name__ == "__main__":
    main()
