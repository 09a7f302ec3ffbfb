"""From a response to bytes: what is left out, and what is a defect."""

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import cbor2
import numpy as np
import pytest

from compute_optimizer.api.protocols import (
    CBOR,
    ENCODINGS,
    JSON,
    Encoding,
    answer_writer,
    entry_writer,
)
from compute_optimizer.api.protocols.output_forms import compile_form, in_form
from compute_optimizer.api.protocols.output_walk import compile_writer, epoch_seconds
from compute_optimizer.shapes.model import service_model

STATUS = "GetEnrollmentStatus"
EC2 = "GetEC2InstanceRecommendations"

MOMENT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
"""1,700,000,000 seconds after 1970."""


@pytest.fixture(params=ENCODINGS, ids=lambda encoding: encoding.name)
def encoding(request: pytest.FixtureRequest) -> Encoding:
    chosen: Encoding = request.param
    return chosen


def written(encoding: Encoding, operation: str, response: dict[str, Any]) -> Any:
    body = encoding.encode(response, operation)
    return json.loads(body) if encoding is JSON else cbor2.loads(body)


def test_a_response_without_members_is_an_empty_structure() -> None:
    # Never an empty body: botocore stumbles over one.
    assert JSON.encode({}, STATUS) == b"{}"
    assert CBOR.encode({}, STATUS) == b"\xa0"


def test_unset_members_are_left_out(encoding: Encoding) -> None:
    response = {
        "nextToken": None,
        "instanceRecommendations": [{"instanceArn": "arn", "tags": None}],
        "errors": [],
    }

    assert written(encoding, EC2, response) == {
        "instanceRecommendations": [{"instanceArn": "arn"}],
        "errors": [],
    }


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        (MOMENT, b"1700000000"),
        (MOMENT + timedelta(milliseconds=123), b"1700000000.123"),
        # Smithy promises milliseconds and no more; 999.6 ms are the next second.
        (MOMENT + timedelta(microseconds=123_400), b"1700000000.123"),
        (MOMENT + timedelta(microseconds=999_600), b"1700000001"),
        (1_700_000_000, b"1700000000"),
    ],
)
def test_json_moments_are_epoch_numbers(moment: Any, number: bytes) -> None:
    body = JSON.encode({"lastUpdatedTimestamp": moment}, STATUS)

    assert body == b'{"lastUpdatedTimestamp":' + number + b"}"


@pytest.mark.parametrize(
    ("moment", "value"),
    [
        (MOMENT, bytes.fromhex("c11a6553f100")),
        (MOMENT + timedelta(milliseconds=500), bytes.fromhex("c1fb41d954fc40200000")),
    ],
)
def test_cbor_moments_are_under_tag_1(moment: datetime, value: bytes) -> None:
    body = CBOR.encode({"lastUpdatedTimestamp": moment}, STATUS)

    # A map of one member with a name of 20 characters.
    assert body == b"\xa1\x74lastUpdatedTimestamp" + value


def test_doubles_stay_doubles() -> None:
    option = {"performanceRisk": 1.0}
    response = {"instanceRecommendations": [{"recommendationOptions": [option]}]}

    assert b'"performanceRisk":1.0' in JSON.encode(response, EC2)
    assert b"\x6fperformanceRisk\xfb\x3f\xf0" in CBOR.encode(response, EC2)


def test_integers_where_the_model_has_doubles_become_doubles() -> None:
    response = {"instanceRecommendations": [{"lookBackPeriodInDays": 14}]}

    assert b'"lookBackPeriodInDays":14.0' in JSON.encode(response, EC2)


def test_numbers_of_arrays_are_written_as_numbers(encoding: Encoding) -> None:
    option = {"performanceRisk": np.float64(2), "rank": np.int64(3)}
    response = {"instanceRecommendations": [{"recommendationOptions": [option]}]}

    recommendation = written(encoding, EC2, response)["instanceRecommendations"][0]
    assert recommendation["recommendationOptions"] == [{"performanceRisk": 2.0, "rank": 3}]


def test_values_of_string_enums_are_written_as_strings(encoding: Encoding) -> None:
    class Status(StrEnum):
        ACTIVE = "Active"

    assert written(encoding, STATUS, {"status": Status.ACTIVE}) == {"status": "Active"}


@pytest.mark.parametrize(
    ("response", "defect"),
    [
        ({"stauts": "Active"}, "GetEnrollmentStatusResponse has no member 'stauts'"),
        ({"status": 1}, "expected a string, got 1"),
        ({"memberAccountsEnrolled": 1}, "expected True or False, got 1"),
        ({"numberOfMemberAccountsOptedIn": 1.5}, "float"),
        ({"numberOfMemberAccountsOptedIn": "1"}, "str"),
        ({"lastUpdatedTimestamp": datetime(2026, 1, 1)}, "every moment needs a time zone"),
    ],
)
def test_what_the_model_does_not_have_is_a_defect(
    encoding: Encoding, response: dict[str, Any], defect: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=defect):
        encoding.encode(response, STATUS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("-inf")])
