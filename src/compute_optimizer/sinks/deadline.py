"""HTTP that ends in time: a timeout of the socket alone counts anew with every byte."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from functools import partial
from http.client import HTTPConnection, HTTPSConnection
from threading import Timer
from typing import IO, Any
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
)


@contextmanager
def ending_after(seconds: float) -> Iterator["Deadline"]:
    """Give an opener whose connections are ended after so many seconds of the block."""
    deadline = Deadline()
    timer = Timer(seconds, deadline.end)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()


class Deadline:
    """Ends connections at a moment; its opener follows no redirects."""

    def __init__(self) -> None:
        self.passed = False
        self._sockets: list[socket.socket] = []
        self.opener = build_opener(
            _NoRedirects(),
            _Http(partial(_connection, HTTPConnection, self)),
            _Https(partial(_connection, HTTPSConnection, self)),
        )

    def watch(self, one: socket.socket) -> None:
        """Take a socket that is to be ended: at once, where connecting took all the time."""
        self._sockets.append(one)
        if self.passed:
            self.end()

    def end(self) -> None:
        """End every connection."""
        self.passed = True
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _NoRedirects(HTTPRedirectHandler):
    """Follow nobody elsewhere: whom to ask was chosen by whoever wrote the settings."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Return nothing, so that the answer counts as a refusal."""


class _Http(HTTPHandler):
    """Opens connections that the deadline knows."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection

    def http_open(self, req: Request) -> Any:
        """Open a connection."""
        return self.do_open(self._connection, req)


class _Https(HTTPSHandler):
    """The same over TLS, with the certificates that the machine trusts."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection

    def https_open(self, req: Request) -> Any:
        """Open a connection."""
        context = ssl.create_default_context()
        return self.do_open(partial(self._connection, context=context), req)


def _connection(kind: type[HTTPConnection], deadline: Deadline, host: str, **given: Any) -> Any:
    """Return a connection of which the deadline gets to know the socket."""

    class Watched(kind):  # type: ignore[valid-type, misc] # plain or over TLS
        """Tells its socket."""

        def connect(self) -> None:
            """Connect."""
            super().connect()
            deadline.watch(self.sock)

    return Watched(host, **given)
