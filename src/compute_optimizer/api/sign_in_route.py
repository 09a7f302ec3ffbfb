"""The route POST /sign-in: answers whoever wants to sign in, and writes the audit line."""

import logging
from traceback import format_tb

from compute_optimizer.api import audit
from compute_optimizer.api.audit import SUCCESS
from compute_optimizer.api.dispatch import (
    FrontDoor,
    new_request_id,
    refuse,
    response_headers,
)
from compute_optimizer.api.errors import (
    MALFORMED_HTTP_REQUEST,
    SHUTTING_DOWN,
    SIGN_IN_OFF,
    SIGN_IN_THROTTLED,
    RequestRefused,
    answerable,
)
from compute_optimizer.api.messages import Request, Response
from compute_optimizer.api.protocols import JSON
from compute_optimizer.api.sign_in.exchange import Attempt, SignIn, check_rate, sign_in

log = logging.getLogger(__name__)

LONGEST_BODY_BYTES = 16 * 1024
"""A presigned request has 500 bytes, and its session token some 1,000 to 4,000 more."""

OPERATION = "SignIn"
"""As the audit log names it."""

UNRECORDED = frozenset({SIGN_IN_THROTTLED.code, SIGN_IN_OFF.code})
"""Refusals without an audit line: they are not limited, so anybody could fill the disk."""

NOT_STORED = (b"cache-control", b"no-store")
"""Keeps credentials out of caches between client and server (RFC 9111, 5.2.2.5)."""


def answer_sign_in(door: FrontDoor, request: Request) -> Response:
    """Return the response to somebody who signs in; it raises nothing."""
    attempt = Attempt(request.body, request.source, door.clock.now())
    request_id = new_request_id()
    try:
        body = _perform(door, request, attempt)
    except Exception as error:
        return _refused(door, request_id, attempt, error)
    _record(door, request_id, attempt, SUCCESS)
    headers = [*response_headers(JSON, len(body), request_id, attempt.now), NOT_STORED]
    return Response(200, headers, body)


def refuse_sign_in(door: FrontDoor, source: str, error: RequestRefused) -> Response:
    """Return the response to a request whose body was not read, for the given reason."""
    attempt = Attempt(b"", source, door.clock.now())
    try:
        _check_rate(door, attempt)
    except RequestRefused as sooner:
        error = sooner
    return _refused(door, new_request_id(), attempt, error)


def _perform(door: FrontDoor, request: Request, attempt: Attempt) -> bytes:
    desk = _check_rate(door, attempt)
    if request.method != "POST":
        raise RequestRefused(MALFORMED_HTTP_REQUEST, f"Sign in with POST, not {request.method}.")
    if door.closing.is_set():
        raise RequestRefused(SHUTTING_DOWN)
    return sign_in(desk, attempt)


def _check_rate(door: FrontDoor, attempt: Attempt) -> SignIn:
    if door.sign_in is None:
        raise RequestRefused(SIGN_IN_OFF)
    check_rate(door.sign_in, attempt.source, attempt.now)
    return door.sign_in


def _refused(door: FrontDoor, request_id: str, attempt: Attempt, error: Exception) -> Response:
    shown = answerable(error, OPERATION)
    if shown is not error:
        # Where it happened, but not its text: that may repeat what was sent.
        frames = "".join(format_tb(error.__traceback__))
        log.error("request %s failed: %s\n%s", request_id, type(error).__name__, frames)
    if shown.code not in UNRECORDED:
        _record(door, request_id, attempt, shown.code, reason=shown.message)
    return refuse(JSON, shown, request_id, attempt.now)


def _record(door: FrontDoor, request_id: str, attempt: Attempt, outcome: str, **more: str) -> None:
    identity, rule = attempt.identity, attempt.rule
    found = {"endpoint": attempt.endpoint, "rule": rule.principal if rule else ""} | more
    door.audit_log.write(
        audit.Entry(
            attempt.now,
            request_id,
            OPERATION,
            attempt.source,
            outcome,
            account=rule.account_id if rule else "",
            principal=identity.arn if identity else "",
            access_key_id=attempt.access_key_id,
            parameters={name: value for name, value in found.items() if value} or None,
        )
    )
