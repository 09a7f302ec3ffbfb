"""A local STS for tests: moto's server behind a front that verifies presigned requests.

moto answers whoever asks, so the front recomputes each signature with botocore's signer, over what
arrived on its socket, and passes on to moto only what the holder of a known key has signed.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

STS_LIFE = timedelta(minutes=15)
"""STS takes presigned requests for so long, whatever X-Amz-Expires says."""

NONCE = "of-the-test-0123456789"
QUERY = "Action=GetCallerIdentity&Version=2011-06-15"


@dataclass
class Sts:
    """A running STS."""

    url: str
    moto_url: str
    keys: dict[str, Credentials] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Hosts and paths of what was asked, queries aside."""
    _clients: dict[str, Any] = field(default_factory=dict)

    def session_of(self, role_arn: str, name: str = "alice") -> Credentials:
        """Return credentials of a new session of a role."""
        client = self._client("sts")
        made = client.assume_role(RoleArn=role_arn, RoleSessionName=name)["Credentials"]
        return self._known(
            Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        )

    def user(self, name: str) -> Credentials:
        """Return an access key of a new user, whose account is moto's own."""
        client = self._client("iam")
        client.create_user(UserName=name)
        made = client.create_access_key(UserName=name)["AccessKey"]
        return self._known(Credentials(made["AccessKeyId"], made["SecretAccessKey"]))

    def _known(self, credentials: Credentials) -> Credentials:
        self.keys[credentials.access_key] = credentials
        return credentials

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.session.Session().client(
                service,
                endpoint_url=self.moto_url,
                region_name="us-east-1",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
            )
        return self._clients[service]


class _Front(BaseHTTPRequestHandler):
    sts: Sts

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.sts.asked.append(f"{self.headers['host']}{parts.path}")
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        credentials = self.sts.keys.get(given.get("X-Amz-Credential", "").split("/")[0])
        code = self._fault(given, parts.query, credentials)
        if code is None and credentials is not None:
            self._answer(*_moto_says(self.sts.moto_url, credentials))
        else:
            self._answer(403, _error(code or "InvalidClientTokenId"))

    def _fault(
        self, given: dict[str, str], query: str, credentials: Credentials | None
    ) -> str | None:
        if credentials is None:
            return "InvalidClientTokenId"
        if given.get("X-Amz-Security-Token") != credentials.token:
            return "InvalidClientTokenId"
        begins = datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if not begins - STS_LIFE <= datetime.now(UTC) <= begins + STS_LIFE:
            return "SignatureDoesNotMatch"
        expected = _signature(given, query, dict(self.headers.items()), credentials)
        matches = hmac.compare_digest(expected, given["X-Amz-Signature"])
        return None if matches else "SignatureDoesNotMatch"

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _signature(
    given: dict[str, str], query: str, headers: dict[str, str], credentials: Credentials
) -> str:
    """Return what botocore signs for the request as it arrived."""
    rest = "&".join(one for one in query.split("&") if not one.startswith("X-Amz-Signature="))
    arrived = {name.lower(): value for name, value in headers.items()}
    signed = {name: arrived.get(name, "") for name in given["X-Amz-SignedHeaders"].split(";")}
    request = AWSRequest("GET", f"http://{signed['host']}/?{rest}", signed)
    request.context["timestamp"] = given["X-Amz-Date"]
    _, _, region, service, _ = given["X-Amz-Credential"].split("/")
    signer = SigV4QueryAuth(credentials, service, region)
    canonical = signer.canonical_request(request)
    made: str = signer.signature(signer.string_to_sign(request, canonical), request)
    return made


def _moto_says(moto_url: str, credentials: Credentials) -> tuple[int, bytes]:
    url = f"{moto_url}/?{QUERY}"
    request = AWSRequest("GET", url)
    SigV4Auth(credentials, "sts", "us-east-1").add_auth(request)
    connection = HTTPConnection(urlsplit(moto_url).netloc)
    try:
        connection.request("GET", f"/?{QUERY}", headers=dict(request.headers.items()))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _error(code: str) -> bytes:
    return (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
        f"<Type>Sender</Type><Code>{code}</Code><Message>Refused.</Message></Error>"
        "<RequestId>0d8f5d0e-5f6c-4b1e-a7c3-2f1f6a0f9b57</RequestId></ErrorResponse>"
    ).encode()


@contextmanager
def listening(
    handler: type[BaseHTTPRequestHandler], tls: SSLContext | None = None
) -> Iterator[str]:
    """Serve a handler on a free port until the block ends; yields the URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path, address: str) -> Path:
    """Write a key and a certificate of an address, for which nobody vouches, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), False)
        .sign(key, hashes.SHA256())
    )
    pem, unlocked = serialization.Encoding.PEM, serialization.NoEncryption()
    path = folder / "certificate.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unlocked)
    path.write_bytes(private + made.public_bytes(pem))
    return path


def tls(path: Path) -> SSLContext:
    """Return how a server speaks TLS with the certificate of a file."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.fixture(scope="session")
def running_sts(s3_url: str) -> Iterator[Sts]:
    """The one STS of the session; moto's server speaks S3 and STS on one port."""
    sts = Sts("", s3_url)
    with listening(type("Front", (_Front,), {"sts": sts})) as url:
        sts.url = url
        yield sts


@pytest.fixture
def sts(running_sts: Sts) -> Sts:
    """A running STS that was asked nothing yet."""
    running_sts.asked.clear()
    return running_sts


def presigned(
    sts_url: str,
    credentials: Credentials,
    server: str | None,
    *,
    expires: int = 300,
    query: str = QUERY,
    service: str = "sts",
    header: str = "x-compute-optimizer-sign-in",
    nonce: str = NONCE,
) -> str:
    """Return a presigned request, by default one that is good for the server of that name."""
    headers = {} if server is None else {header: f"{server}/{nonce}"}
    request = AWSRequest("GET", f"{sts_url}/?{query}", headers)
    SigV4QueryAuth(credentials, service, "us-east-1", expires=expires).add_auth(request)
    return str(request.url)
