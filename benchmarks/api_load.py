"""Hundreds of kept-alive clients of `serve --processes N`, while one account opts in and out.

    python -m benchmarks.api_load [--requests 1000000] [--clients 200] [--processes 2]

Signed GetEnrollmentStatus and pages of recommendations, in both protocols. Processes of their own
drive: each signs a pool of requests by botocore beforehand and replays it, one request under way
per connection. The server takes signatures of the last day, since a run lasts longer than their
five minutes; nothing else is set. Meanwhile another account opts in and out by boto3, and after
each answer asks on connections to every process what its status is: an older one is stale.
Printed are latencies as clients see them (on a machine that others use, mostly its queues), errors,
stale answers, and the memory of each serving process along the run.
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
from time import perf_counter
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from benchmarks.measurement import Measurement, Report, add_output, show
from benchmarks.page_latency import ACCOUNT, REGION, fill
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
    for _ in range(clients):
        peer = socket.create_connection(address)
        selector.register(peer, selectors.EVENT_READ, _send(peer, next(waiting)))
    while told.done < requests:
        for ready, _ in selector.select():
            answering: Any = ready.fileobj
            operation, began = ready.data
            answer = answer_of(answering)
            told.seconds[operation].append(perf_counter() - began)
            told.done += 1
            if not answer.startswith(b"HTTP/1.1 200"):
                told.errors.append(answer)
            selector.modify(answering, selectors.EVENT_READ, _send(answering, next(waiting)))
            if told.done % max(1, requests // REPORTS) == 0:
                tell.send(told.done)
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


def memory_of(parent: int) -> dict[int, float]:
    """Return the resident MB of each serving process (VmRSS, proc(5))."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    found = {}
    for child in children:
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
            status = Path(f"/proc/{child}/status").read_text()
            found[int(child)] = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    return found


def follow(
    drivers: Sequence[Connection], parent: int, memory: dict[int, list[float]]
) -> list[Told]:
    """Note memory while the drivers drive, and return what they tell.

    `memory` gets the megabytes of each serving process, one figure for each report of a driver.
    """
    ended: list[Told] = []
    done: dict[Connection, int] = dict.fromkeys(drivers, 0)
    while len(ended) < len(drivers):
        for ready in wait([one for one in drivers if not one.closed]):
            assert isinstance(ready, Connection)
            told = ready.recv()
            if isinstance(told, Told):
                ended.append(told)
                ready.close()
            else:
                done[ready] = told
                for process, mb in memory_of(parent).items():
                    memory.setdefault(process, []).append(mb)
                print(f"{sum(done.values()):>9,} answers", file=sys.stderr)
    return ended


def told_of(ended: Sequence[Told], seconds: float) -> Iterator[Measurement]:
    """Yield latencies, the rate and the number of errors."""
    for operation in (STATUS, PAGE):
        values = sorted(value for one in ended for value in one.seconds[operation])
        for share in (0.5, 0.99, 0.999, 1.0):
            value = values[int(share * (len(values) - 1))] * 1000
            yield Measurement(f"{operation}, p{share * 100:g}", "ms", (value,))
    yield Measurement("answers", "answers/s", (sum(one.done for one in ended) / seconds,))
    errors = [error for one in ended for error in one.errors]
    yield Measurement("errors", "answers", (float(len(errors)),))
    if errors:
        print(errors[0][:2000], file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the load and show what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--drivers", type=int, default=2)
    parser.add_argument("--recommendations", type=int, default=2_000)
    add_output(parser)
    given = parser.parse_args(arguments)
    found: list[Measurement] = []
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        keys = prepare(Path(name), given.recommendations)
        with served(Path(name), given.processes) as (address, parent):
            mine, its = context.Pipe()
            changer = context.Process(target=change, args=(address, keys[CHANGER], its))
            changer.start()
            heard, began = [], perf_counter()
            for _ in range(given.drivers):
                hears, tells = context.Pipe(duplex=False)
                share = (given.clients // given.drivers, given.requests // given.drivers)
                context.Process(
                    target=drive, args=(address, keys[ACCOUNT], *share, tells), daemon=True
                ).start()
                heard.append(hears)
            memory: dict[int, list[float]] = {}
            ended = follow(heard, parent, memory)
            found += told_of(ended, perf_counter() - began)
            found += (
                Measurement(f"memory of process {number}, along the run", "MB", tuple(each))
                for number, each in enumerate(memory.values())
            )
            mine.send(True)
            changes, asked, stale = mine.recv()
            changer.join()
    polls = f"{changes} opt-ins and opt-outs, {asked} polls after them"
    found.append(Measurement("stale answers", "answers", (float(stale),)))
    load = f"{given.requests:,} requests, {given.clients} clients, {given.processes} processes"
    show(Report(tuple(found), {"load": load, "changes": polls}), given.output)


if __name__ == "__main__":
    main()
