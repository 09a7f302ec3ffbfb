"""A request and a response of the console, and what they are read from and written to."""

import gzip
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI 3 application (asgi.readthedocs.io)."""

Values = Mapping[str, list[str]]
"""Of a query or a form: every value of each name."""

MOST_FIELDS = 500
"""Names and values in a query or a form; a page has a tenth of them."""

SMALLEST_PACKED = 1_024
"""Bytes from which on an answer is compressed: below it fits into a packet anyway."""

PACKING_LEVEL = 5
"""Of gzip, 1 to 9: beyond it pages shrink by less than 2 %."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a browser."""

    method: str
    path: str
    query: Values
    form: Values
    headers: Mapping[str, str]
    """By their names in lower case."""
    source: str
    """Address of the peer."""
    raw_query: str = ""

    def one(self, name: str, default: str = "") -> str:
        """Return the first value of a name in the query."""
        return self.query.get(name, [default])[0]

    def field(self, name: str) -> str:
        """Return the first value of a field of the form."""
        return self.form.get(name, [""])[0]

    @property
    def address(self) -> str:
        """Return path and query, as links have them."""
        return f"{self.path}?{self.raw_query}" if self.raw_query else self.path

    def cookie(self, name: str) -> str:
        """Return the value of a cookie, the first of its name; empty where there is none."""
        # By hand: others on this host may set any, and the standard library reads none of them
        # where it does not like one.
        for pair in self.headers.get("cookie", "").split(";"):
            found, _, value = pair.strip().partition("=")
            if found == name:
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back."""

    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    """Values of Set-Cookie."""
    to: str = ""
    """Where the browser goes next: at once with a status of 303, else of its own accord."""
    file: Path | None = None
    """Sent piece by piece in place of the body."""
    pieces: Iterator[bytes] | None = None
    """The same, made while they are sent; it is closed in the end, whether or not all were."""


def read_values(text: str) -> Values:
    """Return the values of a query or a form; ValueError for too many, and for NUL."""
    if "\0" in text or "%00" in text:
        raise ValueError("NUL, which no text has and PostgreSQL does not take")
    return parse_qs(text, keep_blank_values=False, max_num_fields=MOST_FIELDS)


def redirect(to: str, cookies: tuple[str, ...] = ()) -> Response:
    """Return the answer that leads a browser to another page, by GET."""
    return Response(303, to=to, cookies=cookies)


def packed(response: Response, accepts: str) -> tuple[bytes, bool]:
    """Return the body as it is sent, and whether it is compressed."""
    if "gzip" not in accepts or len(response.body) < SMALLEST_PACKED:
        return response.body, False
    return gzip.compress(response.body, PACKING_LEVEL, mtime=0), True
