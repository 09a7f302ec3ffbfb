"""Which protocol a request speaks and which operation it calls.

Chosen by the request, never by the model: SDKs of one service send either protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from compute_optimizer.api.errors import (
    MALFORMED_HTTP_REQUEST,
    UNKNOWN_OPERATION,
    RequestRefused,
)
from compute_optimizer.api.protocols.encodings import CBOR, JSON, SERVED, Encoding
from compute_optimizer.shapes.model import MODEL_FILES, NAMESPACES, service_model

Headers = Mapping[bytes, bytes]
"""Header values by lower-case name; a repeated header is joined by commas."""

RPC_V2_CBOR = b"rpc-v2-cbor"
"""Value of the header smithy-protocol."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request asks for."""

    encoding: Encoding
    service: str
    """Name of the service, which is also its signing name."""
    operation_name: str


def claim(method: str, path: str, headers: Headers) -> Claim:
    """Return the protocol and the operation of a request.

    Raises UnknownOperationException where there is no such operation, and
    MalformedHttpRequestException where an RPC v2 CBOR request also names a target.
    """
    protocol = headers.get(b"smithy-protocol")
    if protocol is None:
        return _claim_json(method, headers.get(b"x-amz-target", b""))
    if protocol != RPC_V2_CBOR:
        raise RequestRefused(
            UNKNOWN_OPERATION, f"Expected smithy-protocol: {RPC_V2_CBOR.decode()}."
        )
    if b"x-amz-target" in headers or b"x-amzn-target" in headers:
        # The protocol's security rule: one request must not mean two operations.
        raise RequestRefused(
            MALFORMED_HTTP_REQUEST, "An rpc-v2-cbor request must not carry X-Amz-Target."
        )
    return _claim_cbor(method, path)


def encoding_for(headers: Headers) -> Encoding:
    """Return the encoding in which to answer a request that could not be claimed."""
    content_type = headers.get(b"content-type", b"")
    if b"smithy-protocol" in headers or content_type.startswith(CBOR.content_type.encode()):
        return CBOR
    return JSON


def _claim_json(method: str, target: bytes) -> Claim:
    if method == "POST" and (known := JSON_CLAIMS.get(target)):
        return known
    if not target:
        raise RequestRefused(
            UNKNOWN_OPERATION,
            "The request names no operation: expected the header X-Amz-Target or smithy-protocol.",
        )
    service, _, operation = target.decode("latin-1").rpartition(".")
    return _claim_operation(JSON, method, service, operation)


def _claim_cbor(method: str, path: str) -> Claim:
    if method == "POST" and (known := CBOR_CLAIMS.get(path)):
        return known
    # A custom endpoint may have a path of its own in front.
    segments = path.partition("?")[0].split("/")[-4:]
    if len(segments) != 4 or segments[0] != "service" or segments[2] != "operation":
        raise RequestRefused(
            UNKNOWN_OPERATION, "Expected a path that ends in /service/SERVICE/operation/OPERATION."
        )
    return _claim_operation(CBOR, method, segments[1], segments[3])


def _claim_operation(encoding: Encoding, method: str, name: str, operation: str) -> Claim:
    if method != "POST":
        raise RequestRefused(UNKNOWN_OPERATION, f"Operations are called by POST, not {method}.")
    if SERVICES.get(name) != SERVED or operation not in OPERATION_NAMES:
        raise RequestRefused(
            UNKNOWN_OPERATION, f"{name}.{operation} is not an operation of this service."
        )
    return Claim(encoding, SERVED, operation)


def _service_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for service in MODEL_FILES:
        shape_name = service_model(service).metadata["targetPrefix"]
        names[shape_name] = service
        names[f"{NAMESPACES[service]}.{shape_name}"] = service
    return names


SERVICES = _service_names()
"""Services by the name that requests use, with and without its namespace."""

OPERATION_NAMES = frozenset(service_model(SERVED).operation_names)
"""Operations of the served service."""

JSON_CLAIMS = {
    f"{name}.{operation}".encode(): Claim(JSON, SERVED, operation)
    for name, service in SERVICES.items()
    if service == SERVED
    for operation in OPERATION_NAMES
}
"""What each X-Amz-Target that SDKs send stands for, so that it need not be taken apart."""

CBOR_CLAIMS = {
    f"/service/{name}/operation/{operation}": Claim(CBOR, SERVED, operation)
    for name, service in SERVICES.items()
    if service == SERVED
    for operation in OPERATION_NAMES
}
"""The same of paths."""
