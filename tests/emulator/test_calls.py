"""The record of calls, made by boto3 in both protocols."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from compute_optimizer.emulator import calls as record
from compute_optimizer.emulator.faults import drop, throttle
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from tests.calling import ACCOUNT, AFTER_LAST_DAY, OTHER, Connect


@pytest.fixture
def running() -> Iterator[Emulator]:
    with emulator(clock=AFTER_LAST_DAY, frozen=True) as one:
        yield one


def test_has_every_call_with_its_answer(running: Emulator, connect: Connect) -> None:
    client = connect(running, OTHER, region="eu-west-1")
    client.update_enrollment_status(status="Active")
    running.clock.advance(seconds=5)
    client.get_enrollment_status()

    assert running.calls.operations == ["UpdateEnrollmentStatus", "GetEnrollmentStatus"]
    first, last = running.calls
    assert (first.account, first.region) == (OTHER, "eu-west-1")
    assert first.request == {"status": "Active"}
    assert first.answer == {"status": "Pending", "statusReason": "The account is being enrolled."}
    assert first.moment == AFTER_LAST_DAY
    assert last == running.calls.last
    assert last.moment == AFTER_LAST_DAY + timedelta(seconds=5)
    assert last.answer is not None
    assert last.answer["status"] == "Active"
    assert (last.error, last.attempt, last.is_retry, last.faults) == (None, 1, False, ())


def test_tells_the_protocol(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    client.get_enrollment_status()

    # The extras of the session of CBOR say which protocols the model has.
    protocols = client.meta.service_model.metadata["protocols"]
    expected = "cbor" if protocols == ["smithy-rpc-v2-cbor"] else "json"
    assert running.calls.last.protocol == expected


def test_has_calls_that_were_refused(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    with pytest.raises(client.exceptions.OptInRequiredException):
        client.get_recommendation_summaries(maxResults=5)
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.update_enrollment_status(status="Perhaps")

    first, last = running.calls
    assert (first.error, first.answer) == ("OptInRequiredException", None)
    assert first.message == "Aws account is not registered for recommendation."
    assert first.request == {"maxResults": 5}
    assert (last.error, last.request) == ("InvalidParameterValueException", None)


def test_tells_retries_from_new_calls(running: Emulator, connect: Connect) -> None:
    running.faults.add(throttle(times=1, retry_after=0.01))
    client = connect(running, attempts=2)
    client.get_enrollment_status()
    client.get_enrollment_status()

    assert [one.attempt for one in running.calls] == [1, 2, 1]
    assert [one.is_retry for one in running.calls] == [False, True, False]
    first, again, new = (one.invocation for one in running.calls)
    assert first == again != new
    assert len(running.calls(retries=False)) == 2


def test_is_searched_by_operation_account_and_error(running: Emulator, connect: Connect) -> None:
    running.faults.add(throttle(account=OTHER))
    connect(running, ACCOUNT).get_enrollment_status()
    connect(running, ACCOUNT).update_enrollment_status(status="Active")
    with pytest.raises(ClientError):
        connect(running, OTHER).get_enrollment_status()

    assert len(running.calls("GetEnrollmentStatus")) == 2
    assert len(running.calls("GetEnrollmentStatus", account=ACCOUNT)) == 1
    assert [one.account for one in running.calls(error="ThrottlingException")] == [OTHER]
    assert running.calls("GetEnrollmentStatus")[-1:].operations == ["GetEnrollmentStatus"]
    with pytest.raises(IndexError):
        _ = running.calls("GetIdleRecommendations").last


def test_can_be_read_by_people(running: Emulator, connect: Connect) -> None:
    running.faults.add(throttle(times=1, retry_after=0.01))
    assert repr(running.calls) == "no calls"
    client = connect(running, attempts=2)
    client.update_enrollment_status(status="Active")

    assert repr(running.calls).splitlines() == [
        "1. UpdateEnrollmentStatus by 111111111111 {'status': 'Active'} -> ThrottlingException "
        "(fault: throttle)",
        "2. UpdateEnrollmentStatus by 111111111111 {'status': 'Active'} -> ok (attempt 2)",
    ]


def test_knows_which_answers_never_arrived(running: Emulator, connect: Connect) -> None:
    running.faults.add(drop(when="after", times=1))
    connect(running, attempts=2).get_enrollment_status()

    assert [one.reached for one in running.calls] == [False, True]


def test_a_call_that_was_dropped_before_it_began_has_no_answer(
    running: Emulator, connect: Connect
) -> None:
    running.faults.add(drop(times=1))
    connect(running, attempts=2).get_enrollment_status()

    assert running.calls[0].error == "ConnectionDropped"
    assert running.calls[0].answer is None


def test_can_be_cleared_and_goes_on_counting(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    client.get_enrollment_status()
    running.calls.clear()
    assert len(running.calls) == 0

    client.get_enrollment_status()
    assert [one.number for one in running.calls] == [2]


def test_keeps_the_newest_within_its_bound(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "CALLS_KEPT", 2)
    with emulator() as running:
        for _ in range(3):
            connect(running).get_enrollment_status()

        assert [one.number for one in running.calls] == [2, 3]
