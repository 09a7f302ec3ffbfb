"""How answers leave: one write per turn of the event loop, and short calls answered on arrival.

uvicorn sends the head of an answer and its body apart: two packets, for which the client wakes up
twice. Here they leave together, with all other answers that are ready on the connection, and behind
those of other connections: to wake up a client costs the server more than to write, and who is
awake takes several answers at once. And uvicorn gives each request a task, which takes longer than
answering a short call does: where there is a `Prompt`, a request that has arrived whole is shown to
it first.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
)

from compute_optimizer.api.messages import HeaderList, Response

Prompt = Callable[[bytes, bytes, HeaderList, bytes, str], Response | None]
"""Takes the method, the target, the headers and the whole body of a request, and the address of the
peer; returns the answer without waiting for anything, or None for a request that the application
shall answer. It raises nothing."""


class GatheredWrites:
    """A transport that hands on what was written when the event loop comes round again."""

    __slots__ = ("_loop", "_parts", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self.is_closing = transport.is_closing  # asked for every answer

    def write(self, data: bytes) -> None:
        """Keep the bytes until the end of this turn."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        """Send what is kept, then close."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self.is_closing():
            self._transport.writelines(parts)


class GatheringProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over such a transport, with answers on arrival.

    A request that may be answered on arrival has no scope, cycle and task: uvicorn makes them once
    it turns out that the application has to answer.
    """

    def __init__(self, *arguments: Any, prompt: Prompt | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._prompt = prompt
        self._body: bytes | None = None
        """What came of the body of a request that may be answered on arrival, once its head has."""
        self._source = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to serve a connection."""
        self._gathered = GatheredWrites(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, self._gathered))
        self._source = self.client[0] if self.client else ""

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; a request of which more is to come goes to the application."""
        super().data_received(data)
        if self._body is not None and not self.transport.is_closing():
            self._hand_on()

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        if self._prompt is None:
            super().on_message_begin()
        else:
            self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Keep a request that may be answered on arrival until the rest of it is there."""
        if self._prompt is None:
            super().on_headers_complete()
        elif self._is_free() and not self.parser.should_upgrade():
            self._body = b""
        else:
            self._begin()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        if self._body is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Answer the request that has arrived whole, or hand it on."""
        if self._body is None or self._prompt is None:
            super().on_message_complete()
            return
        method = self.parser.get_method()
        response = self._prompt(method, self.url, self.headers, self._body, self._source)
        if response is None:
            self._hand_on()
            super().on_message_complete()
        else:
            self._body = None
            self._respond(response)

    def _is_free(self) -> bool:
        """Return whether the next answer may be written now."""
        # Who does not read the answers, or wants to be asked for the body, is not answered at once.
        waits = self.flow.write_paused or self.expect_100_continue
        is_last = self.cycle is None or self.cycle.response_complete
        return is_last and not waits and self.limit_concurrency is None

    def _hand_on(self) -> None:
        body, self._body = self._body, None
        self._begin()
        if body:
            super().on_body(body)

    def _begin(self) -> None:
        """Begin a request whose head was read as uvicorn does, which makes its scope first."""
        read = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = read
        self.scope["headers"] = self.headers
        super().on_headers_complete()

    def _respond(self, response: Response) -> None:
        keep_alive = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        parts = [STATUS_LINE[response.status]]
        for name, value in response.headers:
            parts += (name, b": ", value, b"\r\n")
        if not keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", response.body)
        self._gathered.write(b"".join(parts))
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()
