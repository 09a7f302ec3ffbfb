"""From a parsed body to a request: what is let through, what is refused and in which words."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from compute_optimizer.api.protocols import CBOR, ENCODINGS, JSON, Encoding
from compute_optimizer.shapes import ServiceException

WRITERS: dict[str, Callable[[Any], bytes]] = {
    "json": lambda tree: json.dumps(tree).encode(),
    "cbor": cbor2.dumps,
}

EC2 = "GetEC2InstanceRecommendations"
PREFERENCES = "PutRecommendationPreferences"
PROJECTED = "GetEC2RecommendationProjectedMetrics"

SERIALIZATION = "SerializationException"
INVALID = "InvalidParameterValueException"


@pytest.fixture(params=ENCODINGS, ids=lambda encoding: encoding.name)
def encoding(request: pytest.FixtureRequest) -> Encoding:
    chosen: Encoding = request.param
    return chosen


def read(encoding: Encoding, operation: str, tree: Any) -> dict[str, Any]:
    return encoding.decode(WRITERS[encoding.name](tree), operation)


def refusal(encoding: Encoding, operation: str, tree: Any) -> tuple[str, str]:
    with pytest.raises(ServiceException) as refused:
        read(encoding, operation, tree)
    assert refused.value.status == 400
    return refused.value.code, refused.value.message


def projected(**members: Any) -> dict[str, Any]:
    return {"instanceArn": "arn", "stat": "Maximum", "period": 300, **members}


def test_an_empty_body_is_a_request_without_members(encoding: Encoding) -> None:
    assert encoding.decode(b"", EC2) == {}


def test_unknown_members_are_ignored_at_every_level(encoding: Encoding) -> None:
    tree = {
        "maxResults": 5,
        "newcomer": {"deep": [1, {"er": None}]},
        "recommendationPreferences": {"cpuVendorArchitectures": ["CURRENT"], "newcomer": 1},
    }

    assert read(encoding, EC2, tree) == {
        "maxResults": 5,
        "recommendationPreferences": {"cpuVendorArchitectures": ["CURRENT"]},
    }


def test_null_members_are_dropped(encoding: Encoding) -> None:
    tree = {"maxResults": None, "filters": None, "recommendationPreferences": {"x": None}}

    assert read(encoding, EC2, tree) == {"recommendationPreferences": {}}


def test_undefined_members_of_cbor_are_dropped() -> None:
    # {"maxResults": undefined}
    assert CBOR.decode(b"\xa1\x6amaxResults\xf7", EC2) == {}


def test_a_null_in_place_of_a_required_member_is_missing(encoding: Encoding) -> None:
    expected = (INVALID, "status: a value is required, got nothing")

    assert refusal(encoding, "UpdateEnrollmentStatus", {}) == expected
    assert refusal(encoding, "UpdateEnrollmentStatus", {"status": None}) == expected


def test_a_required_member_is_asked_for_inside_structures(encoding: Encoding) -> None:
    tree = {"resourceType": "Ec2Instance", "scope": {"name": "AccountId", "value": "1"}}
    tree["externalMetricsPreference"] = {}
    assert "scope" in read(encoding, PREFERENCES, tree)

    code, message = refusal(encoding, PREFERENCES, {"scope": tree["scope"]})
    assert (code, message) == (INVALID, "resourceType: a value is required, got nothing")


@pytest.mark.parametrize("tree", [None, [], "text", 1, True])
def test_a_body_that_is_no_structure_is_refused(encoding: Encoding, tree: Any) -> None:
    code, message = refusal(encoding, EC2, tree)

    assert code == SERIALIZATION
    assert message.startswith("the body: expected a structure")


@pytest.mark.parametrize(
    ("operation", "tree", "message"),
    [
        (EC2, {"maxResults": "5"}, "maxResults: expected an integer, got '5'"),
        (EC2, {"maxResults": True}, "maxResults: expected an integer, got True"),
        (EC2, {"maxResults": 1.5}, "maxResults: expected an integer, got 1.5"),
        (EC2, {"maxResults": [1]}, "maxResults: expected an integer, got a list"),
        (EC2, {"nextToken": 1}, "nextToken: expected a string, got 1"),
        (EC2, {"accountIds": "1"}, "accountIds: expected a list, got '1'"),
        (EC2, {"accountIds": {}}, "accountIds: expected a list, got a structure"),
        (EC2, {"accountIds": ["1", None]}, "accountIds[1]: expected a string, got nothing"),
        (EC2, {"filters": [{"values": [7]}]}, "filters[0].values[0]: expected a string, got 7"),
        (
            "UpdateEnrollmentStatus",
            {"status": "Active", "includeMemberAccounts": "true"},
            "includeMemberAccounts: expected true or false, got 'true'",
        ),
    ],
)
def test_another_type_is_refused_with_its_place(
    encoding: Encoding, operation: str, tree: Any, message: str
) -> None:
    assert refusal(encoding, operation, tree) == (SERIALIZATION, message)


@pytest.mark.parametrize(
    ("operation", "tree", "message"),
    [
        (EC2, {"maxResults": -1}, "maxResults: expected 0 to 1000, got -1"),
        (EC2, {"maxResults": 1001}, "maxResults: expected 0 to 1000, got 1001"),
        ("GetIdleRecommendations", {"maxResults": 101}, "maxResults: expected 0 to 100, got 101"),
        (PROJECTED, projected(period=2**31), f"period: expected {-(2**31)} to {2**31 - 1}, "),
        (PROJECTED, projected(period=2**63), "period: expected "),
        (
            "UpdateEnrollmentStatus",
            {"status": "active"},
            "status: expected one of Active, Inactive, Pending, Failed, got 'active'",
        ),
        (
            EC2,
            {"recommendationPreferences": {"cpuVendorArchitectures": ["CURRENT", "X86"]}},
            "recommendationPreferences.cpuVendorArchitectures[1]: "
            "expected one of AWS_ARM64, CURRENT, got 'X86'",
        ),
        (
            "ExportEC2InstanceRecommendations",
            {"s3DestinationConfig": {}, "fieldsToExport": ["Nothing"]},
            "fieldsToExport[0]: expected one of the values of ExportableInstanceField, "
            "got 'Nothing'",
        ),
    ],
)
def test_a_broken_constraint_is_refused_with_its_place(
    encoding: Encoding, operation: str, tree: Any, message: str
) -> None:
    code, said = refusal(encoding, operation, tree)

    assert code == INVALID
    assert said.startswith(message)


def test_bounds_themselves_are_allowed(encoding: Encoding) -> None:
    for value in (0, 1000):
        assert read(encoding, EC2, {"maxResults": value}) == {"maxResults": value}


def test_a_whole_float_is_an_integer(encoding: Encoding) -> None:
    # JavaScript knows no other numbers.
    request = read(encoding, EC2, {"maxResults": 5.0})

    assert request == {"maxResults": 5}
    assert type(request["maxResults"]) is int


def test_names_of_filters_are_left_to_the_operation(encoding: Encoding) -> None:
    tree = {"filters": [{"name": "tag:Owner", "values": ["web"]}]}

    assert read(encoding, EC2, tree) == tree


def test_text_that_cannot_be_stored_is_refused(encoding: Encoding) -> None:
    expected = (SERIALIZATION, "nextToken: expected Unicode text without NUL, got 'a\\x00b'")

    assert refusal(encoding, EC2, {"nextToken": "a\0b"}) == expected


def test_half_a_surrogate_pair_is_refused() -> None:
    # Only JSON can escape one.
    code, message = refusal(JSON, EC2, {"nextToken": "a\ud800"})

    assert (code, message) == (
        SERIALIZATION,
        "nextToken: expected Unicode text without NUL, got 'a\\\\ud800'",
    )


def test_a_long_value_is_not_repeated_whole(encoding: Encoding) -> None:
    _, message = refusal(encoding, "UpdateEnrollmentStatus", {"status": "x" * 10_000})

    assert len(message) < 200
    assert message.endswith("xxx...")


def test_a_number_beyond_64_bits_is_not_spelled_out() -> None:
    # CBOR has none: tags 2 and 3 are refused with the bytes.
    code, message = refusal(JSON, EC2, {"maxResults": 10**4000})

    assert (code, message) == (
        INVALID,
        "maxResults: expected 0 to 1000, got a number beyond 64 bits",
    )


MOMENT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
"""1,700,000,000 seconds after 1970."""


@pytest.mark.parametrize("sent", [1_700_000_000, 1_700_000_000.0])
def test_json_moments_are_epoch_numbers(sent: float) -> None:
    assert read(JSON, PROJECTED, projected(startTime=sent, endTime=sent))["startTime"] == MOMENT


@pytest.mark.parametrize("sent", ["2023-11-14T22:13:20Z", "1700000000", True, [], 1e300, 10**400])
def test_json_moments_of_another_form_are_refused(sent: Any) -> None:
    code, message = refusal(JSON, PROJECTED, projected(startTime=sent, endTime=1))

    assert code == SERIALIZATION
    assert message.startswith("startTime: expected ")


@pytest.mark.parametrize("seconds", [1_700_000_000, 1_700_000_000.0])
def test_cbor_moments_are_under_tag_1(seconds: float) -> None:
    sent = cbor2.CBORTag(1, seconds)

    assert read(CBOR, PROJECTED, projected(startTime=sent, endTime=sent))["startTime"] == MOMENT


@pytest.mark.parametrize("sent", [1_700_000_000, 1.5, "2023-11-14T22:13:20Z", b"1", []])
def test_cbor_moments_without_tag_are_refused(sent: Any) -> None:
    code, message = refusal(CBOR, PROJECTED, projected(startTime=sent, endTime=sent))

    assert code == SERIALIZATION
    assert message.startswith("startTime: expected seconds since 1970 under CBOR tag 1")


def test_a_cbor_moment_elsewhere_is_refused() -> None:
    code, message = refusal(CBOR, EC2, {"nextToken": cbor2.CBORTag(1, 0)})

    assert code == SERIALIZATION
    assert message.startswith("nextToken: expected a string")


@pytest.mark.parametrize("value", [b"Active", cbor2.CBORSimpleValue(32)])
def test_cbor_bytes_and_simple_values_are_no_text(value: Any) -> None:
    code, _ = refusal(CBOR, "UpdateEnrollmentStatus", {"status": value})

    assert code == SERIALIZATION
