"""What comes through the front door and how it is answered when something is wrong."""

import gzip
import json
import logging
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from threading import Event
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from compute_optimizer.api import server, transport
from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.shapes import (
    InvalidParameterValueException,
    OptInRequiredException,
)
from tests.end_to_end.conftest import ACCOUNT, Served
from tests.end_to_end.raw import TARGET, exchange, post, post_cbor, post_json
from tests.waiting import SECONDS

KIB = 1024


def still_serves(served: Served) -> bool:
    return post(served).status == 200


def failing(error: Exception) -> Callable[..., Any]:
    """Return an operation that raises."""

    def operation(_context: Any, _request: Any) -> Any:
        raise error

    return operation


# Errors that clients turn into their exceptions


def asking_for(client: Any, operation: str) -> Any:
    """Return a client all of whose calls ask for an operation that its model does not have."""

    def rename(params: dict[str, Any], **_: Any) -> None:
        if target := params["headers"].get("X-Amz-Target"):
            params["headers"]["X-Amz-Target"] = f"{target.partition('.')[0]}.{operation}"
        else:
            params["url"] = f"{params['url'].rpartition('/')[0]}/{operation}"

    client.meta.events.register("before-call", rename)
    return client


def test_an_operation_that_no_model_has_is_unknown(served: Served, protocol: str) -> None:
    client = asking_for(served.client(protocol=protocol), "GetMainframeRecommendations")

    with pytest.raises(ClientError) as raised:
        client.get_enrollment_status()

    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert len(raised.value.response["ResponseMetadata"]["RequestId"]) == 36


def without_signature(served: Served, protocol: str) -> Any:
    return served.client(protocol=protocol, signature_version=UNSIGNED)


def without_permission(served: Served, protocol: str) -> Any:
    return served.signed_client(served.new_key("ec2:*"), protocol)


def signed(served: Served, protocol: str) -> Any:
    return served.signed_client(served.new_key(), protocol)


def while_shutting_down(served: Served, protocol: str) -> Any:
    client = signed(served, protocol)
    served.door.closing.set()
    return client


def too_often(served: Served, protocol: str) -> Any:
    client = signed(served, protocol)
    client.get_enrollment_status()
    return client


@pytest.mark.parametrize(
    ("name", "status", "prepare", "fault"),
    [
        ("MissingAuthenticationToken", 403, without_signature, None),
        ("AccessDeniedException", 403, without_permission, None),
        ("ThrottlingException", 429, too_often, None),
        ("ServiceUnavailableException", 503, while_shutting_down, None),
        ("ServiceUnavailableException", 503, signed, StoreUnavailable("no disk")),
        ("InternalServerException", 500, signed, ZeroDivisionError("secret detail")),
        # Nothing natural raises this one: the operation has no input.
        ("InvalidParameterValueException", 400, signed, InvalidParameterValueException("why")),
    ],
)
def test_each_exception_of_get_enrollment_status_is_caught_by_its_class(
    serve: Callable[..., Served],
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
    name: str,
    status: int,
    prepare: Callable[[Served, str], Any],
    fault: Exception | None,
) -> None:
    throttle = 0.01 if prepare is too_often else 0.0
    served = serve(auth="on", throttle_requests_per_second=throttle, throttle_burst=1.0)
    client = prepare(served, protocol)
    if fault is not None:
        monkeypatch.setitem(OPERATIONS, "GetEnrollmentStatus", failing(fault))

    with pytest.raises(getattr(client.exceptions, name)) as raised:
        client.get_enrollment_status()

    answer = raised.value.response
    assert answer["Error"]["Code"] == name
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36
    assert answer["Error"]["Message"]
    assert "secret detail" not in str(answer)


def test_a_store_that_is_away_takes_one_line_of_the_log(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fault = StoreUnavailable("the state cannot be written: no space left")
    monkeypatch.setitem(OPERATIONS, "GetEnrollmentStatus", failing(fault))

    with pytest.raises(ClientError) as raised:
        served.client().get_enrollment_status()

    (record,) = (one for one in caplog.records if "failed" in one.getMessage())
    request_id = raised.value.response["ResponseMetadata"]["RequestId"]
    assert record.getMessage() == f"request {request_id} failed: {fault}"
    assert record.exc_info is None


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(OptInRequiredException("not listed"), id="error of another operation"),
        pytest.param(KeyError("secret detail"), id="defect"),
    ],
)
def test_what_a_client_is_not_shown_is_logged_with_the_request_id(
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
) -> None:
    monkeypatch.setitem(OPERATIONS, "GetEnrollmentStatus", failing(fault))

    with caplog.at_level(logging.ERROR):
        answer = post(served)

    assert (answer.status, answer.code) == (500, "InternalServerException")
    assert str(fault) not in answer.body.decode()
    (record,) = caplog.records
    assert answer.headers["x-amzn-requestid"] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is fault