def test_what_is_no_number_is_never_sent(encoding: Encoding, value: float) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        encoding.encode({"instanceRecommendations": [{"lookBackPeriodInDays": value}]}, EC2)


def test_headers_name_the_protocol() -> None:
    assert JSON.headers == {"content-type": "application/x-amz-json-1.0"}
    # The protocol's specification: a response without smithy-protocol is malformed.
    assert CBOR.headers == {
        "content-type": "application/cbor",
        "smithy-protocol": "rpc-v2-cbor",
    }


def test_writing_changes_nothing_of_the_response(encoding: Encoding) -> None:
    def response() -> dict[str, Any]:
        metric = {"name": "CPU", "statistic": "MAXIMUM", "value": 21.25}
        shown = {
            "utilizationMetrics": [metric, metric],
            "lastRefreshTimestamp": MOMENT,
            "tags": None,
        }
        return {"instanceRecommendations": [shown], "errors": []}

    given = response()

    assert encoding.encode(given, EC2) == encoding.encode(given, EC2)
    assert given == response()


def test_what_is_written_as_it_is_is_checked_all_the_same(encoding: Encoding) -> None:
    metric = {"name": "CPU", "value": float("nan")}
    response = {"instanceRecommendations": [{"utilizationMetrics": [metric]}]}

    with pytest.raises(ValueError, match="nan cannot be sent"):
        encoding.encode(response, EC2)


RECOMMENDATION: dict[str, Any] = {
    "instanceArn": "arn",
    "instanceName": "größer",
    "lookBackPeriodInDays": 14,
    "utilizationMetrics": [{"name": "CPU", "statistic": "MAXIMUM", "value": 21.25}],
    "recommendationOptions": [{"rank": 1, "performanceRisk": 1.0, "platformDifferences": []}],
    "lastRefreshTimestamp": MOMENT,
    "tags": None,
}


OUTPUT = service_model("compute-optimizer").operation_model(EC2).output_shape
FORM = compile_form(OUTPUT, {})


def test_what_is_written_at_once_is_what_the_walk_writes() -> None:
    later = {"lastRefreshTimestamp": MOMENT + timedelta(microseconds=123_400)}
    entries = [RECOMMENDATION, later, {}]
    response = {"instanceRecommendations": entries, "errors": [], "nextToken": "more"}

    walked = JSON.render(compile_writer(OUTPUT, epoch_seconds, {})(response))

    assert in_form(response, FORM) is not None
    # Forms have their own order of members, and no encoding has one.
    assert JSON.parse(JSON.encode(response, EC2)) == JSON.parse(walked)
    assert len(JSON.encode(response, EC2)) == len(walked)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"lookBackPeriodInDays": float("nan")}, id="no number"),
        pytest.param({"lookBackPeriodInDays": True}, id="another kind"),
        pytest.param({"instanceArm": "arn"}, id="no member"),
        pytest.param({"lastRefreshTimestamp": datetime(2026, 1, 1)}, id="no time zone"),
    ],
)
def test_a_defect_is_not_written_at_once(entry: dict[str, Any]) -> None:
    assert in_form({"instanceRecommendations": [entry]}, FORM) is None


def test_entries_that_are_written_as_they_come_make_the_same_answer() -> None:
    write = entry_writer(JSON, EC2)
    assert write is not None
    # The number of an array is not written at once: the walk has to see it.
    odd = {"instanceArn": "odd", "lookBackPeriodInDays": np.float64(14)}
    entries = [RECOMMENDATION, odd]

    as_they_come = [write("instanceRecommendations", one) for one in entries]
    body = JSON.encode({"instanceRecommendations": as_they_come, "nextToken": None}, EC2)

    at_once = JSON.encode({"instanceRecommendations": entries}, EC2)
    assert JSON.parse(body) == JSON.parse(at_once)
    with pytest.raises(TypeError, match="has no member 'instanceArm'"):
        write("instanceRecommendations", {"instanceArm": "arn"})


def test_an_answer_that_is_written_already_is_sent_as_it_is(encoding: Encoding) -> None:
    response = {"status": "Active", "lastUpdatedTimestamp": MOMENT}

    written_before = answer_writer(encoding, STATUS)(response)

    assert encoding.encode(written_before, STATUS) == encoding.encode(response, STATUS)
    assert answer_writer(encoding, STATUS) is answer_writer(encoding, STATUS)
