"""From a request to its response: recognise the caller, decide, decode, run, encode.

    claim -> authenticate -> limits -> authorize -> decode -> operation -> encode

Whatever goes wrong on the way becomes the one error shape that every client reads.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from functools import lru_cache
from itertools import count
from random import getrandbits
from threading import Event
from time import perf_counter
from typing import Any
from uuid import uuid4

import msgspec

from compute_optimizer.api import audit
from compute_optimizer.api.audit import SUCCESS
from compute_optimizer.api.authentication import Authenticate, Caller
from compute_optimizer.api.authorization import Decision, decide, explain_denial
from compute_optimizer.api.errors import (
    MALFORMED_HTTP_REQUEST,
    REQUEST_TOO_LARGE,
    RequestRefused,
    answerable,
    log_hidden,
)
from compute_optimizer.api.limits import TokenBuckets, source_of
from compute_optimizer.api.messages import AsgiApp, HeaderList, Request, Response
from compute_optimizer.api.probes import Probes
from compute_optimizer.api.protocols import (
    ENCODINGS,
    Claim,
    Encoding,
    answer_writer,
    claim,
    encoding_for,
    entry_writer,
)
from compute_optimizer.api.sign_in.exchange import SignIn
from compute_optimizer.api.telemetry import OTHER
from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.interfaces import Clock, Sink
from compute_optimizer.operations import OPERATIONS, Operation
from compute_optimizer.operations.context import Context
from compute_optimizer.shapes import (
    AccessDeniedException,
    ServiceException,
    ServiceUnavailableException,
    ThrottlingException,
)
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS
"""Tells zlib to expect a gzip header."""

FIXED_HEADERS: dict[str, HeaderList] = {
    encoding.name: [
        (name.lower().encode(), value.encode()) for name, value in encoding.headers.items()
    ]
    for encoding in ENCODINGS
}
"""Headers of every response, by encoding."""

_ID_BEGINS = str(uuid4())[:24]
_COUNTER = count(getrandbits(40))
"""Twelve digits of 48 bits: from wherever it begins there is room for 280 million million."""


@dataclass(slots=True)
class Call:
    """One request on its way through the door."""

    request: Request
    request_id: str
    now: datetime
    claimed: Claim
    caller: Caller | None = None
    parameters: dict[str, Any] | None = None
    """The decoded request."""
    answer: dict[str, Any] | None = None
    """What the operation returned, if it was run and returned."""
    body: bytes = b""
    """The same as it is sent."""
    failure: Exception | None = None
    """What kept it from being answered as it asks."""


Watch = Callable[[Call, ServiceException | None], None]
"""Takes a call and the error that it was answered with, if any."""


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """What answering requests needs."""

    state: State
    clock: Clock
    tiles: TileStore
    authenticate: Authenticate
    audit_log: audit.AuditLog
    account_limits: TokenBuckets
    """Per account and Region."""
    failure_limits: TokenBuckets
    """Failed signatures per source address."""
    arrival_limits: TokenBuckets
    """Those who come back from a provider of OpenID Connect, per source address."""
    max_body_bytes: int
    enum_style: str
    page_size: int
    probes: Probes
    newer_idle_types: bool = True
    sink: Sink | None = None
    """Where exports are written to."""
    sign_in: SignIn | None = None
    """Lets people in by their AWS identity; None where that is not set up."""
    operations: Mapping[str, Operation] = field(default_factory=lambda: OPERATIONS)
    """What answers, by operation: every one of the service model."""
    inline: bool = True
    """Whether short operations may be run on the event loop: not where one may wait."""
    watch: Watch | None = None
    """Is shown every call that came as far as naming an operation, once it is answered."""
    closing: Event = field(default_factory=Event)
    """Set once the server is shutting down."""
    opened: ExitStack = field(default_factory=ExitStack)
    """What ends with the door, before the state does: threads that answer."""
    rooms: Mapping[str, AsgiApp] = field(default_factory=dict)
    """Other applications on the same port, by the beginning of their paths."""


def answer(door: FrontDoor, request: Request) -> Response:
    """Return the response to a request; it raises nothing."""
    (response,) = _answers(door, [request])
    return response


def answer_all(door: FrontDoor, requests: Sequence[Request]) -> list[Response]:
    """Return the responses to short requests that have all arrived; it raises nothing.

    For all of them the state is asked for changes once, and the audit log is written once.
    """
    looked = _looked(door.state)
    for request in requests:
        request.looked = looked
    return _answers(door, requests)


def _looked(state: State) -> bool:
    """Ask the state for changes; return False where that fails, as each request will notice."""
    try:
        state.look()
    except StoreUnavailable:
        return False
    return True


def _answers(door: FrontDoor, requests: Sequence[Request]) -> list[Response]:
    began = perf_counter()
    taken = [_taken(door, request) for request in requests]
    _perform_all(door, [one for one in taken if isinstance(one, Call)])
    responses: list[Response] = []
    entries: list[audit.Entry] = []
    for one in taken:
        if isinstance(one, Call):
            name, response = one.claimed.operation_name, _response(door, one, entries)
        else:
            name, response = OTHER, one
        responses.append(_observed(door, name, response, began))
    if entries:
        door.audit_log.write(*entries)
    return responses


def _taken(door: FrontDoor, request: Request) -> Call | Response:
    """Return the call that a request is, or the refusal of one that names none."""
    request_id, now = new_request_id(), door.clock.now()
    try:
        claimed = claim(request.method, request.raw_path.decode("latin-1"), request.headers)
    except RequestRefused as error:
        return refuse(encoding_for(request.headers), error, request_id, now)
    return Call(request, request_id, now, claimed)


def _perform_all(door: FrontDoor, calls: Sequence[Call]) -> None:
    """Take all calls as far as each yields before any goes on: what a step needs stays in the
    caches of the processor (figures: docs/decisions/0058)."""
    under_way = [(call, _perform(door, call)) for call in calls]
    while under_way:
        under_way = [one for one in under_way if _goes_on(*one)]


def _goes_on(call: Call, performing: Iterator[None]) -> bool:
    try:
        next(performing)
    except StopIteration:
        return False
    except Exception as error:
        call.failure = error
        return False
    return True


def _response(door: FrontDoor, call: Call, entries: list[audit.Entry]) -> Response:
    """Return the response to a call that was performed, and add its line of the audit log."""
    if call.failure is not None:
        return _fail(door, call, call.failure, entries)
    entries.append(_entry_of(call, SUCCESS))
    if door.watch is not None:
        door.watch(call, None)
    headers = response_headers(call.claimed.encoding, len(call.body), call.request_id, call.now)
    return Response(200, headers, call.body)


def _observed(door: FrontDoor, operation: str, response: Response, began: float) -> Response:
    door.probes.telemetry.observe(operation, response.status, perf_counter() - began)
    return response


def refuse(encoding: Encoding, error: ServiceException, request_id: str, now: datetime) -> Response:
    """Return the response that every client turns into its exception."""
    body = encoding.encode_error(error)
    headers = response_headers(encoding, len(body), request_id, now)
    present = {name for name, _ in headers}
    for name, value in encoding.error_headers(error).items():
        if name.encode() not in present:
            headers.append((name.lower().encode(), value.encode()))
    return Response(error.status, headers, body)


def new_request_id() -> str:
    """Return an id in the form of a UUID of version 4; it is no secret.

    Its first half is random and this process's, the rest counts: a tenth of what uuid.uuid4 takes.
    """
    return f"{_ID_BEGINS}{next(_COUNTER):012x}"


def _perform(door: FrontDoor, call: Call) -> Iterator[None]:
    """Do what a call asks; where it yields, others may come as far."""
    name = call.claimed.operation_name
    operation = door.operations[name]
    if door.closing.is_set():
        raise ServiceUnavailableException("The server is shutting down. Try again.")
    caller = call.caller = _authenticated(door, call)
    yield
    check_rate(door, caller, call.now)
    check_allowed(caller, f"{call.claimed.service}:{name}")
    encoding = call.claimed.encoding
    call.parameters = encoding.decode(_plain_body(door, call.request), name)
    yield
    looked = call.request.looked and door.inline
    context = context_of(door, caller, call.request_id, looked=looked)
    if door.watch is None:  # Who watches is shown the answer as it was before it was written.
        context.write_entry = entry_writer(encoding, name)
        context.write_answer = answer_writer(encoding, name)
    call.answer = operation(context, call.parameters)
    call.body = encoding.encode(call.answer, name)


def context_of(
    door: FrontDoor, caller: Caller, request_id: str, *, looked: bool = False
) -> Context:
    """Return what an operation is given beside its request.

    `looked` says that the state was asked for changes after the request had arrived.
    """
    return Context(
        account_id=caller.account_id,
        region=caller.region,
        request_id=request_id,
        principal_arn=caller.principal_arn,
        state=door.state,
        clock=door.clock,
        tiles=door.tiles,
        enum_style=door.enum_style,
        page_size=door.page_size,
        newer_idle_types=door.newer_idle_types,
        sink=door.sink,
        looked=looked,
    )


def _authenticated(door: FrontDoor, call: Call) -> Caller:
    """Return the caller; failed signatures of one source are throttled, good ones never are."""
    try:
        return door.authenticate(call.request, call.claimed.service, call.now)
    except RequestRefused:
        source = source_of(call.request.source)
        wait = door.failure_limits.take(source, call.now.timestamp())
        if wait:
            raise _throttled("Too many failed signatures from your address.", wait) from None
        raise


def check_rate(door: FrontDoor, caller: Caller, now: datetime) -> None:
    """Raise ThrottlingException for a caller whose account comes too often."""
    limits = door.account_limits
    if limits.rate:
        wait = limits.take(f"{caller.account_id}/{caller.region}", now.timestamp())
        if wait:
            raise _throttled("Rate exceeded", wait)


def _throttled(message: str, wait_seconds: float) -> ThrottlingException:
    return ThrottlingException(message, retry_after_ms=int(wait_seconds * 1000) + 1)


def check_allowed(caller: Caller, action: str) -> None:
    """Raise AccessDeniedException where the caller's policy does not allow the action."""
    if caller.policy is None:
        return
    decision = decide(caller.policy, action)
    if decision is not Decision.ALLOWED:
        raise AccessDeniedException(explain_denial(decision, caller.principal_arn, action))


