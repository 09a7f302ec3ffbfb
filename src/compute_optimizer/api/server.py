"""The ASGI application: reads bodies within their limit and lets no call hold up the others.

Bare ASGI on purpose: a framework's request objects cost as much as everything done here
(docs/decisions/0004-asgi-server.md). It can be mounted in one as it is.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from compute_optimizer.api.dispatch import (
    FrontDoor,
    answer,
    answer_all,
    body_too_large,
    new_request_id,
    refuse,
)
from compute_optimizer.api.errors import REQUEST_TIMEOUT, SIGN_IN_THROTTLED, RequestRefused
from compute_optimizer.api.messages import (
    AsgiApp,
    HeaderList,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    headers_by_name,
)
from compute_optimizer.api.probes import ALIVE, ANSWERS, probe
from compute_optimizer.api.protocols import JSON, encoding_for
from compute_optimizer.api.sign_in.names import SIGN_IN_PATH
from compute_optimizer.api.sign_in_route import (
    LONGEST_BODY_BYTES,
    answer_sign_in,
    refuse_sign_in,
)
from compute_optimizer.api.transport import Prompt

INLINE = (b".GetEnrollmentStatus", b"/GetEnrollmentStatus")
"""Operations so short that handing them to a thread would cost more than running them: they read
what the state store remembers and wait for nothing. Every other one runs in a thread."""

INLINE_BODY_BYTES = 16 * 1024
"""Larger bodies take milliseconds to hash and decode, so they go to a thread whatever they ask."""

PROMPT_PATHS = frozenset((b"/", b"/service/ComputeOptimizerService/operation/GetEnrollmentStatus"))
"""Where SDKs send the inline operations to; with another path in front they take the longer way."""

THREADS = 8
"""Calls that run at once beside the inline ones. They wait for the store or hold the interpreter,
so more would not be faster; each needs a connection, of which the store opens up to 15."""

SIGN_IN_THREADS = 4
"""Sign-ins at once: they wait for STS, so they have threads of their own."""

SIGN_INS_WAITING = 16
"""Sign-ins that run or wait; more are refused, so that a slow STS makes no queue."""

BODY_SECONDS = 30.0
"""Time in which a body must arrive: 4 MiB at 1.1 Mbit/s."""


class Disconnected(Exception):
    """The peer went away before its request was complete."""


@dataclass(slots=True)
class Lane:
    """Threads for those who sign in, with a place for each that runs or waits."""

    pool: ThreadPoolExecutor
    taken: int = 0

    async def run(self, door: FrontDoor, request: Request) -> Response:
        """Return the response; without a free place it is a refusal."""
        if self.taken >= SIGN_INS_WAITING:
            refused = RequestRefused(SIGN_IN_THROTTLED)
            return refuse(JSON, refused, new_request_id(), door.clock.now())
        self.taken += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.pool, answer_sign_in, door, request)
        finally:
            self.taken -= 1


async def _probed(
    door: FrontDoor, pool: ThreadPoolExecutor, path: str, request: Request
) -> Response | None:
    """Return the answer to a probe; None for any other request."""
    if request.method != "GET" or path not in ANSWERS:
        return None
    asked = partial(probe, door.probes, path, request.source, request.headers)
    if path in ALIVE:
        return asked()
    return await asyncio.get_running_loop().run_in_executor(pool, asked)


def build_asgi(door: FrontDoor) -> AsgiApp:
    """Return the application that answers through the door."""
    pool = door.opened.enter_context(ThreadPoolExecutor(THREADS, "operation"))
    # Over a network even a short read may wait.
    short_is_quick = door.inline and door.state.is_sqlite
    lane = Lane(door.opened.enter_context(ThreadPoolExecutor(SIGN_IN_THREADS, "sign-in")))

    async def respond(path: str, request: Request) -> Response:
        probed = await _probed(door, pool, path, request)
        if probed is not None:
            return probed
        if path.endswith(SIGN_IN_PATH):
            return await lane.run(door, request)
        if short_is_quick and _is_short(request):
            return answer(door, request)
        return await asyncio.get_running_loop().run_in_executor(pool, answer, door, request)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await _read(scope, receive, door)
        except Disconnected:
            return
        except RequestRefused as error:
            response = _refused(door, scope, error)
        else:
            response = await respond(scope["path"], request)
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": response.headers,
            }
        )
        await send({"type": "http.response.body", "body": response.body})

    return _among_rooms(door, app)


def build_prompt(door: FrontDoor) -> Prompt | None:
    """Return what answers short calls as they arrive; None where even these may wait."""
    if not (door.inline and door.state.is_sqlite):
        return None

    def take(
        method: bytes, target: bytes, listed: HeaderList, body: bytes, source: str
    ) -> Request | None:
        # A target with a query or a host in front is another string.
        if method != b"POST" or target not in PROMPT_PATHS or len(body) > door.max_body_bytes:
            return None
        request = Request("POST", target, b"", headers_by_name(listed), body, source)
        return request if _is_short(request) else None

    return Prompt(take, partial(answer_all, door))


def _among_rooms(door: FrontDoor, api: AsgiApp) -> AsgiApp:
    """Return the API's application with those beside it, by the beginnings of their paths."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        room = next((room for prefix, room in door.rooms.items() if path.startswith(prefix)), api)
        await room(scope, receive, send)

    return app


def _is_sign_in(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.endswith(SIGN_IN_PATH)


def _is_short(request: Request) -> bool:
    target = request.headers.get(b"x-amz-target", request.raw_path)
    return target.endswith(INLINE) and len(request.body) <= INLINE_BODY_BYTES


async def _read(scope: Scope, receive: Receive, door: FrontDoor) -> Request:
    """Return the whole request; raise RequestRefused for a body too large or too slow."""
    headers = headers_by_name(scope["headers"])
    length = headers.get(b"content-length", b"")
    limit = LONGEST_BODY_BYTES if _is_sign_in(scope) else door.max_body_bytes
    if length.isdigit() and int(length) > limit:
        raise body_too_large(limit)
    body = await _body(receive, limit)
    if len(body) > limit:
        raise body_too_large(limit)
    return Request(
        scope["method"],
        scope["raw_path"],
        scope["query_string"],
        headers,
        body,
        _source(scope),
    )


def _source(scope: Scope) -> str:
    client = scope["client"]
    return client[0] if client else ""


async def _body(receive: Receive, limit: int) -> bytes:
    """Return the whole body, or its beginning once it is beyond the limit."""
    body, more = bytearray(), True
    try:
        # Also of the first part: a head that announces a body is no promise that any of it comes.
        async with asyncio.timeout(BODY_SECONDS):
            while more and len(body) <= limit:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                body += message.get("body", b"")
                more = message.get("more_body", False)
    except TimeoutError:
        raise RequestRefused(REQUEST_TIMEOUT) from None
    return bytes(body)


def _refused(door: FrontDoor, scope: Scope, error: RequestRefused) -> Response:
    if _is_sign_in(scope):
        response = refuse_sign_in(door, _source(scope), error)
    else:
        encoding = encoding_for(headers_by_name(scope["headers"]))
        response = refuse(encoding, error, new_request_id(), door.clock.now())
    # Nobody wants the rest of the body, however long it is and takes.
    response.headers.append((b"connection", b"close"))
    return response