def test_a_response_that_cannot_be_encoded_is_a_defect(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(OPERATIONS, "GetEnrollmentStatus", lambda *_: {"stat": "Active"})

    with caplog.at_level(logging.ERROR):
        assert post(served).code == "InternalServerException"

    assert "has no member 'stat'" in caplog.text


# Headers of every answer


@pytest.mark.parametrize("succeeds", [True, False])
def test_every_answer_bears_a_request_id_and_the_time_of_the_servers_clock(
    served: Served, succeeds: bool
) -> None:
    served.clock.advance(days=30)

    answers = [post(served, b"{}" if succeeds else b"{") for _ in range(2)]

    assert [answer.status for answer in answers] == [200 if succeeds else 400] * 2
    ids = [answer.headers["x-amzn-requestid"] for answer in answers]
    assert len(set(ids)) == 2
    for answer in answers:
        moment = parsedate_to_datetime(answer.headers["date"])
        assert abs((served.clock.now() - moment).total_seconds()) < 60
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert len(answer.headers.get_all("content-type") or []) == 1


def test_connections_stay_open_between_requests(served: Served) -> None:
    request = (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {TARGET}\r\nContent-Length: 2\r\n{{close}}"
        "\r\n{{}}"
    )
    first, last = request.format(close=""), request.format(close="Connection: close\r\n")

    answers = exchange(served, (first + last).encode())

    assert answers.count(b"HTTP/1.1 403") == 2  # No signature, answered twice all the same.


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"a": NaN}',
        b"\xff\xfe",
        b"{}{}",
        b"[" * 50_000,
        b'{"status": 7}',
    ],
)
def test_malformed_json_is_a_serialization_error(served: Served, body: bytes) -> None:
    headers = {"x_amz_target": "ComputeOptimizerService.UpdateEnrollmentStatus"}

    answer = post_json(served, body, **headers)

    assert (answer.status, answer.code) == (400, "SerializationException")
    assert answer.headers["x-amzn-errortype"] == "SerializationException"
    assert still_serves(served)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\xa1", id="cut short"),
        pytest.param(b"\x80", id="a list"),
        pytest.param(b"\xa0\xa0", id="bytes after the end"),
        pytest.param(b"\x9f" * 50_000, id="nested without end"),
        pytest.param(b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", id="announces 2^64 members"),
        pytest.param(b"{}", id="JSON"),
    ],
)
def test_malformed_cbor_is_a_serialization_error(served: Served, body: bytes) -> None:
    answer = post_cbor(served, body)

    assert (answer.status, answer.code) == (400, "SerializationException")
    assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert still_serves(served)


def padded(size: int) -> bytes:
    """Return a JSON body of exactly so many bytes; the operation ignores unknown members."""
    empty = b'{"padding":""}'
    return b'{"padding":"%b"}' % (b"x" * (size - len(empty)))


def test_a_body_may_be_as_large_as_the_limit_and_no_larger(serve: Callable[..., Served]) -> None:
    served = serve(max_body_bytes=64 * KIB)

    assert post(served, padded(64 * KIB)).status == 200
    answer = post(served, padded(64 * KIB + 1))

    assert (answer.status, answer.code) == (413, "RequestEntityTooLargeException")
    assert "65536 bytes" in answer.error["message"]
    assert still_serves(served)


def test_the_limit_is_four_mebibytes_unless_set(served: Served) -> None:
    limit = 4 * 1024 * KIB

    assert post(served, padded(limit)).status == 200
    assert post(served, padded(limit + 1)).status == 413


def test_boto3_is_told_that_its_body_is_too_large(
    serve: Callable[..., Served], protocol: str
) -> None:
    client = serve(max_body_bytes=64 * KIB).client(protocol=protocol)
    arns = ["arn:aws:ec2:us-east-1:111111111111:instance/i-0123456789abcdef0"] * 2000

    with pytest.raises(ClientError) as raised:
        client.get_ec2_instance_recommendations(instanceArns=arns)

    assert raised.value.response["Error"]["Code"] == "RequestEntityTooLargeException"


