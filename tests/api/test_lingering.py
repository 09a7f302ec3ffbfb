"""Who is answered while still sending is answered for the last time, and holds up nobody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from uvicorn.server import ServerState

from compute_optimizer.api.lingering import LINGER_BYTES
from compute_optimizer.api.listening import uvicorn_config
from compute_optimizer.api.messages import Receive, Scope, Send
from tests.waiting import SECONDS

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


async def hasty(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without a look at the body, nor a word about the connection."""
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def served() -> AsyncIterator[tuple[ServerState, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield what the server holds, and a connection to it."""
    config: Any = uvicorn_config(hasty)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),
        "127.0.0.1",
        0,
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield state, reader, writer
    finally:
        writer.close()
        server.close()


def within(seconds: float, what: Callable[[], Awaitable[bytes]]) -> bytes:
    async def bounded() -> bytes:
        return await asyncio.wait_for(what(), seconds)

    return asyncio.run(bounded())


async def answered_early() -> bytes:
    async with served() as (_, reader, writer):
        writer.write(HEAD % 2)
        return await reader.read()


def test_an_answer_before_the_body_says_that_it_is_the_last() -> None:
    answer = within(SECONDS, answered_early)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"\r\nconnection: close\r\n" in answer


async def sent_without_end() -> bytes:
    async with served() as (_, reader, writer):
        writer.write(HEAD % 1024**4)
        answer = await reader.readuntil(b"\r\n\r\n")
        sent = 0
        try:
            while sent < 4 * LINGER_BYTES:
                writer.write(1024**2 * b" ")
                sent += 1024**2
                await writer.drain()
        except ConnectionError:
            return answer
        raise AssertionError("all of it was taken")


def test_what_comes_behind_such_an_answer_has_a_bound() -> None:
    assert within(SECONDS, sent_without_end)


async def answered_twice() -> bytes:
    async with served() as (_, reader, writer):
        writer.write(HEAD % 2 + b"{}")
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD % 2 + b"{}")
        return first + await reader.readuntil(b"\r\n\r\n")


def test_an_answer_behind_the_body_leaves_the_connection_open() -> None:
    answers = within(SECONDS, answered_twice)

    assert answers.count(b"HTTP/1.1 413") == 2
    assert b"connection: close" not in answers


async def stopped_while_lingering() -> bytes:
    async with served() as (state, reader, writer):
        writer.write(HEAD % 2)
        answer = await reader.read()
        (lingering,) = state.connections
        lingering.shutdown()
        while state.connections:
            await asyncio.sleep(0)
        return answer


def test_a_server_that_stops_ends_them() -> None:
    # Left alone it would linger for five seconds.
    assert within(3, stopped_while_lingering)
