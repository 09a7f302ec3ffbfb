"""The ASGI application of the console: from a browser's request to a page."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from compute_optimizer.console.addresses import inner, outer
from compute_optimizer.console.forms import STATUSES
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import (
    MOST_FIELDS,
    AsgiApp,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    packed,
    read_values,
    redirect,
)
from compute_optimizer.console.pages.failures import FAILURE, refusal_page
from compute_optimizer.console.pages.openid import check_again
from compute_optimizer.console.routes import Route, find_route
from compute_optimizer.console.sessions import COOKIE, Session, find_session
from compute_optimizer.errors import ComputeOptimizerError
from compute_optimizer.shapes import ServiceException

log = logging.getLogger(__name__)

LONGEST_BODY_BYTES = 64 * 1024
"""Of a form; credentials with a session token have 3 KB."""

BODY_SECONDS = 30.0
"""Time in which a form must arrive."""

LATE = Response(
    408,
    b"The form did not arrive in time. Send it again.",
    "text/plain; charset=utf-8",
    # The rest of it would be taken for the next request.
    headers={"connection": "close"},
)

TOO_LARGE = Response(
    413,
    b"The form is larger than %d bytes. Choose or enter less, and send it again."
    % LONGEST_BODY_BYTES,
    "text/plain; charset=utf-8",
    headers={"connection": "close"},
)

UNREADABLE = Response(
    400,
    b"The address or the form has more than %d values, or a NUL, which no text has." % MOST_FIELDS,
    "text/plain; charset=utf-8",
)

CHUNK_BYTES = 256 * 1024
"""Of a file that is read and sent at once."""

THREADS = 4
"""Pages made at once; they hold the interpreter, so more would not be quicker."""

WAITING_THREADS = 4
"""Pages at once that ask somebody outside: they have threads of their own, for others to go on."""

MOST_WAITING = 16
"""Of those, running or in line; more are refused, so that a slow provider makes no queue."""

BUSY = Response(
    503,
    b"Too many people are signing in at this moment. Try again.",
    "text/plain; charset=utf-8",
    headers={"retry-after": "5"},
)

SIGN_IN = "/console/sign-in"

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Of every answer: nothing from elsewhere, nothing inline, in nobody's frame."""

UNSTORED = {"cache-control": "no-store"}
"""Of every answer that says nothing else: pages hold figures of accounts."""


def console_app(room: Room, opened: ExitStack) -> AsgiApp:
    """Return the application; its threads end with what is `opened`."""
    pool = opened.enter_context(ThreadPoolExecutor(THREADS, "console"))
    outside = opened.enter_context(ThreadPoolExecutor(WAITING_THREADS, "console-outside"))
    line = asyncio.Semaphore(MOST_WAITING)

    async def made(request: Request) -> Response:
        loop = asyncio.get_running_loop()
        route, _ = find_route(request.method, inner(room.prefix, request.path))
        if route is None or not route.waits:
            return await loop.run_in_executor(pool, answer, room, request)
        if line.locked():
            return BUSY
        async with line:
            return await loop.run_in_executor(outside, answer, room, request)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = await _received(scope, receive)
        if request is None:
            return
        if isinstance(request, Response):
            await _send(request, "", send)
            return
        response = await made(request)
        if response.pieces is not None:
            await _send_pieces(response, response.pieces, send, pool)
        elif response.file is not None:
            await _send_file(response, response.file, send, pool)
        else:
            await _send(response, request.headers.get("accept-encoding", ""), send)

    return app


def answer(room: Room, request: Request) -> Response:
    """Return the response to a request; it raises nothing."""
    return _leading(room, _told(room, replace(request, path=inner(room.prefix, request.path))))


def _leading(room: Room, response: Response) -> Response:
    """Return a response with the header that leads on, where it does."""
    if not response.to:
        return response
    there = outer(room.prefix, response.to)
    way = {"location": there} if response.status == 303 else {"refresh": f"0;url={there}"}
    return replace(response, headers={**response.headers, **way})


def _told(room: Room, request: Request) -> Response:
    try:
        return _answer(room, request)
    except ServiceException as error:
        return refusal_page(room, request, error.status, error.code, str(error))
    except ComputeOptimizerError as error:
        status = STATUSES.get(type(error), 500)
        return refusal_page(room, request, status, type(error).__name__, str(error))
    except Exception:
        log.exception("the page %s failed", request.path)
        return FAILURE


