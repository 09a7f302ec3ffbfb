"""What is read from the provider: one request, no redirects, little time, a short answer."""

from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

import msgspec

from compute_optimizer.console.openid.refusals import SILENT, SignInRefused
from compute_optimizer.sinks.deadline import ending_after

ANSWER_SECONDS = 5.0
"""From the request to the end of the answer, however slowly it drips."""

LONGEST_ANSWER_BYTES = 256 * 1024
"""Discovery documents, keys and tokens have some 1 to 20 KB."""

USER_AGENT = "open-compute-optimizer"


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer."""

    status: int
    body: bytes

    def decoded(self, record: Any) -> Any:
        """Return the body's JSON as a record; raise ValueError, which repeats none of it."""
        try:
            return msgspec.json.decode(self.body, type=record)
        except (ValueError, RecursionError):
            raise ValueError("no such record") from None


def fetch(url: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Fetched:
    """Return the answer to a GET, or with a body to a POST; refusals of HTTP are answers too.

    Raises SignInRefused where nobody answers in time, or too much.
    """
    given = {"Accept": "application/json", "User-Agent": USER_AGENT, **(headers or {})}
    request = Request(url, body, given)
    try:
        with ending_after(ANSWER_SECONDS) as deadline:
            try:
                with deadline.opener.open(request, timeout=ANSWER_SECONDS) as response:
                    return _read(response.status, response)
            except HTTPError as error:
                with error:
                    return _read(error.code, error)
    except (OSError, HTTPException, ValueError):
        # What went wrong may hold the request, which may be a secret: it is neither kept nor shown.
        raise silent(
            url, f"did not answer within {ANSWER_SECONDS:g} seconds, or not by HTTP"
        ) from None


def silent(url: str, what: str) -> SignInRefused:
    """Return the refusal that names who was asked: scheme and host, and nothing secret."""
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return SignInRefused(SILENT, f"The provider {place} {what}. Try again, or tell an operator.")


def _read(status: int, answer: Any) -> Fetched:
    body: bytes = answer.read(LONGEST_ANSWER_BYTES + 1)
    if len(body) > LONGEST_ANSWER_BYTES:
        raise ValueError("too long")
    return Fetched(status, body)
