"""Who is answered while still sending reads the answer, and the connection ends."""

import socket
from collections.abc import Callable

import pytest

from compute_optimizer.api import lingering
from tests.end_to_end.conftest import Served
from tests.end_to_end.raw import TARGET, exchange
from tests.waiting import SECONDS

KIB = 1024
LIMIT = 64 * KIB

HEAD = f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {TARGET}\r\n"

BEGUN = {
    "announced": f"{HEAD}Content-Length: {1024**4}\r\n\r\n".encode() + LIMIT * b" ",
    "in chunks": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
    + b"%x\r\n%b\r\n" % (LIMIT + 1, (LIMIT + 1) * b" ")
    + b"%x\r\n" % 1024**4,
    "no HTTP": b"\0 no HTTP\r\n\r\n",
}
"""Requests that are answered, of which more than a tebibyte would be to come."""


@pytest.fixture(params=BEGUN)
def begun(request: pytest.FixtureRequest) -> bytes:
    return BEGUN[request.param]


@pytest.fixture
def limited(serve: Callable[..., Served]) -> Served:
    return serve(max_body_bytes=LIMIT)


def connected(served: Served) -> socket.socket:
    return socket.create_connection(served.address, timeout=SECONDS)


def read_on(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(64 * KIB), b""))


def test_the_answer_says_that_it_is_the_last_and_the_server_closes(
    limited: Served, begun: bytes
) -> None:
    answer = exchange(limited, begun)

    assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1") == 1


def test_who_sends_all_of_it_before_reading_reads_the_answer(limited: Served, begun: bytes) -> None:
    with connected(limited) as connection:
        connection.sendall(begun)
        # More than buffers of sockets hold, so that the server must have taken it.
        connection.sendall((lingering.LINGER_BYTES - KIB * KIB) * b" ")

        assert read_on(connection).startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))


def test_who_never_ends_is_cut_off(limited: Served, begun: bytes) -> None:
    with connected(limited) as connection, pytest.raises(ConnectionError):
        connection.sendall(begun)
        while True:
            connection.sendall(64 * KIB * b" ")


def test_who_neither_sends_nor_goes_is_cut_off(
    limited: Served, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 0.05)
    with connected(limited) as connection:
        connection.sendall(begun)
        assert read_on(connection)

        with pytest.raises(ConnectionError):
            while True:
                connection.sendall(b" ")


def test_what_follows_an_answer_is_no_other_request(limited: Served, begun: bytes) -> None:
    answer = exchange(limited, begun + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_within_the_limit_leaves_the_connection_open(limited: Served) -> None:
    asked = f"{HEAD}Content-Length: 2\r\n\r\n{{}}".encode()
    last = asked.replace(b"\r\nHost", b"\r\nConnection: close\r\nHost")

    assert exchange(limited, asked + last).count(b"HTTP/1.1 403") == 2
