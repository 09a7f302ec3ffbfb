"""How answers leave: one write per turn of the event loop, and short calls answered on arrival.

uvicorn sends the head of an answer and its body apart: two packets, for which the client wakes up
twice. Here they leave together, with all other answers that are ready on the connection. And it
gives each request a task, which takes longer than answering a short call does: where there is a
`Prompt`, a request that has arrived whole is shown to it first.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from compute_optimizer.api.messages import Response, Scope

Prompt = Callable[[Scope, bytes], Response | None]
"""Takes the ASGI scope of a request and its whole body, and returns the answer without waiting for
anything; None for a request that the application shall answer. It raises nothing."""


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
    """uvicorn's HTTP protocol over such a transport, with answers on arrival."""

    def __init__(self, *arguments: Any, prompt: Prompt | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._prompt = prompt
        self._held: RequestResponseCycle | None = None
        """A request whose head has come, and whose body may be in the same bytes."""
        self._receiving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to serve a connection."""
        gathered = GatheredWrites(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, gathered))

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; a request of which more is to come goes to the application."""
        self._receiving = self._prompt is not None
        super().data_received(data)
        self._receiving = False
        if self._held is not None:
            self._hand_on()

    def on_message_complete(self) -> None:
        """Answer the request that has arrived whole, or hand it on."""
        super().on_message_complete()
        held = self._held
        if held is None or self._prompt is None:
            return
        response = self._prompt(cast(Scope, held.scope), bytes(held.body))
        if response is None:
            self._hand_on()
        else:
            self._held = None
            self._respond(held, response)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Who does not read the answers, or wants to be asked for the body, is not answered at once.
        waits = self.flow.write_paused or cycle.waiting_for_100_continue
        if self._receiving and app is self.app and not waits:
            self._held = cycle
        else:
            super()._start_asgi_task(cycle, app)

    def _hand_on(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            super()._start_asgi_task(held, self.app)

    def _respond(self, cycle: RequestResponseCycle, response: Response) -> None:
        parts = [STATUS_LINE[response.status]]
        for name, value in response.headers:
            parts += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", response.body)
        self.transport.write(b"".join(parts))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        cycle.on_response = _nothing


def _nothing() -> None:
    """Stand for what a request that is over does not need any more, as uvicorn does."""
