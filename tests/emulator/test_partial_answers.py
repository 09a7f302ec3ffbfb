"""Answers in which some resources have an error in the place of a recommendation."""

from typing import Any

import pytest

from compute_optimizer.emulator.partial_answers import (
    RecommendationError,
    can_be_partial,
    with_errors,
)

ACCOUNT = "111111111111"
INSTANCES = "GetEC2InstanceRecommendations"
FIRST, SECOND = (f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-{one}" for one in (1, 2))


def answer() -> dict[str, Any]:
    return {
        "instanceRecommendations": [{"instanceArn": FIRST}, {"instanceArn": SECOND}],
        "errors": [],
    }


def told(request: dict[str, Any], identifier: str) -> tuple[list[str], list[str]]:
    """Return the ARNs of the recommendations that are left, and those of errors[]."""
    error = RecommendationError(identifier, "ACCESS_DENIED", "no")
    found = with_errors(INSTANCES, ACCOUNT, request, answer(), [error])
    left = [one["instanceArn"] for one in found["instanceRecommendations"]]
    return left, [one["identifier"] for one in found["errors"]]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ([FIRST], [SECOND])),
        ({"instanceArns": [FIRST, SECOND]}, ([FIRST], [SECOND])),
        ({"instanceArns": [FIRST]}, ([FIRST, SECOND], [])),
        ({"nextToken": "later"}, ([FIRST], [])),
    ],
    ids=["all", "listed", "not listed", "later page"],
)
def test_errors_concern_what_is_asked_for(request_: Any, expected: Any) -> None:
    assert told(request_, SECOND) == expected


def test_an_account_in_error_has_no_recommendations() -> None:
    assert told({}, ACCOUNT) == ([], [ACCOUNT])
    assert told({}, "222222222222") == ([FIRST, SECOND], [])


def test_an_error_takes_the_place_of_one_that_is_there() -> None:
    there = {"identifier": SECOND, "code": "RECOMMENDATION_NOT_FOUND", "message": "none"}
    before = {"instanceRecommendations": [], "errors": [there]}
    error = RecommendationError(SECOND, "INVALID_ARN", "bad")

    assert with_errors(INSTANCES, ACCOUNT, {}, before, [error])["errors"] == [
        {"identifier": SECOND, "code": "INVALID_ARN", "message": "bad"}
    ]


def test_the_answer_itself_is_not_changed() -> None:
    before = answer()
    with_errors(INSTANCES, ACCOUNT, {}, before, [RecommendationError(FIRST, "CODE", "text")])

    assert before == answer()


def test_functions_and_summaries_have_no_errors() -> None:
    assert can_be_partial(INSTANCES)
    assert not can_be_partial("GetLambdaFunctionRecommendations")
    assert not can_be_partial("GetRecommendationSummaries")