def chunked(body: bytes, pieces: int) -> bytes:
    head = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Amz-Target: {TARGET}\r\n"
    size = -(-len(body) // pieces)
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    sent = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + sent + b"0\r\n\r\n"


def test_a_body_that_does_not_announce_its_size_is_limited_too(
    serve: Callable[..., Served],
) -> None:
    served = serve(max_body_bytes=64 * KIB)

    assert b"MissingAuthenticationToken" in exchange(served, chunked(padded(60 * KIB), 7))
    assert b"HTTP/1.1 413" in exchange(served, chunked(padded(80 * KIB), 7))
    assert still_serves(served)


@pytest.mark.parametrize(
    "begun", [b"", b"POST / HTTP/1.1\r\nHost: x\r\n"], ids=["nothing of it", "its beginning"]
)
def test_a_head_that_does_not_arrive_is_given_up(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(transport, "HEAD_SECONDS", 0.2)
    served = serve()

    assert exchange(served, begun) == b""


def test_a_connection_that_has_had_an_answer_waits_for_the_next_head_in_the_same_way(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "HEAD_SECONDS", 0.2)
    served = serve()

    answered = exchange(served, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP")

    assert answered.count(b"HTTP/1.1 200") == 1


def test_a_head_without_end_is_refused(served: Served) -> None:
    line = b"x-long: " + b"a" * 20 * KIB + b"\r\n"

    # Twenty KiB and more for each line: the fourteenth goes beyond 256 KiB.
    refused = exchange(served, b"POST / HTTP/1.1\r\nHost: x\r\n" + 14 * line)

    assert refused.startswith(b"HTTP/1.1 400")
    assert b"The head of the request is longer than 262144 bytes." in refused
    assert still_serves(served)


@pytest.mark.parametrize("begun", [b"", b"{"], ids=["nothing of it", "its beginning"])
def test_a_body_that_does_not_arrive_is_given_up(
    served: Served, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    head = f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {TARGET}\r\nContent-Length: 100\r\n\r\n"

    with monkeypatch.context() as impatient:
        impatient.setattr(server, "BODY_SECONDS", 0.2)
        answer = exchange(served, head.encode() + begun)

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"RequestTimeoutException" in answer
    assert still_serves(served)


def test_a_compressed_body_is_read(served: Served, protocol: str) -> None:
    headers = {"x_amz_target": "ComputeOptimizerService.UpdateEnrollmentStatus"}
    body = gzip.compress(json.dumps({"status": "Active"}).encode())

    answer = post_json(served, body, content_encoding="gzip", **headers)

    assert answer.status == 200
    assert served.client(protocol=protocol).get_enrollment_status()["status"] != "Inactive"


@pytest.mark.parametrize(
    ("coding", "body", "status", "code"),
    [
        pytest.param("gzip", b"{}", 400, "MalformedHttpRequestException", id="no gzip"),
        pytest.param(
            "gzip", gzip.compress(b"{}")[:-4], 400, "MalformedHttpRequestException", id="cut short"
        ),
        pytest.param(
            "gzip", gzip.compress(b"{}") + b"x", 400, "MalformedHttpRequestException", id="more"
        ),
        pytest.param(
            "gzip",
            gzip.compress(padded(65 * KIB)),
            413,
            "RequestEntityTooLargeException",
            id="bomb",
        ),
        pytest.param("br", b"{}", 400, "MalformedHttpRequestException", id="another coding"),
    ],
)
def test_a_compressed_body_that_cannot_be_read_is_refused(
    serve: Callable[..., Served], coding: str, body: bytes, status: int, code: str
) -> None:
    served = serve(max_body_bytes=64 * KIB)

    answer = post_json(served, body, content_encoding=coding)

    assert (answer.status, answer.code) == (status, code)
    assert still_serves(served)


# Requests that name no operation


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"x-amz-target": "ComputeOptimizerService.Nonsense"}, id="operation"),
        pytest.param({"x-amz-target": "AnotherService.GetEnrollmentStatus"}, id="service"),
        pytest.param({"x-amz-target": "\xff"}, id="no text"),
        pytest.param({}, id="nothing"),
    ],
)
def test_an_unknown_operation_is_a_404(served: Served, headers: dict[str, str]) -> None:
    answer = post(served, headers=headers)

    assert (answer.status, answer.code) == (404, "UnknownOperationException")


def test_a_method_other_than_post_is_no_operation(served: Served) -> None:
    answer = post(served, b"", method="GET")

    assert (answer.status, answer.code) == (404, "UnknownOperationException")


@pytest.mark.parametrize("raw", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03"])
def test_what_is_not_http_is_answered_and_ended(served: Served, raw: bytes) -> None:
    assert exchange(served, raw).startswith(b"HTTP/1.1 400")
    assert still_serves(served)


def test_an_endpoint_may_have_a_path_of_its_own(served: Served, protocol: str) -> None:
    client = served.clients(f"{served.url}/co/prefix", ACCOUNT, protocol)

    assert client.get_enrollment_status()["status"] == "Inactive"


def test_probes_are_answered_without_a_signature(served: Served) -> None:
    answer = post(served, b"", {}, path="/health", method="GET")

    assert (answer.status, answer.body) == (200, b'{"status":"ok"}')


# Side by side


def test_a_long_call_does_not_hold_up_the_others(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Event()

    def slow(_context: Any, _request: Any) -> dict[str, Any]:
        assert release.wait(SECONDS), "nobody answered meanwhile"
        return {"accountEnrollmentStatuses": []}

    monkeypatch.setitem(OPERATIONS, "GetEnrollmentStatusesForOrganization", slow)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(served.client().get_enrollment_statuses_for_organization)
        assert still_serves(served)
        assert not running.done()
        release.set()
        assert running.result()["accountEnrollmentStatuses"] == []


def test_a_server_that_shuts_down_asks_to_come_again(served: Served) -> None:
    served.door.closing.set()

    answer = post(served)

    assert (answer.status, answer.code) == (503, "ServiceUnavailableException")
    assert int(answer.headers["x-amz-retry-after"]) > 0


def test_head_and_body_of_an_answer_come_in_one_piece(served: Served) -> None:
    request = f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {TARGET}\r\nContent-Length: 0\r\n\r\n"

    with socket.create_connection(served.address, timeout=SECONDS) as connection:
        connection.sendall(request.encode())
        first = connection.recv(65_536)

    assert first.startswith(b"HTTP/1.1 403")
    assert first.endswith(b"}")
