"""What happens to answers on their way: connections that break, and bodies that are no answer."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from compute_optimizer.api.messages import AsgiApp, Message, Receive, Scope, Send
from compute_optimizer.emulator.faults import Garbling
from compute_optimizer.emulator.injection import Lost

REQUEST_ID = b"x-amzn-requestid"

RESET = struct.pack("ii", 1, 0)
"""Value of SO_LINGER with which closing resets the connection (socket(7))."""

TURNS = 3
"""Of the event loop until what was gathered is handed to the transport and to the kernel."""

TakeLost = Callable[[str], Lost | None]
"""Returns what happens to the answer of a request, by its id."""


def losing(app: AsgiApp, take_lost: TakeLost) -> AsgiApp:
    """Return the application whose answers meet with what was arranged for them."""

    async def lossy(scope: Scope, receive: Receive, send: Send) -> None:
        started: Message = {}

        async def deliver(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = message
                return
            lost = take_lost(_request_id(started))
            await _way_of(lost)(send, receive, started, message["body"])

        await app(scope, receive, deliver)

    return lossy


Way = Callable[[Send, Receive, Message, bytes], Awaitable[None]]
"""Takes an answer, head and body, to the client, or to where it ends."""


def _way_of(lost: Lost | None) -> Way:
    if isinstance(lost, Garbling):
        return partial(_garble, lost)
    return _WAYS[lost.when if lost else None]


async def _deliver(send: Send, receive: Receive, start: Message, body: bytes) -> None:
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def _garble(
    garbling: Garbling, send: Send, receive: Receive, start: Message, body: bytes
) -> None:
    garbled = garbling.body.encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(garbled)),
    ]
    await send({**start, "status": garbling.status, "headers": headers})
    await send({"type": "http.response.body", "body": garbled})


async def _drop(send: Send, receive: Receive, start: Message, body: bytes) -> None:
    _transport(send).abort()
    await _gone(receive)


async def _break(send: Send, receive: Receive, start: Message, body: bytes) -> None:
    await _send_half(send, start, body)
    transport = _transport(send)
    await _written(transport)
    if not transport.is_closing():  # by the client, meanwhile
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.abort()
    await _gone(receive)


async def _truncate(send: Send, receive: Receive, start: Message, body: bytes) -> None:
    await _send_half(send, start, body)
    _transport(send).close()  # once what was written has left
    await _gone(receive)


async def _send_half(send: Send, start: Message, body: bytes) -> None:
    await send(start)
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


async def _written(transport: Any) -> None:
    """Wait until the kernel has what was written: it is gathered, and leaves in a later turn."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
    while transport.get_write_buffer_size():
        await asyncio.sleep(0.001)


async def _gone(receive: Receive) -> None:
    """Wait until the server knows that the connection is lost; it would complain otherwise."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(send: Send) -> Any:
    """Return the connection of an answer: uvicorn's `send` is a method of what holds it."""
    return send.__self__.transport  # type: ignore[attr-defined] # a bound method has it


def _request_id(start: Message) -> str:
    for name, value in start.get("headers", ()):
        if name == REQUEST_ID:
            return str(value, "latin-1")
    return ""


_WAYS: Mapping[str | None, Way] = {
    None: _deliver,
    "before": _drop,
    "after": _drop,
    "middle": _break,
    "short": _truncate,
}
"""By where a connection breaks."""
