"""Signed GetEnrollmentStatus per second, beside an empty handler, a handler that only checks the
signature and an empty Starlette endpoint on the same server, and beside a small call to moto's
server (STS GetCallerIdentity).

    python -m benchmarks.enrollment_rate [--seconds 3] [--rounds 3] [--output json]

Every request has the headers and the body that boto3 sends and is signed by botocore with an id of
its own, so that nothing could be cached by signature; they are signed beforehand, because signing
costs a client more than answering costs the server. The handler that only checks the signature is
the floor: it answers on arrival as the service does, and knows no state, callers, limits, audit log
and counts. The servers run one at a time, in a process of their own, and are measured in turns. All
but moto's have the same uvicorn, on the same protocol class and event loop.

On a shared machine a rate says how much of a core the server was given. The processor time that the
server's process used for each answer does not depend on that, so that the aim is held against it.
"""

import argparse
import multiprocessing
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.measurement import Report, add_output, measurements_of, show
from benchmarks.replay import Replay, replay
from compute_optimizer.api import signature
from compute_optimizer.api.authorization import policy_allowing
from compute_optimizer.api.listening import bind, uvicorn_config
from compute_optimizer.api.messages import HeaderList, Request, Response, headers_by_name
from compute_optimizer.api.transport import Prompt
from compute_optimizer.app import opened
from compute_optimizer.cli.serve import serve_on
from compute_optimizer.config import Settings, load_settings
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store.access_keys import KeyRequest, NewSecret, create_access_key
from compute_optimizer.store.sealing import open_key_file

ACCOUNT = "111111111111"
REGION = "us-east-1"
SIGNED_REQUESTS = 5_000
START_SECONDS = 120.0
WARM_UP_SECONDS = 0.5

SERVICE = "signed GetEnrollmentStatus"
EMPTY = "empty handler"
LEAST = "least signed handler"
STARLETTE = "empty Starlette endpoint"
MOTO = "moto GetCallerIdentity"

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
"""Units of processor time in a second, of the files below /proc (proc(5))."""


@dataclass(frozen=True)
class Measured:
    """One server in one round."""

    replay: Replay
    processor_us: float
    """Microseconds of a core that the server used for each answer."""


@dataclass(frozen=True)
class Running:
    """A server in a process of its own."""

    address: tuple[str, int]
    pid: int


async def empty_handler(scope: Any, receive: Any, send: Any) -> None:
    """Read the request and answer nothing."""
    await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def serve_empty(listener: socket.socket) -> None:
    """Run the empty handler as `serve` runs the service."""
    import uvicorn

    uvicorn.Server(uvicorn_config(empty_handler)).run(sockets=[listener])


def serve_least(secret: str, listener: socket.socket) -> None:
    """Check the signature of each request and answer nothing."""
    import uvicorn

    key_of = lru_cache(partial(signature.derive_signing_key, secret))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]

    def take(
        method: bytes, target: bytes, listed: HeaderList, body: bytes, source: str
    ) -> Request | None:
        if method != b"POST":
            return None
        return Request("POST", target, b"", headers_by_name(listed), body, source)

    def answer(request: Request) -> Response:
        authorization, claimed = signature.read_authorization(request.headers)
        signed_at = request.headers[b"x-amz-date"].decode()
        key = key_of(authorization.scope)
        signature.check_signature(request, authorization, claimed, signed_at, key)
        return Response(200, headers, b"{}")

    prompt = Prompt(take, lambda requests: [answer(request) for request in requests])
    uvicorn.Server(uvicorn_config(empty_handler, prompt)).run(sockets=[listener])


def serve_starlette(listener: socket.socket) -> None:
    """Run the empty handler as an endpoint of the usual framework."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def endpoint(request: Request) -> Response:
        await request.body()
        return Response(b"{}", media_type="application/json")

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    uvicorn.Server(uvicorn_config(app)).run(sockets=[listener])


def serve_moto(listener: socket.socket) -> None:
    """Run moto's server on the port, with threads, as its command does."""
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = DomainDispatcherApplication(create_backend_app)
    host, port = listener.getsockname()
    make_server(host, port, app, threaded=True, fd=listener.fileno()).serve_forever()


@contextmanager
def running(target: Callable[..., None], *arguments: Any) -> Iterator[Running]:
    """Run a server in a process of its own and return where it is."""
    with bind("127.0.0.1", 0) as listener:
        address: tuple[str, int] = listener.getsockname()
        process = multiprocessing.get_context("spawn").Process(
            target=target, args=(*arguments, listener), daemon=True
        )
        process.start()
    try:
        _wait_for(address, process)
        yield Running(address, process.pid or 0)
    finally:
        process.terminate()
        process.join()


def _wait_for(address: tuple[str, int], process: Any) -> None:
    """Wait until the server answers anything at all."""
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline and process.is_alive():
        try:
            with socket.create_connection(address, timeout=1) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if connection.recv(1):
                    return
        except OSError:
            pass
        sleep(0.05)
    raise SystemExit("a server did not start")


