"""How answers leave: one write per turn of the event loop, and short calls answered on arrival.

uvicorn sends the head of an answer and its body apart: two packets, for which the client wakes up
twice. Here they leave together, with all other answers that are ready on the connection, and behind
those of other connections: to wake up a client costs the server more than to write, and who is
awake takes several answers at once. And uvicorn gives each request a task, which takes longer than
answering a short call does: where there is a `Prompt`, a request that has arrived whole is shown to
it first, and all that it takes in one turn of the event loop are answered together.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
)

from compute_optimizer.api.lingering import Lingering
from compute_optimizer.api.messages import HeaderList, Request, Response

HEAD_SECONDS = 60.0
"""Time in which the head of a request must arrive, counted from the connection or from its first
byte: as nginx has it (client_header_timeout)."""

HEAD_BYTES = 256 * 1024
"""Of a request line and headers. uvloop reads at most 256,000 bytes at once, so that what stands
before a head in one read never makes it too long."""

HEAD_TOO_LONG = f"The head of the request is longer than {HEAD_BYTES} bytes."

REST_TOO_LONG = f"The body has more than {HEAD_BYTES} bytes between chunks or behind the last one."
"""Extensions of chunks and trailers, of which nothing here makes use: as much as of a head."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What answers short calls without the application. It waits for nothing and raises nothing."""

    take: Callable[[bytes, bytes, HeaderList, bytes, str], Request | None]
    """Takes the method, the target, the headers and the whole body of a request, and the address of
    the peer; returns the request, or None for one that the application shall answer."""
    answer_all: Callable[[Sequence[Request]], Sequence[Response]]
    """Takes requests of one turn of the event loop, and returns their answers in the same order."""


class Turn:
    """The short calls of all connections that have arrived and are not answered yet."""

    __slots__ = ("_answer_all", "_waiting")

    def __init__(self, prompt: Prompt) -> None:
        self._answer_all = prompt.answer_all
        self._waiting: list[tuple[GatheringProtocol, Request]] = []

    def add(self, protocol: "GatheringProtocol", request: Request) -> None:
        """Keep a request until this turn of the event loop is over."""
        if not self._waiting:
            protocol.loop.call_soon(self.end)
        self._waiting.append((protocol, request))

    def end(self) -> None:
        """Answer what waits; nothing where another end came first."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            answers = self._answer_all([request for _, request in waiting])
            for (protocol, _), response in zip(waiting, answers, strict=True):
                protocol.respond(response)


class GatheredWrites:
    """A transport that hands on what was written when the event loop comes round again."""

    __slots__ = ("_end", "_loop", "_parts", "_transport", "is_closing")

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        end: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._end = end
        self._parts: list[bytes] = []
        self.is_closing = transport.is_closing  # asked for every answer

    def write(self, data: bytes) -> None:
        """Keep the bytes until the end of this turn."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def write_now(self, data: bytes) -> None:
        """Send the bytes behind what is kept: the turn is over."""
        self._parts.append(data)
        self._flush()

    def close(self) -> None:
        """Send what is kept, then end the connection."""
        self._flush()
        self.is_closing = _yes
        self._end()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self.is_closing():
            self._transport.writelines(parts)


def _yes() -> bool:
    return True


class GatheringProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over such a transport, with answers on arrival.

    A request that may be answered on arrival has no scope, cycle and task: uvicorn makes them once
    it turns out that the application has to answer.
    """

    def __init__(
        self, *arguments: Any, prompt: Prompt | None, turn: Turn | None, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._prompt = prompt
        self._turn = turn
        self._waits = False
        """Whether a short call of this connection waits for the end of the turn."""
        self._keep_alive = True
        """Whether the connection stays open behind the answer to it."""
        self._body: bytes | None = None
        """What came of the body of a request that may be answered on arrival, once its head has."""
        self._source = ""
        self._too_long = ""
        """What is said where the part of a request that has begun to arrive is too long."""
        self._part_bytes = 0
        """Of the reads in which it came so far; parts of a body are none of it."""
        self._head_is_late: asyncio.TimerHandle | None = None
        """Closes the connection, where a head is waited for."""
        self._is_refused = False
        """Whether what came was no request; more of it may come."""
        self._may_stay = True
        """Whether the connection stays open behind the answer to the request that is read."""
        self._lingers = False
        """Whether all is said, and the peer has time to read it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to serve a connection."""
        self._socket = transport
        self._gathered = GatheredWrites(transport, self.loop, self._end)
        super().connection_made(cast(asyncio.Transport, self._gathered))
        self._source = self.client[0] if self.client else ""
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End with the connection."""
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; a request of which more is to come goes to the application."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._body is not None:
            self._hand_on()
        if self._too_long:
            self._part_bytes += len(data)
            self._wait_for_rest()

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        self._too_long, self._part_bytes = HEAD_TOO_LONG, 0
        self._end_turn()
        if self._prompt is None:
            super().on_message_begin()
        else:
            self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Keep a request that may be answered on arrival until the rest of it is there."""
        self._too_long, self._part_bytes = REST_TOO_LONG, 0
        self._end_wait()
        if self._prompt is None:
            self._read_head()
        elif self._is_free() and not self.parser.should_upgrade():
            self._body = b""
        else:
            self._begin()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._part_bytes = 0
        if self._body is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Answer the request that has arrived whole, or hand it on."""
        self._too_long = ""
        if self._body is None or self._prompt is None or self._turn is None:
            self._complete()
            return
        method = self.parser.get_method()
        request = self._prompt.take(method, self.url, self.headers, self._body, self._source)
        if request is None:
            self._hand_on()
            self._complete()
        else:
            self._body, self._waits = None, True
            # Asked now: the parser forgets it as soon as the request is over.
            is_newer = self.parser.get_http_version() != "1.0"
            self._keep_alive = is_newer and self.parser.should_keep_alive()
            self._turn.add(self, request)

    def shutdown(self) -> None:
        """Begin to shut down: what has arrived is answered."""
        self._end_turn()
        self._may_stay = False
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, behind the answer to what came before it."""
        self._end_turn()
        self._is_refused = True
        super().send_400_response(msg)

    def respond(self, response: Response) -> None:
        """Send the answer to the short call that waits."""
        self._waits = False
        parts = [STATUS_LINE[response.status]]
        for name, value in response.headers:
            parts += (name, b": ", value, b"\r\n")
        if not self._keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", response.body)
        self._gathered.write_now(b"".join(parts))
        if not self._keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _end(self) -> None:
        """Close the connection; who was answered while still sending may read that first."""
        if self._sends_on() and not self._lingers and not self._socket.is_closing():
            self._lingers = True
            self._end_wait()
            self.flow.resume_reading()
            self._socket.set_protocol(Lingering(self._socket, self.loop, self.connection_lost))
        else:
            self._socket.close()

    def _sends_on(self) -> bool:
        cycle = self.cycle
        is_early = cycle is not None and cycle.response_complete and cycle.more_body
        return self._is_refused or is_early

    def _wait_for_rest(self) -> None:
        """Bound what nobody counts as a body."""
        if self._part_bytes > HEAD_BYTES:
            self._end_wait()
            self.send_400_response(self._too_long)
        elif self._too_long is HEAD_TOO_LONG:
            self._wait_for_head()

    def _wait_for_head(self) -> None:
        """Bound the time before a request is known: nobody has said yet who it is."""
        if self._head_is_late is None:
            self._head_is_late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _end_wait(self) -> None:
        if self._head_is_late is not None:
            self._head_is_late.cancel()
            self._head_is_late = None

    def _end_turn(self) -> None:
        """Have the call that waits answered, so that answers leave in the order of requests."""
        if self._waits and self._turn is not None:
            self._turn.end()

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
        self._read_head()

    def _read_head(self) -> None:
        """Have a request answered; for the last time, unless the rest of it comes before that."""
        super().on_headers_complete()
        self._may_stay, self.cycle.keep_alive = self.cycle.keep_alive, False

    def _complete(self) -> None:
        """End a request that has arrived whole."""
        super().on_message_complete()
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._may_stay
