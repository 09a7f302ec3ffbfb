"""Raw HTTP to a running server: what no SDK would send."""

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

import cbor2

from tests.end_to_end.conftest import Served
from tests.waiting import SECONDS

TARGET = "ComputeOptimizerService.GetEnrollmentStatus"
CBOR_PATH = "/service/ComputeOptimizerService/operation/GetEnrollmentStatus"

UNVERIFIED = (
    "AWS4-HMAC-SHA256 Credential=111111111111/20261122/us-east-1/compute-optimizer/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=00"
)
"""Good enough for a server with auth off."""


@dataclass(frozen=True)
class Answer:
    """A response as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The decoded body."""
        is_cbor = self.headers["content-type"] == "application/cbor"
        decoded: dict[str, Any] = cbor2.loads(self.body) if is_cbor else json.loads(self.body)
        return decoded

    @property
    def code(self) -> str:
        """The code of the error."""
        return str(self.error["__type"]).rpartition("#")[2]


def post(
    served: Served,
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
    path: str = "/",
    method: str = "POST",
) -> Answer:
    """Send one request; the given headers replace those of a good JSON request."""
    defaults = {
        "x-amz-target": TARGET,
        "content-type": "application/x-amz-json-1.0",
        "authorization": UNVERIFIED,
    }
    connection = http.client.HTTPConnection(*served.address, timeout=SECONDS)
    try:
        connection.request(method, path, body, defaults if headers is None else headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def post_json(served: Served, body: bytes = b"{}", **headers: str) -> Answer:
    """Send a JSON request with additional headers (underscores stand for hyphens)."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    defaults = {"x-amz-target": TARGET, "content-type": "application/x-amz-json-1.0"}
    return post(served, body, {"authorization": UNVERIFIED} | defaults | more)


def post_cbor(served: Served, body: bytes) -> Answer:
    """Send a CBOR request."""
    headers = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}
    return post(served, body, {"authorization": UNVERIFIED} | headers, path=CBOR_PATH)


def exchange(served: Served, raw: bytes) -> bytes:
    """Send raw bytes and return everything that comes back until the server closes."""
    with socket.create_connection(served.address, timeout=SECONDS) as connection:
        connection.sendall(raw)
        return b"".join(iter(lambda: connection.recv(65536), b""))
