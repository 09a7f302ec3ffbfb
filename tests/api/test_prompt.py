"""Short calls are answered on arrival, all others and what is not whole by the application."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from uvicorn.server import ServerState

from compute_optimizer.api.listening import uvicorn_config
from compute_optimizer.api.messages import HeaderList, Receive, Request, Response, Scope, Send
from compute_optimizer.api.transport import Prompt

SHORT = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
LONG = SHORT.replace(b"POST /", b"POST /long")


def take(
    method: bytes, target: bytes, headers: HeaderList, body: bytes, source: str
) -> Request | None:
    if target != b"/":
        return None
    assert (method, source, headers[0]) == (b"POST", "127.0.0.1", (b"host", b"x"))
    return Request("POST", target, b"", dict(headers), body, source)


def answer_all(requests: Sequence[Request]) -> list[Response]:
    return [answer(request.body) for request in requests]


def answer(body: bytes) -> Response:
    return Response(200, [(b"content-length", b"%d" % (7 + len(body)))], b"prompt " + body)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = [(b"content-length", b"%d" % (4 + len(body)))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"app " + body})


async def talk(parts: list[bytes], answers: int) -> tuple[list[bytes], bool]:
    """Send the parts one after the other; return bodies, and whether the server then closed."""
    config: Any = uvicorn_config(app, Prompt(take, answer_all))
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    server = await loop.create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),
        "127.0.0.1",
        0,
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.05)
    bodies = []
    for _ in range(answers):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        if head.startswith(b"HTTP/1.1 100"):
            bodies.append(b"100")
            continue
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        bodies.append(await reader.readexactly(length))
    await asyncio.sleep(0.05)
    closed = reader.at_eof()
    writer.close()
    server.close()
    return bodies, closed


@pytest.mark.parametrize(
    ("parts", "bodies"),
    [
        pytest.param([SHORT], [b"prompt {}"], id="a short call"),
        pytest.param([LONG], [b"app {}"], id="another call"),
        pytest.param([SHORT[:-1], SHORT[-1:]], [b"app {}"], id="whose body comes later"),
        pytest.param([SHORT[:20], SHORT[20:]], [b"prompt {}"], id="whose head comes in two"),
        pytest.param([SHORT, SHORT], [b"prompt {}"] * 2, id="two after each other"),
        pytest.param([SHORT + SHORT], [b"prompt {}"] * 2, id="two at once"),
        pytest.param([LONG, SHORT], [b"app {}", b"prompt {}"], id="a short call after another"),
        pytest.param([b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n"], [b"app "], id="without a body"),
        pytest.param(
            [SHORT + LONG + SHORT],
            [b"prompt {}", b"app {}", b"app {}"],
            id="what waits for another is answered in order",
        ),
        pytest.param(
            [SHORT.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")],
            [b"100", b"app {}"],
            id="a client that wants to be asked for the body",
        ),
    ],
)
def test_who_answers(parts: list[bytes], bodies: list[bytes]) -> None:
    assert asyncio.run(talk(parts, len(bodies))) == (bodies, False)


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (SHORT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"prompt {}"),
        (LONG.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"app {}"),
        (SHORT.replace(b"HTTP/1.1", b"HTTP/1.0"), b"prompt {}"),
    ],
)
def test_a_client_that_wants_the_connection_closed_has_it_closed(
    request_: bytes, body: bytes
) -> None:
    assert asyncio.run(talk([request_], 1)) == ([body], True)


def test_what_is_no_http_is_refused_by_whoever_reads_it() -> None:
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"

    # uvicorn's own answer, after which it closes; nobody is asked to answer half a request.
    assert asyncio.run(talk([chunked], 1)) == ([b"Invalid HTTP request received."], True)


CHUNKED = b"POST /long HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
LONG_PART = b"a" * 257 * 1024


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"0\r\nx-long: ", id="trailer"),
        pytest.param(b"1;x=", id="extension of a chunk"),
    ],
)
def test_what_stands_beside_a_body_without_end_is_refused(begun: bytes) -> None:
    refused = b"The body has more than 262144 bytes between chunks or behind the last one."

    assert asyncio.run(talk([CHUNKED, begun + LONG_PART], 1)) == ([refused], True)


def test_a_body_in_many_chunks_may_have_more_beside_it_than_a_head() -> None:
    # 39 bytes beside each of 8,192 bytes: 312 KiB in all.
    chunks = b"1;x=%s\r\n{\r\n" % (b"a" * 31) * 8192

    assert asyncio.run(talk([CHUNKED, chunks, b"0\r\nx: y\r\n\r\n"], 1)) == (
        [b"app " + b"{" * 8193],
        False,
    )
