"""GetLambdaFunctionRecommendations over stored runs: what it has of its own.

Accounts, pages and tokens are those of every list; the tests of the instances hold them.
"""

from typing import Any

import pytest

from compute_optimizer.model.recommendation import Finding
from compute_optimizer.shapes import InvalidParameterValueException, OptInRequiredException
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.functions import function_arn, function_recommendation
from tests.records import arn
from tests.written_runs import publish

OPERATION = "GetLambdaFunctionRecommendations"


def ask(desk: Desk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return desk.call(OPERATION, account, **request)


def own(name: str) -> str:
    return function_arn(name, MANAGEMENT)


def arns_of(answer: dict[str, Any]) -> list[str]:
    return [one["functionArn"] for one in answer["lambdaFunctionRecommendations"]]


@pytest.fixture
def filled(enrolled: Desk) -> Desk:
    """An organization whose management account has three functions and a version of one."""
    changes: dict[str, dict[str, Any]] = {
        "a": {},
        "a:3": {"version": "3"},
        "b": {
            "finding": Finding.OPTIMIZED,
            "finding_reason_codes": (),
            "options": (),
            "tags": {"team": "web"},
        },
        "c": {
            "finding": Finding.UNAVAILABLE,
            "finding_reason_codes": ("InsufficientData",),
            "options": (),
        },
    }
    found = [
        function_recommendation(name, account_id=MANAGEMENT, **change)
        for name, change in changes.items()
    ]
    publish(enrolled, found, resource_type="LambdaFunction")
    return enrolled


def test_before_the_first_analysis_the_answer_is_empty_and_has_no_errors(enrolled: Desk) -> None:
    assert ask(enrolled) == {"lambdaFunctionRecommendations": []}


def test_unavailable_functions_are_shown_to_those_who_ask_for_them(filled: Desk) -> None:
    def by(*findings: str) -> list[str]:
        return arns_of(ask(filled, filters=[{"name": "Finding", "values": list(findings)}]))

    assert arns_of(ask(filled)) == [own("a"), own("a:3"), own("b")]
    assert arns_of(ask(filled, functionArns=[own("c")])) == []
    assert by("Unavailable") == [own("c")]
    assert by("Unavailable", "Optimized") == [own("b"), own("c")]
    assert by("NotOptimized") == [own("a"), own("a:3")]


def test_an_arn_without_a_version_means_the_latest(filled: Desk) -> None:
    unqualified = own("a").removesuffix(":$LATEST")

    assert arns_of(ask(filled, functionArns=[unqualified])) == [own("a")]
    assert arns_of(ask(filled, functionArns=[unqualified, own("a")])) == [own("a")]
    assert arns_of(ask(filled, functionArns=[f"{unqualified}:3"])) == [own("a:3")]


def test_listed_functions_without_a_recommendation_are_left_out(filled: Desk) -> None:
    far, strange = function_arn("a", MANAGEMENT, "eu-west-1"), function_arn("a", ALPHA)

    answer = ask(filled, functionArns=[own("b"), own("z"), far, strange, arn(1, MANAGEMENT), "x"])

    assert arns_of(answer) == [own("b")]
    assert set(answer) == {"lambdaFunctionRecommendations"}


def test_filters_are_findings_reasons_and_tags(filled: Desk) -> None:
    def by(name: str, value: str) -> list[str]:
        return arns_of(ask(filled, filters=[{"name": name, "values": [value]}]))

    assert by("FindingReasonCode", "MemoryOverprovisioned") == [own("a"), own("a:3")]
    assert by("FindingReasonCode", "InsufficientData") == []
    assert by("tag:team", "web") == [own("b")]
    both = [
        {"name": "Finding", "values": ["Unavailable"]},
        {"name": "FindingReasonCode", "values": ["InsufficientData"]},
    ]
    assert arns_of(ask(filled, filters=both)) == [own("c")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Finding", "Overprovisioned"),
        ("FindingReasonCode", "CPUOverprovisioned"),
        ("FindingReasonCodes", "MemoryOverprovisioned"),
    ],
)
def test_what_instances_filter_by_is_refused(filled: Desk, name: str, value: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=f"{name}"):
        ask(filled, filters=[{"name": name, "values": [value]}])


def test_pages_put_together_are_the_whole_list(filled: Desk) -> None:
    first = ask(filled, maxResults=2)
    second = ask(filled, maxResults=2, nextToken=first["nextToken"])

    assert arns_of(first) + arns_of(second) == [own("a"), own("a:3"), own("b")]
    assert "nextToken" not in second


def test_an_account_that_is_not_opted_in_is_told_so(filled: Desk) -> None:
    with pytest.raises(OptInRequiredException):
        ask(filled, STRANGER)
