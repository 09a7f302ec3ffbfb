"""A server that stops waits for nobody who was answered while still sending."""

import asyncio
from typing import Any

from uvicorn.server import ServerState

from compute_optimizer.api.listening import uvicorn_config
from compute_optimizer.api.messages import Receive, Scope, Send

BEGUN = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def stopped_while_lingering() -> set[Any]:
    """Return the connections that are left once the peer sees that its own has ended."""
    config: Any = uvicorn_config(app)
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    server = await loop.create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),
        "127.0.0.1",
        0,
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(BEGUN)
    assert (await reader.read()).startswith(b"HTTP/1.1 413")
    (lingering,) = state.connections
    lingering.shutdown()
    while state.connections:
        await asyncio.sleep(0)
    writer.close()
    server.close()
    return state.connections


def test_a_server_that_stops_ends_them() -> None:
    # Left alone it would linger for five seconds.
    assert asyncio.run(asyncio.wait_for(stopped_while_lingering(), 3)) == set()
