"""Post signed messages to receivers over HTTP: one attempt each, within a time.

Signatures follow Standard Webhooks 1.0.0 (standardwebhooks.com), so that its libraries verify them:
HMAC-SHA256 over id, timestamp and body, with dots between, in base64.
"""

import hmac
import ssl
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import Message
from hashlib import sha256
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.event import Attempt
from compute_optimizer.model.hosts import is_loopback
from compute_optimizer.sinks.deadline import ending_after

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
"""Names that Standard Webhooks gives them."""

SECRET_PREFIX = "whsec_"
"""Before a secret in base64, as Standard Webhooks spells it; any other text is taken as it is."""

LEAST_SECRET_BYTES = 24
"""The least that Standard Webhooks allows."""

USER_AGENT = "open-compute-optimizer"

SAID_CHARACTERS = 200
"""Of a refusal, shown to whoever looks for its reason."""

GONE = 410
"""The receiver wants nothing any more (Standard Webhooks; RFC 9110, 15.5.11)."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where messages go. It holds secrets, so it is never shown: see `place`."""

    url: str = field(repr=False)
    """Its path may be a secret, as those of Slack are."""
    key: bytes = field(repr=False)
    """What messages are signed with; empty where the receiver verifies nothing."""
    timeout: timedelta

    @property
    def place(self) -> str:
        """Return scheme and host, which may be shown."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def check_url(url: str, *, allow_http: bool) -> str:
    """Return the URL of a receiver; raise InvalidInput, which does not show it, for a wrong one.

    Plain HTTP shows account ids, ARNs and prices to whoever is on the way, and a signature does not
    hide them: so only to this machine, unless somebody says that the way is private.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https") or not url.isascii():
        raise InvalidInput("the url is none; expected https://HOST/PATH, in ASCII")
    if any(not one.isprintable() or one == " " for one in url) or parts.fragment:
        raise InvalidInput("the url has spaces, control characters or a fragment; leave them out")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("the url names a user; put what is secret into the path, in a url_file")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise InvalidInput(
            "the url is plain http, on which anybody on the way reads accounts and ARNs; use "
            "https, or allow_http where the way is private"
        )
    return url


def key_of(secret: str) -> bytes:
    """Return the key that a secret spells; raise InvalidInput, which does not show it."""
    if not secret.startswith(SECRET_PREFIX):
        key = secret.encode()
    else:
        try:
            key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except (NoBase64, ValueError):
            raise InvalidInput(f"the secret is no base64 after {SECRET_PREFIX}") from None
    if len(key) < LEAST_SECRET_BYTES:
        raise InvalidInput(
            f"the secret has {len(key)} bytes; expected at least {LEAST_SECRET_BYTES} random ones"
        )
    return key


def signed_headers(key: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that say which message it is and, with a key, that it is ours."""
    seconds = str(int(at.timestamp()))
    headers = {ID_HEADER: message_id, TIMESTAMP_HEADER: seconds}
    if key:
        what = b".".join([message_id.encode(), seconds.encode(), body])
        digest = hmac.new(key, what, sha256).digest()
        headers[SIGNATURE_HEADER] = f"v1,{b64encode(digest).decode()}"
    return headers


def post(receiver: Receiver, message_id: str, body: bytes, at: datetime) -> Attempt:
    """Send one message once and return what came of it.

    Redirects are not followed, and all of it, answer included, must end within the timeout.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        **signed_headers(receiver.key, message_id, at, body),
    }
    seconds = receiver.timeout.total_seconds()
    request = Request(receiver.url, body, headers, method="POST")
    late = f"no answer within {seconds:g} s"
    with ending_after(seconds) as deadline:
        try:
            with deadline.opener.open(request, timeout=seconds) as response:
                return Attempt(response.status)
        except HTTPError as error:
            with error:
                return _refused(error)
        except TimeoutError:
            return Attempt(error=late)
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            if deadline.passed or isinstance(reason, TimeoutError):
                return Attempt(error=late)
            return Attempt(error=_told(reason))


def _refused(error: HTTPError) -> Attempt:
    with suppress(OSError, HTTPException, ValueError):
        said = error.read(SAID_CHARACTERS).decode("utf-8", "replace")
        told = " ".join("".join(c if c.isprintable() else " " for c in said).split())
        return _answered(error.code, told, error.headers)
    return _answered(error.code, "", error.headers)


def _answered(code: int, said: str, headers: Message) -> Attempt:
    moved = "redirects, which is not followed" if 300 <= code < 400 else ""
    told = moved or said
    return Attempt(
        code,
        f"answers {code}: {told}" if told else f"answers {code}",
        _wait(headers),
        code == GONE,
    )


def _wait(headers: Message) -> timedelta | None:
    """Return how long a receiver asks to wait, where it says so in seconds."""
    asked = headers.get("Retry-After", "")
    known = asked.isascii() and asked.isdigit() and len(asked) <= 6
    return timedelta(seconds=int(asked)) if known else None


def _told(reason: Any) -> str:
    """Return why nobody answered; never the URL."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {reason.verify_message}"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