def _answer(room: Room, request: Request) -> Response:
    route, names = find_route(request.method, request.path)
    if route is None:
        return refusal_page(
            room, request, 404, "Not found", "There is no such page. The menu leads to all of them."
        )
    if request.method == "POST" and not route.from_programs and not _same_origin(request):
        return refusal_page(
            room,
            request,
            403,
            "Refused",
            "The form came from another site. If a proxy is in front of this program, it must "
            "pass the header Host on as the browser sent it.",
        )
    session = find_session(room, request.cookie(COOKIE))
    if session is None and not route.public:
        return _to_sign_in(request)
    if session is not None and not route.public and not _is_ours(request, session):
        return refusal_page(
            room, request, 403, "Refused", "The form is out of date. Open the page again."
        )
    return _unchecked(room, request, session, route) or route.page(room, request, session, **names)


def _unchecked(
    room: Room, request: Request, session: Session | None, route: Route
) -> Response | None:
    """Return what stands before a page of which the provider should be asked first."""
    if session is None or route.public or route.at_any_time:
        return None
    return check_again(room, request, session)


def _is_ours(request: Request, session: Session) -> bool:
    """Return whether a form carries the token of the session; links need none."""
    sent = request.field("form_token").encode()
    return request.method != "POST" or compare_digest(sent, session.form_token.encode())


def _to_sign_in(request: Request) -> Response:
    """Return the way to the form, or to the page once more.

    Browsers leave the cookie away where a link on another site was followed (SameSite=Strict). The
    page that then asks for itself is of this site, so that the second time the cookie comes.
    """
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        return Response(200, body=b"<!doctype html>", to=request.address)
    if request.headers.get("sec-fetch-dest", "document") != "document":
        return Response(401, b"Sign in again.", "text/plain; charset=utf-8")
    back = f"?next={quote(request.address)}" if request.method == "GET" else ""
    return redirect(f"{SIGN_IN}{back}")


def _same_origin(request: Request) -> bool:
    """Return whether a form was sent by a page of this site, as the browser says."""
    host = request.headers.get("origin", "").partition("://")[2]
    return bool(host) and host == request.headers.get("host")


async def _received(scope: Scope, receive: Receive) -> Request | Response | None:
    """Return the whole request, or why it is not taken; None where the browser went away."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _body(receive)
    except TimeoutError:
        return LATE
    if body is None:
        return None
    if len(body) > LONGEST_BODY_BYTES:
        # Half of a form would decide on half of what was chosen.
        return TOO_LARGE
    try:
        return _request(scope, body)
    except ValueError:
        return UNREADABLE


def _request(scope: Scope, body: bytes) -> Request:
    """Return a request; ValueError for values that are not taken."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    raw_query = scope["query_string"].decode("latin-1")
    client = scope["client"]
    return Request(
        method="GET" if scope["method"] == "HEAD" else scope["method"],
        path=scope["path"],
        query=read_values(raw_query),
        form=read_values(body.decode("utf-8", "replace")),
        headers=headers,
        source=client[0] if client else "",
        raw_query=raw_query,
    )


async def _body(receive: Receive) -> bytes | None:
    """Return the body, or its beginning where it is too long for a form; None where the browser
    went away."""
    body, more = bytearray(), True
    while more and len(body) <= LONGEST_BODY_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


async def _send(response: Response, accepts: str, send: Send) -> None:
    body, is_packed = packed(response, accepts)
    packing = {"content-encoding": "gzip"} if is_packed else {}
    await _begin(response, len(body), packing, send)
    await send({"type": "http.response.body", "body": body})


async def _send_file(response: Response, path: Path, send: Send, pool: ThreadPoolExecutor) -> None:
    """Send a file that no longer changes; a slow reader holds no thread."""
    loop = asyncio.get_running_loop()
    size = (await loop.run_in_executor(pool, path.stat)).st_size
    await _begin(response, size, {}, send)
    pieces = _pieces(path)
    while piece := await loop.run_in_executor(pool, next, pieces, b""):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_pieces(
    response: Response, pieces: Iterator[bytes], send: Send, pool: ThreadPoolExecutor
) -> None:
    """Send what is made on the way, at the pace of the reader; no length is known before.

    What the pieces raise is raised after they were sent, so that the server breaks the connection
    off and the browser knows that the file is not whole. They are closed where the reader goes.
    """
    loop = asyncio.get_running_loop()
    await _begin(response, None, {}, send)
    try:
        while piece := await loop.run_in_executor(pool, next, pieces, b""):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            await loop.run_in_executor(pool, close)
    await send({"type": "http.response.body", "body": b""})


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


async def _begin(response: Response, size: int | None, more: dict[str, str], send: Send) -> None:
    headers = {
        "content-type": response.content_type,
        **({} if size is None else {"content-length": str(size)}),
        "vary": "accept-encoding, cookie",
        **SECURITY_HEADERS,
        **UNSTORED,
        **response.headers,
        **more,
    }
    listed = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    listed += [(b"set-cookie", cookie.encode("latin-1")) for cookie in response.cookies]
    status = HTTPStatus(response.status)
    await send({"type": "http.response.start", "status": status, "headers": listed})
