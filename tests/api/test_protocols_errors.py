"""Errors on the wire: their headers, when to try again, and which ones a client may be shown."""

import pytest

from compute_optimizer import shapes
from compute_optimizer.api.errors import (
    EXPIRED_TOKEN,
    FRONT_DOOR,
    SERIALIZATION,
    FrontDoorError,
    RequestRefused,
    answerable,
)
from compute_optimizer.api.protocols import CBOR, ENCODINGS, JSON, Encoding
from compute_optimizer.errors import InvalidInput, StoreUnavailable
from compute_optimizer.shapes import ServiceException

WAIT = "x-amz-retry-after"


@pytest.fixture(params=ENCODINGS, ids=lambda encoding: encoding.name)
def encoding(request: pytest.FixtureRequest) -> Encoding:
    chosen: Encoding = request.param
    return chosen


def test_json_repeats_the_code_in_a_header_and_cbor_does_not() -> None:
    error = shapes.AccessDeniedException("no")

    assert JSON.error_headers(error) == {
        "content-type": "application/x-amz-json-1.0",
        "x-amzn-ErrorType": "AccessDeniedException",
    }
    assert CBOR.error_headers(error) == {
        "content-type": "application/cbor",
        "smithy-protocol": "rpc-v2-cbor",
    }


def test_body_has_the_absolute_shape_id_and_the_message() -> None:
    error = shapes.OptInRequiredException("no: \u00fc")
    shape_id = b"com.amazonaws.computeoptimizer#OptInRequiredException"

    assert JSON.encode_error(error) == (b'{"__type":"' + shape_id + b'","message":"no: \xc3\xbc"}')
    # A map of 2; texts of 6, 53, 7 and 6 bytes.
    assert CBOR.encode_error(error) == (
        b"\xa2\x66__type\x78\x35" + shape_id + b"\x67messagefno: \xc3\xbc"
    )


@pytest.mark.parametrize(
    ("error", "milliseconds"),
    [
        (shapes.ThrottlingException("later"), "200"),
        (shapes.ThrottlingException("later", retry_after_ms=1500), "1500"),
        (shapes.ThrottlingException("now", retry_after_ms=0), "0"),
        (shapes.ServiceUnavailableException("later"), "1000"),
        (shapes.ServiceUnavailableException("later", retry_after_ms=5), "5"),
    ],
)
def test_errors_that_pass_say_when_to_try_again(
    encoding: Encoding, error: ServiceException, milliseconds: str
) -> None:
    assert encoding.error_headers(error)[WAIT] == milliseconds


@pytest.mark.parametrize(
    "error",
    [
        shapes.InternalServerException("defect"),
        shapes.InvalidParameterValueException("bad", retry_after_ms=5),
        RequestRefused(SERIALIZATION),
    ],
)
def test_other_errors_do_not_ask_to_try_again(encoding: Encoding, error: ServiceException) -> None:
    assert WAIT not in encoding.error_headers(error)


def test_errors_leave_the_headers_of_the_encoding_alone(encoding: Encoding) -> None:
    before = dict(encoding.headers)
    encoding.error_headers(shapes.ThrottlingException("later"))

    assert encoding.headers == before


@pytest.mark.parametrize("row", FRONT_DOOR, ids=lambda row: row.code)
def test_every_row_of_the_front_door_is_a_client_error_with_a_text(row: FrontDoorError) -> None:
    # A 5xx would make SDKs try again what cannot succeed.
    assert 400 <= row.status < 500
    assert RequestRefused(row).message == row.message
    assert RequestRefused(row, "more exactly").message == "more exactly"
    assert row.message


def test_codes_of_the_front_door_are_unique_and_not_of_the_model() -> None:
    codes = [row.code for row in FRONT_DOOR]

    assert len(set(codes)) == len(codes)
    assert not [code for code in codes if hasattr(shapes, code)]


def test_what_the_operation_lists_is_shown() -> None:
    error = shapes.OptInRequiredException("not opted in")

    assert answerable(error, "GetEC2InstanceRecommendations") is error


def test_what_the_operation_does_not_list_is_a_defect() -> None:
    error = shapes.OptInRequiredException("not opted in")

    shown = answerable(error, "GetEnrollmentStatus")
    assert (shown.code, shown.status) == ("InternalServerException", 500)
    assert "opted" not in shown.message


def test_what_the_front_door_refuses_is_shown_by_every_operation() -> None:
    error = RequestRefused(EXPIRED_TOKEN)

    assert answerable(error, "GetEnrollmentStatus") is error


def test_an_unreachable_store_is_a_passing_error() -> None:
    shown = answerable(StoreUnavailable("host db-7 refused"), "GetEnrollmentStatus")

    assert (shown.code, shown.status) == ("ServiceUnavailableException", 503)
    assert "db-7" not in shown.message


@pytest.mark.parametrize("error", [KeyError("secret"), InvalidInput("secret")])
def test_a_defect_does_not_show_its_text(error: Exception) -> None:
    shown = answerable(error, "GetEnrollmentStatus")

    assert (shown.code, shown.status) == ("InternalServerException", 500)
    assert "secret" not in shown.message
