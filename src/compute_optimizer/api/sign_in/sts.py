"""STS, asked who signed a request: one GET, no redirects, little time, a short answer."""

import socket
import ssl
from base64 import b64encode
from contextlib import closing, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from compute_optimizer.api.errors import STS_SILENT, RequestRefused
from compute_optimizer.api.sign_in.presigned import SIGN_IN_HEADER, Presigned

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
"""From the request to the end of the answer, however slowly it drips."""

LONGEST_ANSWER_BYTES = 16 * 1024
"""An answer has some 500."""


def ask_sts(presigned: Presigned, header: str) -> tuple[int, bytes]:
    """Return status and body of STS's answer to a request whose header says that.

    Raises IDPCommunicationError where there is no answer.
    """
    try:
        with closing(_connection(presigned.endpoint.url)) as connection:
            connection.connect()
            return _exchange(connection, presigned, header)
    except (OSError, HTTPException):
        # What went wrong may hold the request, which is a secret: it is neither kept nor shown.
        raise RequestRefused(
            STS_SILENT,
            f"STS did not answer at {presigned.endpoint.url} within {ANSWER_SECONDS:g} seconds. "
            "Try again; the server must be able to reach it.",
        ) from None


def _connection(url: str) -> HTTPConnection:
    scheme, _, host = url.partition("://")
    connection = _secure(host) if scheme == "https" else HTTPConnection(host)
    connection.timeout = CONNECT_SECONDS
    return connection


def _secure(host: str) -> HTTPSConnection:
    """Return a connection to a host, by the proxy that the machine names, if any."""
    given = getproxies().get("https")
    if given is None or proxy_bypass(host):
        return HTTPSConnection(host, context=_trusted())
    proxy = urlsplit(given if "://" in given else f"http://{given}")
    tunnel = HTTPSConnection(proxy.netloc.rpartition("@")[2], context=_trusted())
    # TLS is spoken with the host, through the proxy, which sees the host's name only.
    tunnel.set_tunnel(host, headers=_known_to(proxy))
    return tunnel


def _known_to(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(words.encode()).decode()}"}


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _exchange(connection: HTTPConnection, presigned: Presigned, header: str) -> tuple[int, bytes]:
    headers = {SIGN_IN_HEADER: header, "Accept": "text/xml"}
    line: socket.socket = connection.sock
    line.settimeout(ANSWER_SECONDS)
    overdue = Timer(ANSWER_SECONDS, _cut, (line,))
    overdue.daemon = True
    overdue.start()
    try:
        connection.request("GET", f"/?{presigned.query}", headers=headers)
        response = connection.getresponse()
        body = response.read(LONGEST_ANSWER_BYTES + 1)
    finally:
        overdue.cancel()
    if len(body) > LONGEST_ANSWER_BYTES:
        raise RequestRefused(STS_SILENT, "STS's answer is too long to be one.")
    return response.status, body


def _cut(line: socket.socket) -> None:
    """End a connection under whoever waits for it."""
    with suppress(OSError):  # It may have ended by itself.
        # Not ssl's own shutdown, which would wait for the peer's consent.
        socket.socket.shutdown(line, socket.SHUT_RDWR)
