"""Which calls a fault meets, and which faults cannot be."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute_optimizer.emulator.faults import (
    FRONT_DOOR_ERRORS,
    MESSAGES,
    Fault,
    Refusal,
    drop,
    error,
    exception,
    failed,
    fires,
    fits,
    garble,
    partial_errors,
    pending,
    slow,
    throttle,
)
from compute_optimizer.errors import InvalidInput
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.shapes.model import modelled_errors

LATER: Any = "later"
INSTANCES = "GetEC2InstanceRecommendations"
ARN = "arn:aws:ec2:us-east-1:111111111111:instance/i-1"


def test_every_error_of_the_service_has_a_text() -> None:
    assert set().union(*map(modelled_errors, OPERATIONS)) == MESSAGES.keys()


@pytest.mark.parametrize("code", sorted({*MESSAGES, *FRONT_DOOR_ERRORS}))
def test_an_error_has_the_status_of_its_code(code: str) -> None:
    made = exception(Refusal(code, "text", 40))

    assert (made.code, made.message, made.retry_after_ms) == (code, "text", 40)
    assert made.status >= 400


@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_an_error_for_all_operations_fits_those_that_list_it(code: str) -> None:
    fault = error(code)
    fitting = {one for one in OPERATIONS if fits(fault, one, "111111111111", "us-east-1")}

    assert fitting == {one for one in OPERATIONS if code in modelled_errors(one)}


def test_partial_errors_for_all_operations_fit_those_whose_answers_have_some() -> None:
    fault = partial_errors(None, [ARN])
    fitting = [one for one in OPERATIONS if fits(fault, one, "111111111111", "us-east-1")]

    # Seven types have errors[]; functions have none (spec 8.4), nor have summaries.
    assert len(fitting) == 7
    assert "GetLambdaFunctionRecommendations" not in fitting


@pytest.mark.parametrize("fault", [pending(), failed()], ids=["pending", "failed"])
def test_faults_of_enrollment_meet_no_call(fault: Fault) -> None:
    assert not fits(fault, "GetEnrollmentStatus", "111111111111", "us-east-1")


@given(
    times=st.one_of(st.none(), st.integers(1, 5)),
    after=st.integers(0, 5),
    every=st.integers(1, 4),
    count=st.integers(0, 30),
)
def test_counts_agree_with_a_list_of_the_calls(
    times: int | None, after: int, every: int, count: int
) -> None:
    chosen: Any = {"after": after, "every": every} | ({} if times is None else {"times": times})
    fault = throttle(**chosen)
    met: list[int] = []
    for nth in range(1, count + 1):
        if fires(fault, nth, len(met), 0.0):
            met.append(nth)

    # The calls after the first ones, each every-th of them, and of those as many as told.
    assert met == list(range(1, count + 1))[after:][every - 1 :: every][:times]


@given(draw=st.floats(0, 1, exclude_max=True), probability=st.floats(0, 1, exclude_min=True))
def test_chance_decides_by_the_draw(draw: float, probability: float) -> None:
    assert fires(throttle(probability=probability), 1, 0, draw) == (draw < probability)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: throttle("GetEnrolmentStatus"), "did you mean GetEnrollmentStatus"),
        (lambda: throttle("nothing"), "no operation 'nothing'"),
        (
            lambda: error("OptInRequiredException", "GetEnrollmentStatus"),
            "never answers OptInRequired",
        ),
        (lambda: error("ValidationException"), "no error 'ValidationException'; expected one of"),
        (lambda: throttle(times=0), "times is 0; expected a whole number from 1"),
        (lambda: throttle(every=0), "every is 0"),
        (lambda: throttle(after=-1), "after is -1"),
        (lambda: throttle(times=True), "times is True"),
        (lambda: throttle(probability=0), "probability is 0; expected a number above 0"),
        (lambda: throttle(probability=1.5), "probability is 1.5"),
        (lambda: throttle(retry_after=-1), "retry_after is -1; expected seconds"),
        (lambda: throttle(account="12"), "account id '12'"),
        (lambda: slow(seconds=4000), "seconds is 4000; expected seconds from 0 to 3600"),
        (lambda: drop(when=LATER), "when is 'later'; expected one of before, after, middle"),
        (lambda: garble(status=99), "status is 99"),
        (lambda: partial_errors("GetEnrollmentStatus", [ARN]), "has no errors"),
        (lambda: partial_errors(INSTANCES, []), "expected a list of ARNs"),
        (lambda: partial_errors(INSTANCES, ARN), "expected a list of ARNs"),
        (lambda: partial_errors(INSTANCES, ["i-1"]), "expected an ARN or an account id"),
        (lambda: partial_errors(INSTANCES, [ARN], code="ODD"), "code 'ODD' needs a message"),
        (lambda: failed(reason="bad luck"), "reason is 'bad luck'; expected one of Failed to"),
        (lambda: pending("one"), "account id 'one'"),
    ],
)
def test_refuses_what_cannot_be(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()
