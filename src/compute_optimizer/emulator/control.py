"""The control endpoint: what a test in another language has of an emulator, over loopback only.

    GET /_emulator/calls?operation=GetEnrollmentStatus
    POST /_emulator/clock/advance {"days": 7}

Only an emulator has it. Peers from elsewhere meet the service, which knows no such path; pages in a
browser are refused, also those whose name somebody made lead here (DNS rebinding).
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from compute_optimizer.api.messages import AsgiApp, Receive, Scope, Send, headers_by_name
from compute_optimizer.emulator.controls import CONTROLS, Control, perform
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.errors import ComputeOptimizerError, Conflict, InvalidInput, NotFound
from compute_optimizer.model.hosts import is_loopback

PREFIX = "/_emulator/"

LARGEST_BODY_BYTES = 4 * 1024 * 1024
"""As large as a request of the service may be by default (setting max_body_bytes)."""

STATUSES = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
}
"""By what a control raises; anything else is a fault of the emulator."""

BY_PATH: Mapping[str, Mapping[str, Control]] = {
    one.path: {other.method: other for other in CONTROLS if other.path == one.path}
    for one in CONTROLS
}

Answer = tuple[HTTPStatus, Any]
"""A status, and what is told."""


class Refused(Exception):
    """A request that is no control, or may not have one."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def controlled(app: AsgiApp, running: Emulator) -> AsgiApp:
    """Return the application with a control endpoint beside it."""

    async def beside(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_control(scope):
            await app(scope, receive, send)
            return
        try:
            status, told = await _answer(scope, receive, running)
        except Refused as refused:
            status, told = refused.status, {"error": str(refused)}
        await _send(send, status, told)

    return beside


def _is_control(scope: Scope) -> bool:
    client = scope["client"]
    return bool(scope["path"].startswith(PREFIX) and client and is_loopback(client[0]))


async def _answer(scope: Scope, receive: Receive, running: Emulator) -> Answer:
    _check_no_browser(headers_by_name(scope["headers"]))
    if scope["path"] == PREFIX:
        return HTTPStatus.OK, {"controls": [_described(one) for one in CONTROLS]}
    control = _control(scope["method"], scope["path"].removeprefix(PREFIX))
    if control.method == "GET":
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    else:
        asked = _members(await _body(receive))
    act = partial(_performed, control, running, asked)
    return await asyncio.get_running_loop().run_in_executor(None, act)


def _check_no_browser(headers: Mapping[bytes, bytes]) -> None:
    if b"origin" in headers:
        raise Refused(HTTPStatus.FORBIDDEN, "pages of a browser may not control an emulator")
    host = headers.get(b"host", b"").decode("latin-1")
    if not is_loopback(_host_name(host)):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            f"the Host is {host!r}; expected a name of this machine alone, such as localhost",
        )


def _host_name(host: str) -> str:
    """Return a Host header without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _control(method: str, path: str) -> Control:
    methods = BY_PATH.get(path)
    if methods is None:
        known = ", ".join(BY_PATH)
        raise Refused(HTTPStatus.NOT_FOUND, f"there is no control {path!r}; expected {known}")
    if method not in methods:
        raise Refused(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"{path} is asked by {' or '.join(methods)}, not by {method}",
        )
    return methods[method]


async def _body(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_BODY_BYTES:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the body is larger than {LARGEST_BODY_BYTES} bytes",
            )
    return bytes(body)


def _members(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        members = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}") from None
    if not isinstance(members, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "the body is no object; expected {...}")
    return members


def _performed(control: Control, running: Emulator, asked: Mapping[str, Any]) -> Answer:
    try:
        return HTTPStatus.OK, perform(control, running, asked)
    except ComputeOptimizerError as error:
        status = STATUSES.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
        return status, {"error": str(error)}


def _described(control: Control) -> dict[str, Any]:
    return {"method": control.method, "path": PREFIX + control.path, "about": control.about}


async def _send(send: Send, status: HTTPStatus, told: Any) -> None:
    body = json.dumps(told, default=_as_json).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _as_json(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
