"""A real nginx with the configuration in deploy/nginx, in front of a server on this machine."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.lacking import lacking
from tests.local_prometheus import wait_for_port

NAME = "optimizer.example.com"
"""Of the proxy; the server knows nothing of it."""

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nginx" / "compute-optimizer.conf"


def nginx() -> str:
    """Return the path of nginx; skip the test where it is not installed."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        reason = "needs nginx (Debian package nginx-light)"
        lacking(reason)
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


@pytest.fixture
def named_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the proxy's name lead to this machine."""
    resolve = socket.getaddrinfo

    def resolved(host: Any, *rest: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host == NAME else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


def configured(address: str, certificate: Path, port: int, *, tls: bool = True) -> str:
    """Return the configuration that is shipped, with the places of a test; the server's is
    HOST:PORT."""
    replaced = {
        "127.0.0.1:8080": address,
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