def _plain_body(door: FrontDoor, request: Request) -> bytes:
    """Return the body without its compression; what was signed are the compressed bytes."""
    coding = request.headers.get(b"content-encoding", b"identity").strip().lower()
    if coding == b"identity":
        return request.body
    if coding != b"gzip":
        raise RequestRefused(
            MALFORMED_HTTP_REQUEST,
            f"Content-Encoding {coding.decode('latin-1')!r} is not supported; send gzip or none.",
        )
    inflater = zlib.decompressobj(wbits=GZIP_WINDOW_BITS)
    try:
        body = inflater.decompress(request.body, door.max_body_bytes + 1)
    except zlib.error:
        raise RequestRefused(MALFORMED_HTTP_REQUEST, "The body is not valid gzip.") from None
    if len(body) > door.max_body_bytes:
        raise body_too_large(door.max_body_bytes)
    if not inflater.eof or inflater.unused_data:
        raise RequestRefused(MALFORMED_HTTP_REQUEST, "The body is not one complete gzip stream.")
    return body


def body_too_large(limit: int) -> RequestRefused:
    """Return the error of a body, as sent or unpacked, beyond the limit in bytes."""
    return RequestRefused(
        REQUEST_TOO_LARGE, f"The body of the request is larger than {limit} bytes."
    )


