"""A request and a response of HTTP, as every part of the front door passes them on."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI 3 application (asgi.readthedocs.io)."""

Headers = Mapping[bytes, bytes]
"""Header values by lower-case name; a repeated header is joined by commas."""

HeaderList = list[tuple[bytes, bytes]]
"""Header names and values as they stand on the wire."""


@dataclass(slots=True)
class Request:
    """A request as it came: the bytes that were signed, before any decoding."""

    method: str
    raw_path: bytes
    """Percent-encoded, as it was sent."""
    query_string: bytes
    headers: Headers
    body: bytes
    source: str
    """Address of the peer."""
    looked: bool = False
    """Whether the state was asked for changes since the request arrived (`State.remembered`)."""


@dataclass(slots=True)
class Response:
    """What goes back."""

    status: int
    headers: HeaderList
    body: bytes = field(default=b"")


def headers_by_name(listed: HeaderList) -> dict[bytes, bytes]:
    """Return header values by lower-case name; names come in lower case from the server."""
    headers = dict(listed)
    if len(headers) != len(listed):
        headers = {}
        for name, value in listed:
            headers[name] = headers[name] + b"," + value if name in headers else value
    return headers
