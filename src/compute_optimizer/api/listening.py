"""The socket that requests come in by, and how uvicorn serves it."""

import socket
import sys
from functools import partial
from typing import Any

import uvicorn

from compute_optimizer.api.messages import AsgiApp
from compute_optimizer.api.transport import GatheringProtocol, Prompt, Turn
from compute_optimizer.errors import InvalidInput

KEEP_ALIVE_SECONDS = 75
"""Idle connections are kept longer than the 60 s after which load balancers and SDKs drop theirs:
whoever closes second may lose a request on the way."""

SHUTDOWN_SECONDS = 30
"""Time that running calls have to end after SIGTERM; Kubernetes kills after 30 s."""

BACKLOG = 2048
"""Connections that the kernel keeps while all processes are busy."""

ACCEPTED_AT_ONCE = 8
"""Connections that are taken in one turn of the event loop: more of them cost each connection more
(docs/decisions/0050)."""


def uvicorn_config(app: AsgiApp, prompt: Prompt | None = None) -> uvicorn.Config:
    """Return how this program runs uvicorn; the front door writes Date and logs itself."""
    # uvicorn asks for a class and calls it as a factory.
    turn = None if prompt is None else Turn(prompt)
    protocol: Any = partial(GatheringProtocol, prompt=prompt, turn=turn)
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise InvalidInput where the address cannot be had."""
    return _bind(host, port, reuse_port=False)


def _bind(host: str, port: int, *, reuse_port: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port), family=family, backlog=BACKLOG, reuse_port=reuse_port
        )
    except OSError as error:
        raise InvalidInput(
            f"cannot bind {host} port {port}: {error.strerror or error}. Choose another one "
            "(--host, --port; port 0 takes a free one) or stop what holds it"
        ) from error


def bind_each(host: str, port: int, processes: int) -> list[socket.socket]:
    """Return a listening socket for each process, all on one port.

    The kernel deals new connections out among them (SO_REUSEPORT of Linux, socket(7)). Elsewhere
    they share one.
    Raises InvalidInput where the address cannot be had, also if another server of ours has it.
    """
    first = bind(host, port)
    if processes == 1:
        return [first]
    if not sys.platform.startswith("linux"):
        return [first, *(first.dup() for _ in range(processes - 1))]
    # That nobody had the port is known now; a socket without the option would not share it.
    port = first.getsockname()[1]
    first.close()
    return [_bind(host, port, reuse_port=True) for _ in range(processes)]


def many_at_once(listener: socket.socket) -> list[socket.socket]:
    """Return what uvicorn has to listen on, so that a crowd of new clients is not kept waiting.

    In each turn uvloop takes one connection from each socket that it listens on (libuv since its
    change 3696), and a turn answers all who are connected: where those are many, whoever comes with
    others waits for as many turns. So the event loop is given the same socket several times.
    """
    return [listener, *(listener.dup() for _ in range(ACCEPTED_AT_ONCE - 1))]


def url_of(listener: socket.socket) -> str:
    """Return the URL at which a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
