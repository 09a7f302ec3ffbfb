"""The server behind a real nginx, with the configuration in deploy/nginx: TLS, names and paths.

What a proxy changes of a signed request is refused; docs/serving.md says what it has to leave.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError, SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.end_to_end.conftest import Served
from tests.local_prometheus import free_port, wait_for_port

NAME = "optimizer.example.com"
"""Of the proxy; the server knows nothing of it."""

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx" / "compute-optimizer.conf"


def nginx() -> str:
    """Return the path of nginx; skip the test where it is not installed."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        reason = "needs nginx (Debian package nginx-light)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for NAME, and its key in the file beside it, `.key`."""
    path = tmp_path_factory.mktemp("certificate") / "nginx.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@dataclass(frozen=True)
class Proxy:
    """A running nginx, and the server behind it."""

    url: str
    served: Served

    def client(self, protocol: str, path: str = "", **options: Any) -> Any:
        """Return a client that signs with a key and calls through the proxy."""
        key = self.served.new_key()
        given = {"secret": key.secret_access_key, "token": key.session_token}
        return self.served.clients(self.url + path, key.access_key_id, protocol, **given, **options)


Start = Callable[..., Proxy]


@pytest.fixture
def proxied(
    secured: Served, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Start nginx before the server; changes replace lines of its configuration."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    resolve = socket.getaddrinfo

    def resolved(host: Any, *rest: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host == NAME else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with ExitStack() as stack:

        def start(*, tls: bool = True, **changes: str) -> Proxy:
            port = free_port()
            text = configured(secured, certificate, port, tls=tls)
            for line in changes.values():
                before, _, after = line.partition(" -> ")
                assert before in text
                text = text.replace(before, after)
            stack.enter_context(running(tmp_path, port, text))
            return Proxy(f"{'https' if tls else 'http'}://{NAME}:{port}", secured)

        yield start


def configured(served: Served, certificate: Path, port: int, *, tls: bool) -> str:
    """Return the configuration that is shipped, with the places of this test."""
    replaced = {
        "127.0.0.1:8080": ":".join(map(str, served.address)),
        "listen 443 ssl": f"listen 127.0.0.1:{port}{' ssl' if tls else ''}",
        "/etc/ssl/certs/optimizer.example.com.pem": str(certificate),
        "/etc/ssl/private/optimizer.example.com.key": str(certificate.with_suffix(".key")),
    }
    text = CONFIGURATION.read_text()
    for before, after in replaced.items():
        assert before in text
        text = text.replace(before, after)
    return text


@contextmanager
def running(folder: Path, port: int, text: str) -> Iterator[None]:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "\n".join(f"{one}_temp_path {folder / one};" for one in kinds)
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off; master_process off; pid {folder / 'nginx.pid'};\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}\n{text}\n}}\n"
    )
    command = [nginx(), "-c", str(path), "-e", str(folder / "nginx.log")]
    with subprocess.Popen(command) as process:
        try:
            wait_for_port(port, process)
            yield
        finally:
            process.terminate()


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
@pytest.mark.parametrize("path", ["", "/co", "/team/co"])
def test_signed_calls_pass_a_proxy_with_another_name_and_a_path(
    proxied: Start, protocol: str, tls: bool, path: str
) -> None:
    client = proxied(tls=tls).client(protocol, path)

    # Several over one connection, of which some carry more than the answer before.
    for status in ("Active", "Inactive"):
        client.update_enrollment_status(status=status)
    assert client.get_enrollment_status()["status"] == "Inactive"


def test_what_the_server_refuses_arrives_as_it_said_it(proxied: Start, protocol: str) -> None:
    client = proxied().client(protocol)

    with pytest.raises(client.exceptions.OptInRequiredException, match="not registered"):
        client.get_recommendation_summaries()


def test_a_certificate_that_nobody_vouches_for_is_refused_by_the_client(
    proxied: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = proxied()
    monkeypatch.delenv("AWS_CA_BUNDLE")

    with pytest.raises(SSLError):
        proxy.client("json").get_enrollment_status()


@pytest.mark.parametrize(
    ("line", "path"),
    [
        # The name of the upstream in the place of the one that the client signed.
        ("Host $http_host -> Host $proxy_host", ""),
        # Without the port.
        ("Host $http_host -> Host $host", ""),
        # Another path than the one that the client signed.
        ("proxy_pass http://compute_optimizer; -> proxy_pass http://compute_optimizer/other/;", ""),
        ("location / { -> location /co/ {\nrewrite ^/co(/.*)$ $1 break;", "/co/x"),
    ],
    ids=["name", "port", "path", "prefix"],
)
def test_what_the_proxy_changes_of_a_signed_request_is_refused(
    proxied: Start, protocol: str, line: str, path: str
) -> None:
    client = proxied(change=line).client(protocol, path)

    with pytest.raises(ClientError) as raised:
        client.get_enrollment_status()

    answer = raised.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "signature" in answer["Error"]["Message"].lower()


def test_health_is_answered_through_the_proxy_and_metrics_are_not(proxied: Start) -> None:
    url = proxied(tls=False).url

    with urlopen(f"{url}/healthz", timeout=10) as answer:
        assert answer.status == 200
    with pytest.raises(HTTPError) as raised:
        urlopen(f"{url}/metrics", timeout=10)
    assert raised.value.code in (403, 404)
    raised.value.close()