def prepare(folder: Path) -> tuple[Settings, NewSecret]:
    """Make a state with an enrolled account and a key that may read its enrollment."""
    settings = load_settings({"data_dir": folder, "auth": "on"}, environment={})
    with opened(settings) as application:
        change_enrollment(application.state, application.clock, ACCOUNT, "Active")
        sealer = open_key_file(settings.key_file, settings.data_dir)
        wanted = KeyRequest(ACCOUNT, "benchmark", policy_allowing(["compute-optimizer:Get*"]))
        with application.state.writing() as connection:
            key = create_access_key(connection, sealer, wanted, application.clock.now())
    return settings, key


def signed_requests(address: tuple[str, int], key: NewSecret) -> list[bytes]:
    """Return requests that differ in their id and so in their signature."""
    credentials = Credentials(key.access_key_id, key.secret_access_key)
    signer = SigV4Auth(credentials, "compute-optimizer", REGION)
    host = f"{address[0]}:{address[1]}"
    return [_signed(signer, host, number) for number in range(SIGNED_REQUESTS)]


def _signed(signer: SigV4Auth, host: str, number: int) -> bytes:
    headers = {
        "Host": host,
        "Accept-Encoding": "identity",
        "X-Amz-Target": "ComputeOptimizerService.GetEnrollmentStatus",
        "Content-Type": "application/x-amz-json-1.0",
        "User-Agent": "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux lang/python#3.11",
        "amz-sdk-invocation-id": str(UUID(int=number, version=4)),
        "amz-sdk-request": "attempt=1",
    }
    body = b"{}"
    request = AWSRequest("POST", f"http://{host}/", headers=headers, data=body)
    signer.add_auth(request)
    return _spelled(dict(request.headers.items()), body)


def caller_identity(address: tuple[str, int]) -> list[bytes]:
    """Return a signed-looking STS GetCallerIdentity; moto verifies nothing."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    scope = f"Credential={ACCOUNT}/20261122/{REGION}/sts/aws4_request"
    headers = {
        "Host": f"{address[0]}:{address[1]}",
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=00",
    }
    return [_spelled(headers, body)]


def _spelled(headers: dict[str, Any], body: bytes) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["POST / HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


def processor_seconds(pid: int) -> float:
    """Return how long a process has kept a core busy, in user and system mode."""
    # The name of the program comes second and may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def measure(name: str, seconds: float, settings: Settings, key: NewSecret) -> Measured:
    """Start the named server, warm it up and replay its requests."""
    servers: dict[str, tuple[Any, ...]] = {
        SERVICE: (_serve_quietly, settings),
        EMPTY: (serve_empty,),
        LEAST: (serve_least, key.secret_access_key),
        STARLETTE: (serve_starlette,),
        MOTO: (serve_moto,),
    }
    with running(*servers[name]) as server:
        address = server.address
        requests = caller_identity(address) if name == MOTO else signed_requests(address, key)
        replay(address, requests, WARM_UP_SECONDS)
        began = processor_seconds(server.pid)
        result = replay(address, requests, seconds)
        used = processor_seconds(server.pid) - began
        return Measured(result, used / max(result.answers, 1) * 1e6)


def _serve_quietly(settings: Settings, listener: socket.socket) -> None:
    serve_on(settings, listener, announce=_quiet)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="per server and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="beginnings of the servers' names")
    add_output(parser)
    return parser.parse_args(arguments)


def main(words: Sequence[str] | None = None) -> None:
    arguments = _arguments(words)
    measured: dict[str, list[Measured]] = {name: [] for name in _chosen(arguments.only)}
    with tempfile.TemporaryDirectory() as folder:
        settings, key = prepare(Path(folder))
        for _ in range(arguments.rounds):
            for name, results in measured.items():
                results.append(measure(name, arguments.seconds, settings, key))
    replays = [one.replay for results in measured.values() for one in results]
    if any(one.failures for one in replays):
        sys.exit(f"answers were not 200, one of them: {[one.example for one in replays]!r}")
    report(measured, arguments.output)


def _quiet() -> None:
    """Say nothing when the server is there."""


def _chosen(beginnings: list[str] | None) -> list[str]:
    known = (SERVICE, EMPTY, LEAST, STARLETTE, MOTO)
    wanted = tuple(beginnings or [""])
    return [name for name in known if name in (SERVICE, EMPTY) or name.startswith(wanted)]


def report(measured: dict[str, list[Measured]], output: str) -> None:
    rates = {
        name: [one.replay.requests_per_second for one in results]
        for name, results in measured.items()
    }
    used = {
        f"{name}, processor": [one.processor_us for one in results]
        for name, results in measured.items()
    }
    busy = max(one.replay.client_busy for results in measured.values() for one in results)
    notes = {"client": f"used {busy:.0%} of a core at most"}
    found = measurements_of(rates, "requests/s", of=SERVICE)
    cost = measurements_of(used, "us of a core", of=f"{SERVICE}, processor")
    show(Report((*found, *cost), notes), output)


if __name__ == "__main__":
    main()
