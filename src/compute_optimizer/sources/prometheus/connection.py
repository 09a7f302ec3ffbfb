"""One server over HTTP: who asks, how long to wait, how much to take, and what to try again."""

import os
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import (
    BaseHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
    build_opener,
)

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.sources.prometheus.answers import error_of
from compute_optimizer.sources.prometheus.configuration import Secret, ServerEntry, Tls, seconds

MIB = 2**20
READ_BYTES = 256 * 1024
"""Read at once; the time is looked at in between."""

ERROR_BYTES = 64 * 1024
"""Of a refusal, more than any server says."""

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 16.0
"""Between attempts; each wait is twice the one before it."""

TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes after which the same question may well be answered."""

TOO_MUCH_WORDS = (
    "exceed",
    "limit",
    "more than",
    "not enough memory",
    "timed out",
    "timeout",
    "too large",
    "too long",
    "too many",
)
"""In refusals of questions that are too large, lower case: Prometheus, Thanos, Mimir and
VictoriaMetrics each have their own texts and codes, and all of them say one of these."""

WANTS_CERTIFICATE = (
    "wants a certificate of who asks, or does not trust this one; see tls.certificate_file and "
    "tls.key_file of the server in the configuration"
)
TLS_REFUSALS = {
    "WRONG_VERSION_NUMBER": (
        "answers without TLS; write http:// in url, or name the port that has TLS"
    ),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": (
        "agrees on no connection: it wants a certificate of who asks (tls.certificate_file), or "
        "another version of TLS"
    ),
    "SSLV3_ALERT_BAD_CERTIFICATE": WANTS_CERTIFICATE,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": WANTS_CERTIFICATE,
    "TLSV1_ALERT_UNKNOWN_CA": WANTS_CERTIFICATE,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": WANTS_CERTIFICATE,
}
"""What to do about handshakes that fail the next time, too, by the reason of OpenSSL. Where a
certificate is missing, Go and OpenSSL send different ones."""

WHOLE = {"nocache": "1", "partial_response": "false", "deny_partial_response": "1"}
"""Sent with every question; servers ignore what they do not know. VictoriaMetrics shall not move
times to others that it has cached, and neither it nor Thanos leave out what a part of them does not
answer: a gap that is stored is not asked for again."""

REFUSED_TEXT = 300
"""Characters of a refusal that are shown."""


class TooMuch(Exception):
    """The question is too large for the server, or the answer for us; less of it may not be."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.timed_out = timed_out
        """It may as well be that the server answers nothing any more."""


class _NoRedirects(HTTPRedirectHandler):
    """Follow no server elsewhere: credentials would go along."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Return nothing, so that the answer counts as a refusal."""


class Server:
    """Asks one server, from any number of threads."""

    def __init__(self, entry: ServerEntry) -> None:
        self.entry = entry
        self._timeout = seconds(entry.timeout, "timeout")
        handlers: list[BaseHandler] = [_NoRedirects()]
        if entry.url.startswith("https:"):
            handlers.append(HTTPSHandler(context=_tls(entry.tls)))
        self._opener: OpenerDirector = build_opener(*handlers)
        self._headers = {"Accept": "application/json", **_identification(entry)}

    def ask(self, call: str, parameters: Mapping[str, str]) -> bytes:
        """Return the body of an answer to a call of the API, such as `query_range`.

        Raises TooMuch where less may be answered, InvalidInput for a question that no server
        understands, and SourceUnavailable.
        """
        body = urlencode({**parameters, **WHOLE}).encode()
        url, wait = f"{self.entry.url}/api/v1/{call}", FIRST_WAIT_SECONDS
        for left in reversed(range(self.entry.attempts)):
            try:
                with _failing(self.entry.url):
                    return self._answer(Request(url, body, self._headers))
            except _Temporary as failed:
                if not left:
                    raise SourceUnavailable(
                        f"{self.entry.url}: {failed}, also after {self.entry.attempts} attempts"
                    ) from failed
                sleep(min(max(wait, failed.wait_seconds), LONGEST_WAIT_SECONDS))
                wait *= 2
        raise AssertionError("there is at least one attempt")

    def _answer(self, request: Request) -> bytes:
        deadline = monotonic() + self._timeout
        with self._opener.open(request, timeout=self._timeout) as response:
            return self._read(response, deadline)

    def _read(self, response: Any, deadline: float) -> bytes:
        """Return what comes, as long as it is not too much and does not take too long."""
        most, parts, size = self.entry.max_answer_mib * MIB, list[bytes](), 0
        while part := response.read1(READ_BYTES):
            parts.append(part)
            size += len(part)
            if size > most:
                raise TooMuch(f"the answer is larger than {self.entry.max_answer_mib} MiB")
            if monotonic() > deadline:
                raise TimeoutError(f"the answer takes longer than {self._timeout} s")
        if response.length:
            raise ConnectionError(f"the answer breaks off {response.length:,} bytes before its end")
        return b"".join(parts)


