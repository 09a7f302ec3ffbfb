"""Which protocol and operation a request claims, and what is refused."""

import pytest

from compute_optimizer.api.errors import (
    MALFORMED_HTTP_REQUEST,
    UNKNOWN_OPERATION,
    FrontDoorError,
    RequestRefused,
)
from compute_optimizer.api.protocols import CBOR, JSON, Encoding, claim, encoding_for
from compute_optimizer.shapes.model import service_model

OPERATION = "GetEnrollmentStatus"
CBOR_PATH = f"/service/ComputeOptimizerService/operation/{OPERATION}"
CBOR_HEADERS = {b"smithy-protocol": b"rpc-v2-cbor"}


def target(operation: str, service: str = "ComputeOptimizerService") -> dict[bytes, bytes]:
    return {b"x-amz-target": f"{service}.{operation}".encode()}


def refusal(method: str, path: str, headers: dict[bytes, bytes]) -> FrontDoorError:
    with pytest.raises(RequestRefused) as refused:
        claim(method, path, headers)
    error = refused.value
    assert error.message
    return FrontDoorError(error.code, error.status, "")


def like(row: FrontDoorError) -> FrontDoorError:
    return FrontDoorError(row.code, row.status, "")


@pytest.mark.parametrize("path", ["/", "", "/co/prefix", "/co/prefix/", CBOR_PATH])
def test_json_is_claimed_by_its_header_whatever_the_path(path: str) -> None:
    claimed = claim("POST", path, target(OPERATION))

    assert claimed.encoding is JSON
    assert (claimed.service, claimed.operation_name) == ("compute-optimizer", OPERATION)


@pytest.mark.parametrize("prefix", ["", "/co", "/co/prefix", "/service/x/operation"])
def test_cbor_is_claimed_by_the_last_four_segments(prefix: str) -> None:
    claimed = claim("POST", prefix + CBOR_PATH, CBOR_HEADERS)

    assert claimed.encoding is CBOR
    assert (claimed.service, claimed.operation_name) == ("compute-optimizer", OPERATION)


@pytest.mark.parametrize("operation", service_model().operation_names)
def test_service_may_be_named_with_its_namespace(operation: str) -> None:
    name = "com.amazonaws.computeoptimizer.ComputeOptimizerService"
    path = f"/service/{name}/operation/{operation}"

    assert claim("POST", path, CBOR_HEADERS).operation_name == operation
    assert claim("POST", "/", target(operation, name)).operation_name == operation


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/service/ComputeOptimizerService/operation",
        f"/service/ComputeOptimizerService/operation/{OPERATION}/",
        f"/services/ComputeOptimizerService/operation/{OPERATION}",
        f"/service/ComputeOptimizerService/operations/{OPERATION}",
        f"/service/Elsewhere.ComputeOptimizerService/operation/{OPERATION}",
        # Unlike the service, an operation has no namespace.
        f"/service/ComputeOptimizerService/operation/com.amazonaws.computeoptimizer.{OPERATION}",
        "/service/ComputeOptimizerService/operation/getenrollmentstatus",
    ],
)
def test_cbor_path_of_another_form_is_unknown(path: str) -> None:
    assert refusal("POST", path, CBOR_HEADERS) == like(UNKNOWN_OPERATION)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"GetEnrollmentStatus",
        b"ComputeOptimizerService",
        b"ComputeOptimizerService.",
        b"ComputeOptimizerService.DescribeInstances",
        b"ComputeOptimizerService_20191101.GetEnrollmentStatus",
        b"\xff\xfe.GetEnrollmentStatus",
    ],
)
def test_target_of_another_form_is_unknown(value: bytes) -> None:
    assert refusal("POST", "/", {b"x-amz-target": value}) == like(UNKNOWN_OPERATION)


@pytest.mark.parametrize("header", [b"x-amz-target", b"x-amzn-target"])
def test_rpc_v2_cbor_with_a_target_is_refused(header: bytes) -> None:
    # One request must not mean one operation to a proxy and another one here.
    headers = {**CBOR_HEADERS, header: b"ComputeOptimizerService.UpdateEnrollmentStatus"}

    assert refusal("POST", CBOR_PATH, headers) == like(MALFORMED_HTTP_REQUEST)


@pytest.mark.parametrize("protocol", [b"", b"rpc-v2-json", b"rpc-v2-cbor, rpc-v2-cbor"])
def test_other_smithy_protocols_are_unknown(protocol: bytes) -> None:
    headers = {b"smithy-protocol": protocol, **target(OPERATION)}

    assert refusal("POST", CBOR_PATH, headers) == like(UNKNOWN_OPERATION)


def test_cbor_path_without_the_protocol_header_is_unknown() -> None:
    headers = {b"content-type": b"application/cbor"}

    assert refusal("POST", CBOR_PATH, headers) == like(UNKNOWN_OPERATION)


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS"])
def test_operations_are_called_by_post_only(method: str) -> None:
    assert refusal(method, "/", target(OPERATION)) == like(UNKNOWN_OPERATION)
    assert refusal(method, CBOR_PATH, CBOR_HEADERS) == like(UNKNOWN_OPERATION)


AUTOMATION = "ComputeOptimizerAutomationService"


@pytest.mark.parametrize("operation", service_model("compute-optimizer-automation").operation_names)
def test_automation_operations_are_unknown(operation: str) -> None:
    path = f"/service/{AUTOMATION}/operation/{operation}"

    assert refusal("POST", path, CBOR_HEADERS) == like(UNKNOWN_OPERATION)
    assert refusal("POST", "/", target(operation, AUTOMATION)) == like(UNKNOWN_OPERATION)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {b"content-type": b"application/cbor", b"accept": b"application/cbor"},
        {b"content-type": b"application/x-amz-json-1.0; charset=utf-8"},
        {b"content-type": b"application/x-amz-json-1.1", b"accept": b"text/html"},
        {b"x-amz-api-version": b"2019-11-01"},
    ],
)
def test_no_other_header_decides(more: dict[bytes, bytes]) -> None:
    assert claim("POST", "/", {**target(OPERATION), **more}).encoding is JSON
    assert claim("POST", CBOR_PATH, {**CBOR_HEADERS, **more}).encoding is CBOR


@pytest.mark.parametrize(
    ("headers", "encoding"),
    [
        ({}, JSON),
        ({b"content-type": b"text/plain"}, JSON),
        ({b"content-type": b"application/x-amz-json-1.0"}, JSON),
        ({b"content-type": b"application/cbor"}, CBOR),
        ({b"content-type": b"application/cbor; x=y"}, CBOR),
        ({b"smithy-protocol": b"rpc-v2-json"}, CBOR),
        ({b"smithy-protocol": b"rpc-v2-cbor", b"x-amz-target": b"a.b"}, CBOR),
    ],
)
def test_what_cannot_be_claimed_is_answered_in_the_clients_encoding(
    headers: dict[bytes, bytes], encoding: Encoding
) -> None:
    assert encoding_for(headers) is encoding
