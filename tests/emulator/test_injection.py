"""Faults as boto3 meets them, in both protocols."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from compute_optimizer.emulator.faults import (
    FRONT_DOOR_ERRORS,
    MESSAGES,
    Fault,
    drop,
    error,
    expired_token,
    garble,
    partial_errors,
    slow,
    throttle,
    truncate,
)
from compute_optimizer.emulator.running import Emulator, emulator
from compute_optimizer.shapes.model import modelled_errors
from tests.calling import ACCOUNT, AFTER_LAST_DAY, OTHER, Connect, analyze_fleet, connecting
from tests.waiting import SECONDS, wait_until


@pytest.fixture
def running() -> Iterator[Emulator]:
    with emulator(clock=AFTER_LAST_DAY, frozen=True) as one:
        yield one


def status_of(client: Any) -> str:
    return str(client.get_enrollment_status()["status"])


# Errors


@pytest.mark.parametrize("code", sorted(modelled_errors("GetEnrollmentStatus")))
def test_modelled_errors_are_the_sdks_own_exceptions(
    running: Emulator, connect: Connect, code: str
) -> None:
    client = connect(running)
    running.faults.add(error(code, "GetEnrollmentStatus"))
    modelled = getattr(client.exceptions, code)

    with pytest.raises(modelled) as caught:
        client.get_enrollment_status()

    assert caught.value.response["Error"] == {"Code": code, "Message": MESSAGES[code]}


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("OptInRequiredException", "get_recommendation_summaries"),
        ("ResourceNotFoundException", "get_ec2_instance_recommendations"),
        ("LimitExceededException", "get_lambda_function_recommendations"),
    ],
)
def test_errors_of_some_operations_meet_only_those(
    running: Emulator, connect: Connect, code: str, call: str
) -> None:
    client = connect(running)
    client.update_enrollment_status(status="Active")
    running.faults.add(error(code))

    with pytest.raises(getattr(client.exceptions, code)):
        getattr(client, call)()
    assert status_of(client) == "Pending"  # lists none of them


@pytest.mark.parametrize("code", sorted(FRONT_DOOR_ERRORS))
def test_errors_of_the_front_door_reach_the_client(
    running: Emulator, connect: Connect, code: str
) -> None:
    running.faults.add(error(code, message="because"))

    with pytest.raises(ClientError) as caught:
        connect(running).get_enrollment_status()

    told = caught.value.response
    assert told["Error"] == {"Code": code, "Message": "because"}
    assert told["ResponseMetadata"]["HTTPStatusCode"] == FRONT_DOOR_ERRORS[code].status


def test_expired_tokens_are_told_in_the_services_words(running: Emulator, connect: Connect) -> None:
    running.faults.add(expired_token("GetEnrollmentStatus"))

    with pytest.raises(ClientError, match="security token included in the request is expired") as e:
        connect(running).get_enrollment_status()

    assert e.value.response["Error"]["Code"] == "ExpiredTokenException"


def test_says_the_text_that_it_is_given(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    text = "The value of maxResults is not valid."
    running.faults.add(error("InvalidParameterValueException", message=text))

    with pytest.raises(client.exceptions.InvalidParameterValueException, match=text):
        client.get_enrollment_status()


def test_a_refused_operation_does_nothing(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    with (
        running.faults.add(error("InternalServerException", "UpdateEnrollmentStatus")),
        pytest.raises(client.exceptions.InternalServerException),
    ):
        client.update_enrollment_status(status="Active")

    assert status_of(client) == "Inactive"


def test_an_sdk_recovers_from_throttling_by_itself(running: Emulator, connect: Connect) -> None:
    fault = running.faults.add(throttle("GetEnrollmentStatus", times=2, retry_after=0.01))

    assert status_of(connect(running, attempts=3)) == "Inactive"
    assert fault.met == 2
    assert [one.attempt for one in running.calls("GetEnrollmentStatus")] == [1, 2, 3]


def test_says_how_long_to_wait(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    running.faults.add(throttle(retry_after=1.5))

    with pytest.raises(client.exceptions.ThrottlingException) as caught:
        client.get_enrollment_status()

    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-retry-after"] == "1500"


# Which calls


def outcomes(client: Any, count: int) -> str:
    """Return a dot for each call that was answered and an x for each that was not."""
    return "".join("x" if _is_refused(client) else "." for _ in range(count))


def _is_refused(client: Any) -> bool:
    try:
        client.get_enrollment_status()
    except ClientError:
        return True
    return False


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, "xxxxxxxx"),
        ({"times": 2}, "xx......"),
        ({"after": 3}, "...xxxxx"),
        ({"every": 3}, "..x..x.."),
        ({"after": 1, "every": 2, "times": 2}, "..x.x..."),
        # The 1st and 3rd to 5th of the draws of random.Random(1) are below a half: 0.134, 0.847,
        # 0.764, 0.255, 0.495, 0.449, 0.652, 0.789.
        ({"probability": 0.5, "seed": 1}, "x..xxx.."),
    ],
)
def test_meets_the_calls_that_were_chosen(
    running: Emulator, connect: Connect, chosen: Any, expected: str
) -> None:
    running.faults.add(throttle(**chosen))

    assert outcomes(connect(running), 8) == expected


def test_meets_only_the_account_and_region_that_were_chosen(
    running: Emulator, connect: Connect
) -> None:
    running.faults.add(throttle(account=ACCOUNT, region="eu-west-1"))

    assert outcomes(connect(running, ACCOUNT, region="eu-west-1"), 1) == "x"
    assert outcomes(connect(running, OTHER, region="eu-west-1"), 1) == "."
    assert outcomes(connect(running, ACCOUNT, region="us-east-1"), 1) == "."


def test_is_gone_after_its_block_and_when_cleared(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    with running.faults.add(throttle()):
        assert outcomes(client, 1) == "x"
    assert outcomes(client, 1) == "."

    running.faults.add(throttle())
    running.faults.clear()
    assert outcomes(client, 1) == "."
    assert len(running.faults) == 0


def test_several_faults_meet_one_call_in_their_order(running: Emulator, connect: Connect) -> None:
    first = running.faults.add(slow(seconds=0))
    second = running.faults.add(throttle())
    third = running.faults.add(expired_token())

    with pytest.raises(ClientError, match="Rate exceeded"):
        connect(running).get_enrollment_status()

    assert (first.met, second.met, third.met) == (1, 1, 0)
    assert running.calls.last.faults == ("slow", "throttle")


# On the way


def test_slow_answers_run_into_a_clients_limit(running: Emulator, connect: Connect) -> None:
    client = connect(running, read_timeout=0.3)
    running.faults.add(slow("UpdateEnrollmentStatus", seconds=30))

    with pytest.raises(ReadTimeoutError):
        client.update_enrollment_status(status="Active")
    assert status_of(connect(running)) == "Inactive"  # has not begun


def test_slow_answers_may_come_after_the_operation_was_done(
    running: Emulator, connect: Connect
) -> None:
    running.faults.add(slow("UpdateEnrollmentStatus", seconds=30, when="after"))

    with pytest.raises(ReadTimeoutError):
        connect(running, read_timeout=0.3).update_enrollment_status(status="Active")
    wait_until(lambda: status_of(connect(running)) == "Pending")


def test_slow_answers_come_when_their_time_is_over(running: Emulator, connect: Connect) -> None:
    running.faults.add(slow(seconds=0.3))
    began = time.monotonic()

    assert status_of(connect(running)) == "Inactive"
    assert time.monotonic() - began >= 0.3


def test_an_emulator_ends_at_once_while_answers_wait(connect: Connect) -> None:
    before = set(threading.enumerate())
    with emulator() as running:
        running.faults.add(slow(seconds=600))
        with pytest.raises(ReadTimeoutError):
            connect(running, read_timeout=0.3).get_enrollment_status()
        assert set(threading.enumerate()) - before
        began = time.monotonic()

    assert time.monotonic() - began < 60  # A tenth of what the answer would wait.
    # What waited has ended with it, so that nothing asks a state that is closed.
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("when", "raised", "status"),
    [
        ("before", ConnectionClosedError, "Inactive"),
        ("after", ConnectionClosedError, "Pending"),
        ("middle", ConnectionClosedError, "Pending"),
    ],
)
def test_connections_break_at_the_chosen_place(
    running: Emulator, connect: Connect, when: Any, raised: type[Exception], status: str
) -> None:
    client = connect(running)
    running.faults.add(drop("UpdateEnrollmentStatus", when=when))

    with pytest.raises(raised):
        client.update_enrollment_status(status="Active")

    assert status_of(client) == status
    assert running.calls("UpdateEnrollmentStatus").last.reached is False


@pytest.mark.parametrize("when", ["before", "after", "middle"])
def test_an_sdk_recovers_from_a_broken_connection(
    running: Emulator, connect: Connect, when: Any, caplog: pytest.LogCaptureFixture
) -> None:
    running.faults.add(drop("GetEnrollmentStatus", when=when, times=1))

    assert status_of(connect(running, attempts=2)) == "Inactive"
    assert not [one for one in caplog.records if one.name.startswith("uvicorn")]


def test_half_an_answer_is_an_answer_without_members(
    running: Emulator, sessions: dict[str, Any]
) -> None:
    running.faults.add(truncate("GetEnrollmentStatus"))
    answer = connecting(sessions["json"])(running).get_enrollment_status()

    # botocore does not compare the body with its length, and half of the JSON is none.
    assert set(answer) == {"ResponseMetadata"}
    assert running.calls.last.reached is False


def test_a_connection_that_breaks_in_the_middle_has_brought_half_of_the_answer(
    running: Emulator,
) -> None:
    running.faults.add(drop(when="middle", times=1))
    running.faults.add(truncate())

    # {"status":"Inactive","memberAccountsEnrolled":false} has 52 characters.
    half = b'{"status":"Inactive","memb'
    assert received(running) == (half, "reset")
    assert received(running) == (half, "end")


def received(running: Emulator) -> tuple[bytes, str]:
    """Call GetEnrollmentStatus over a bare socket; return what came of a body and how it ended."""
    address = urlsplit(running.url)
    scope = f"{ACCOUNT}/20260315/us-east-1/compute-optimizer/aws4_request"
    with socket.create_connection((address.hostname, address.port), timeout=SECONDS) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            b"X-Amz-Target: ComputeOptimizerService.GetEnrollmentStatus\r\n"
            b"Authorization: AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=host, Signature=0\r\n"
            b"\r\n{}" % scope.encode()
        )
        come = b""
        try:
            while part := connection.recv(4096):
                come += part
        except ConnectionResetError:
            return come.partition(b"\r\n\r\n")[2], "reset"
    return come.partition(b"\r\n\r\n")[2], "end"


def test_a_proxys_page_in_the_place_of_an_answer_tells_nothing(
    running: Emulator, sessions: dict[str, Any]
) -> None:
    running.faults.add(garble("GetEnrollmentStatus", times=1))
    answer = connecting(sessions["json"])(running).get_enrollment_status()

    # botocore reads what is no JSON as an answer without members.
    assert set(answer) == {"ResponseMetadata"}
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"].startswith("text/html")


@pytest.mark.parametrize("fault", [garble(), truncate()], ids=["page", "half"])
def test_cbor_shows_that_an_answer_is_none(
    running: Emulator, sessions: dict[str, Any], fault: Fault
) -> None:
    running.faults.add(fault)

    with pytest.raises(ResponseParserError):
        connecting(sessions["cbor"])(running).get_enrollment_status()


def test_a_garbled_body_has_the_text_and_status_that_it_is_given(
    running: Emulator, connect: Connect
) -> None:
    running.faults.add(garble("GetEnrollmentStatus", body="", status=502))

    with pytest.raises(ClientError) as caught:
        connect(running).get_enrollment_status()

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502


def test_an_sdk_recovers_from_a_bad_gateway(running: Emulator, connect: Connect) -> None:
    running.faults.add(garble("GetEnrollmentStatus", body="", status=502, times=1))

    assert status_of(connect(running, attempts=2)) == "Inactive"


# Partial answers


def test_some_resources_have_an_error_in_the_place_of_a_recommendation(
    running: Emulator, connect: Connect
) -> None:
    first, second, third = analyze_fleet(running, 3)
    running.faults.add(partial_errors("GetEC2InstanceRecommendations", [second]))
    answer = connect(running).get_ec2_instance_recommendations()

    assert [one["instanceArn"] for one in answer["instanceRecommendations"]] == [first, third]
    assert answer["errors"] == [
        {
            "identifier": second,
            "code": "INSUFFICIENT_METRIC_DATA",
            "message": "The resource doesn't have enough metric data to generate a recommendation.",
        }
    ]


def test_a_whole_account_has_an_error_in_the_place_of_recommendations(
    running: Emulator, connect: Connect
) -> None:
    analyze_fleet(running, 2)
    running.faults.add(partial_errors(None, [ACCOUNT], code="ACCESS_DENIED"))
    answer = connect(running).get_ec2_instance_recommendations()

    assert answer["instanceRecommendations"] == []
    assert [(one["identifier"], one["code"]) for one in answer["errors"]] == [
        (ACCOUNT, "ACCESS_DENIED")
    ]
