"""How STS is asked: over TLS that is trusted, and by a proxy where the environment names one."""

import select
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.api.errors import RequestRefused
from compute_optimizer.api.sign_in import sts
from compute_optimizer.api.sign_in.endpoints import StsEndpoint
from compute_optimizer.api.sign_in.presigned import Presigned
from tests.sts import certificate, listening, tls

VARIABLES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")


class Answering(BaseHTTPRequestHandler):
    """Repeats the request line and the headers."""

    def do_GET(self) -> None:
        body = f"{self.requestline}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Proxying(Answering):
    """Connects whoever asks, and keeps what was asked."""

    def do_CONNECT(self) -> None:
        type(self).asked.append((self.path, self.headers["proxy-authorization"]))
        host, port = self.path.split(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            self._relay(there)

    def _relay(self, there: socket.socket) -> None:
        ways = {self.connection: there, there: self.connection}
        while True:
            for end in select.select(list(ways), [], [], 5)[0]:
                data = end.recv(65536)
                if not data:
                    return
                ways[end].sendall(data)

    asked: list[tuple[str, str | None]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own set-up counts."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def secure_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a server whose certificate is trusted, as one of the system's."""
    path = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    sts._trusted.cache_clear()
    with listening(Answering, tls(path)) as url:
        yield url
    sts._trusted.cache_clear()


def ask(url: str) -> str:
    presigned = Presigned(StsEndpoint(url, None), "Action=A", "0" * 64, datetime.now(UTC))
    status, body = sts.ask_sts(presigned, "server/nonce")
    assert status == 200
    return body.decode().lower()


def test_sts_is_asked_over_tls_with_the_header_and_nothing_of_a_stranger(secure_url: str) -> None:
    said = ask(secure_url)

    assert said.startswith("get /?action=a http/1.1\n")
    headers = dict(line.split(": ") for line in said.splitlines()[1:] if line)
    assert headers == {
        "host": secure_url.removeprefix("https://"),
        "accept": "text/xml",
        "accept-encoding": "identity",
        "x-compute-optimizer-sign-in": "server/nonce",
    }


@pytest.mark.parametrize(
    ("user", "seen"), [("", None), ("me:s%40cret@", "Basic bWU6c0BjcmV0")], ids=["open", "known"]
)
def test_a_proxy_of_the_environment_is_used_and_sees_the_host_only(
    secure_url: str, monkeypatch: pytest.MonkeyPatch, user: str, seen: str | None
) -> None:
    asked: list[tuple[str, str | None]] = []
    with listening(type("Proxy", (Proxying,), {"asked": asked})) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.replace("://", f"://{user}"))
        said = ask(secure_url)

    host = secure_url.removeprefix("https://")
    # base64 of "me:s@cret"
    assert asked == [(host, seen)]
    assert f"host: {host}" in said
    assert "proxy" not in said


def test_a_host_that_needs_no_proxy_is_asked_directly(
    secure_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    assert "x-compute-optimizer-sign-in" in ask(secure_url)


def test_a_proxy_that_is_not_there_is_no_answer(
    secure_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    with pytest.raises(RequestRefused, match="did not answer at") as raised:
        ask(secure_url)
    assert raised.value.code == "IDPCommunicationError"


def test_a_certificate_of_another_host_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, "127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    sts._trusted.cache_clear()

    with listening(Answering, tls(path)) as url, pytest.raises(RequestRefused, match="did not"):
        ask(url)
    sts._trusted.cache_clear()
    assert ssl.create_default_context().check_hostname
