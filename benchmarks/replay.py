"""Replays prepared HTTP requests over kept-alive connections: a client that is cheap enough to keep
a server busy from Python. One request is under way per connection (a closed loop)."""

import selectors
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter, process_time

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length:"
CLOSING = b"Connection: close"
RECEIVE_BYTES = 65_536


@dataclass(frozen=True)
class Replay:
    """What a replay measured."""

    requests_per_second: float
    answers: int
    client_busy: float
    """Share of one core that this client used: near 1 it is the client that is measured."""
    failures: int
    """Answers other than 200."""
    example: bytes
    """The last answer."""


@dataclass
class _Connection:
    socket: socket.socket
    received: bytes = b""


def replay(
    address: tuple[str, int], requests: Sequence[bytes], seconds: float, connections: int = 16
) -> Replay:
    """Send requests in turn, again from the first after the last, until the time is over.

    A server that closes the connection after its answer is connected to again.
    """
    selector = selectors.DefaultSelector()
    waiting = cycle(requests)
    for _ in range(connections):
        _connect(selector, address, next(waiting))
    answers = failures = 0
    answer = b""
    began, cpu_began = perf_counter(), process_time()
    while perf_counter() < began + seconds:
        for key, _ in selector.select():
            connection: _Connection = key.data
            complete = _receive(connection)
            if complete is None:
                continue
            answer = complete
            answers += 1
            failures += not answer.startswith(b"HTTP/1.1 200")
            if CLOSING in answer:
                _disconnect(selector, connection)
                _connect(selector, address, next(waiting))
            else:
                connection.socket.sendall(next(waiting))
    took, cpu = perf_counter() - began, process_time() - cpu_began
    for key in list(selector.get_map().values()):
        _disconnect(selector, key.data)
    selector.close()
    return Replay(answers / took, answers, cpu / took, failures, answer)


def _connect(selector: selectors.BaseSelector, address: tuple[str, int], request: bytes) -> None:
    peer = socket.create_connection(address)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(peer, selectors.EVENT_READ, _Connection(peer))
    peer.sendall(request)


def _disconnect(selector: selectors.BaseSelector, connection: _Connection) -> None:
    selector.unregister(connection.socket)
    connection.socket.close()


def _receive(connection: _Connection) -> bytes | None:
    """Return a whole answer, or None until the rest of it has come."""
    part = connection.socket.recv(RECEIVE_BYTES)
    if not part:
        raise ConnectionError("the server closed the connection without an answer")
    data = connection.received + part
    end = data.find(END_OF_HEAD)
    if end >= 0:
        head = data[:end].lower()
        length = int(head.partition(LENGTH)[2].partition(b"\r\n")[0] or 0)
        if len(data) >= end + len(END_OF_HEAD) + length:
            connection.received = b""
            return data
    connection.received = data
    return None