def _fail(door: FrontDoor, call: Call, error: Exception, entries: list[audit.Entry]) -> Response:
    shown = answerable(error, call.claimed.operation_name)
    if shown is not error:
        # What a client is not shown stands in the log, found by the request id.
        log_hidden(error, call.request_id)
    if not isinstance(error, ThrottlingException):
        # Throttled calls would let anybody fill the disk.
        entries.append(_entry_of(call, shown.code))
    if door.watch is not None:
        door.watch(call, shown)
    return refuse(call.claimed.encoding, shown, call.request_id, call.now)


def _entry_of(call: Call, outcome: str) -> audit.Entry:
    name, source = call.claimed.operation_name, call.request.source
    return _entry(call.now, call.request_id, name, source, outcome, call.caller, call.parameters)


def _entry(
    now: datetime,
    request_id: str,
    name: str,
    source: str,
    outcome: str,
    caller: Caller | None,
    parameters: dict[str, Any] | None,
) -> audit.Entry:
    if caller is None:
        return audit.Entry(now, request_id, name, source, outcome)
    return audit.Entry(
        now,
        request_id,
        name,
        source,
        outcome,
        caller.account_id,
        caller.region,
        caller.principal_arn,
        caller.access_key_id,
        audit.target_accounts(parameters or {}, caller.account_id),
        parameters if audit.changes_something(name) else None,
    )


def record_known(
    door: FrontDoor,
    caller: Caller | None,
    source: str,
    request_id: str,
    name: str,
    outcome: str,
    parameters: dict[str, Any] | None = None,
) -> None:
    """Write the audit line of a call that came without a signed request; `parameters` are also
    what is known of somebody whom nobody let in."""
    entry = _entry(door.clock.now(), request_id, name, source, outcome, caller, parameters)
    known = entry if caller else msgspec.structs.replace(entry, parameters=parameters)
    door.audit_log.write(known)


def response_headers(encoding: Encoding, length: int, request_id: str, now: datetime) -> HeaderList:
    """Return the headers of a response whose body has that many bytes."""
    return [
        *FIXED_HEADERS[encoding.name],
        (b"content-length", b"%d" % length),
        (b"x-amzn-requestid", request_id.encode()),
        (b"date", _http_date(int(now.timestamp()))),
    ]


@lru_cache(maxsize=2)
def _http_date(seconds: int) -> bytes:
    """Return a Date header; some SDKs set their clock by it, so it is the injected clock's."""
    return formatdate(seconds, usegmt=True).encode()