class _Temporary(Exception):
    """What another attempt may mend."""

    def __init__(self, reason: str, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds
        """Which the server asked for."""


@contextmanager
def _failing(url: str) -> Iterator[None]:
    """Tell apart what can be tried again, tried smaller, and neither."""
    try:
        yield
    except HTTPError as error:
        with error:
            raise _refusal(url, error.code, _said(error), error.headers) from error
    except ssl.SSLCertVerificationError as error:
        raise _unverified(url, error) from error
    except TimeoutError as error:
        # While an answer is waited for; where nobody takes the question, it is an URLError.
        raise TooMuch(f"no answer in time: {error}", timed_out=True) from error
    except (OSError, HTTPException) as error:
        # What fails while the question is sent comes wrapped, and what fails afterwards does not.
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise _unverified(url, reason) from error
        if advice := TLS_REFUSALS.get(getattr(reason, "reason", "")):
            raise SourceUnavailable(f"{url}: {advice}") from error
        raise _Temporary(str(reason) or type(reason).__name__) from error


def _said(error: HTTPError) -> str:
    """Return the text of a refusal; nothing where it does not come, since its code tells enough."""
    with suppress(OSError, HTTPException):
        return error_of(error.read(ERROR_BYTES))[:REFUSED_TEXT]
    return ""


def _refusal(url: str, code: int, said: str, headers: Message) -> Exception:
    if code in (401, 403):
        return SourceUnavailable(
            f"{url}: refuses who asks ({code}): {said or 'no reason given'}; see bearer_token, "
            "basic_auth, tls and tenant of the server in the configuration"
        )
    too_much = any(word in said.casefold() for word in TOO_MUCH_WORDS)
    if code == 413 or (code in (400, 422, 503) and too_much):
        return TooMuch(said)
    if code in TEMPORARY:
        return _Temporary(f"answers {code}: {said}" if said else f"answers {code}", _wait(headers))
    if code in (400, 422):
        return InvalidInput(f"{url}: does not understand the query: {said}")
    advice = "; its url leads to the server, without /api/v1" if code == 404 else ""
    return SourceUnavailable(f"{url}: answers {code}: {said or 'no reason given'}{advice}")


def _unverified(url: str, error: ssl.SSLCertVerificationError) -> SourceUnavailable:
    return SourceUnavailable(
        f"{url}: its certificate is not trusted: {error.verify_message}; name the certificate of "
        "its authority (tls.ca_file)"
    )


def _wait(headers: Message) -> float:
    """Return how long a server asks to wait."""
    asked = headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() else 0.0


def _identification(entry: ServerEntry) -> dict[str, str]:
    """Return the headers that say who asks; raise InvalidInput for what cannot be read."""
    headers = {"X-Scope-OrgID": entry.tenant} if entry.tenant else {}
    if entry.bearer_token and entry.basic_auth:
        raise InvalidInput(f"{entry.url}: has bearer_token and basic_auth; give one of them")
    if entry.bearer_token:
        headers["Authorization"] = f"Bearer {_secret(entry.bearer_token, entry.url)}"
    if entry.basic_auth:
        pair = f"{entry.basic_auth.user}:{_secret(entry.basic_auth.password, entry.url)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return headers


def _secret(secret: Secret, url: str) -> str:
    if bool(secret.file) == bool(secret.environment):
        raise InvalidInput(f"{url}: a secret is read from either a file or an environment variable")
    if secret.environment:
        found = os.environ.get(secret.environment, "")
        place = f"the environment variable {secret.environment}"
    else:
        place = secret.file
        try:
            found = Path(secret.file).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{url}: {place} cannot be read: {_reason(error)}") from error
    found = found.strip()
    if not found or not found.isprintable():
        raise InvalidInput(f"{url}: {place} is empty, or holds more than one line of text")
    return found


def _tls(tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca_file or None)
        if tls.certificate_file:
            context.load_cert_chain(tls.certificate_file, tls.key_file or None)
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(
            name for name in (tls.ca_file, tls.certificate_file, tls.key_file) if name
        )
        raise InvalidInput(f"tls: cannot use {named}: {_reason(error)}") from error
    return context


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
