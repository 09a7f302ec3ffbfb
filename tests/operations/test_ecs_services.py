"""GetECSServiceRecommendations over stored runs: what it has of its own.

Accounts, pages and tokens are those of every list; the tests of the instances hold them.
"""

from typing import Any

import pytest

from compute_optimizer.model.recommendation import Finding, RecommendationError
from compute_optimizer.shapes import InvalidParameterValueException, OptInRequiredException
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.services import service_arn, service_recommendation
from tests.written_runs import publish

OPERATION = "GetECSServiceRecommendations"


def ask(desk: Desk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return desk.call(OPERATION, account, **request)


def own(name: str) -> str:
    return service_arn(name, MANAGEMENT)


def arns_of(answer: dict[str, Any]) -> list[str]:
    return [one["serviceArn"] for one in answer["ecsServiceRecommendations"]]


@pytest.fixture
def filled(enrolled: Desk) -> Desk:
    """An organization whose management account has three services and one that scales by steps."""
    changes: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {
            "finding": Finding.UNDER_PROVISIONED,
            "finding_reason_codes": ("MemoryUnderprovisioned",),
            "tags": {"team": "web"},
        },
        "c": {"finding": Finding.OPTIMIZED, "finding_reason_codes": (), "options": ()},
    }
    found = [
        service_recommendation(name, account_id=MANAGEMENT, **change)
        for name, change in changes.items()
    ]
    steps = RecommendationError(own("steps"), "UNSUPPORTED_RESOURCE", "Not supported.")
    publish(enrolled, found, [steps], resource_type="EcsService")
    return enrolled


def test_before_the_first_analysis_the_answer_is_empty(enrolled: Desk) -> None:
    assert ask(enrolled) == {"ecsServiceRecommendations": [], "errors": []}


def test_each_listed_arn_without_a_recommendation_says_why(filled: Desk) -> None:
    far, strange = service_arn("a", MANAGEMENT, "eu-west-1"), service_arn("a", ALPHA)
    older = own("a").replace("service/prod/", "service/")
    deep = f"{own('a')}/more"

    answer = ask(filled, serviceArns=[own("a"), own("steps"), older, far, strange, deep])

    assert arns_of(answer) == [own("a")]
    assert {one["identifier"]: one["code"] for one in answer["errors"]} == {
        own("steps"): "UNSUPPORTED_RESOURCE",
        older: "RECOMMENDATION_NOT_FOUND",
        far: "CROSS_REGION",
        strange: "ACCESS_DENIED",
        deep: "INVALID_ARN",
    }


def test_filters_are_findings_reasons_and_tags(filled: Desk) -> None:
    def by(name: str, value: str) -> list[str]:
        return arns_of(ask(filled, filters=[{"name": name, "values": [value]}]))

    assert by("Finding", "Underprovisioned") == [own("b")]
    assert by("Finding", "Optimized") == [own("c")]
    assert by("FindingReasonCode", "CPUOverprovisioned") == [own("a")]
    assert by("tag:team", "web") == [own("b")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Finding", "NotOptimized"),
        ("Finding", "OVER_PROVISIONED"),
        ("FindingReasonCode", "NetworkBandwidthOverprovisioned"),
        ("FindingReasonCodes", "CPUOverprovisioned"),
    ],
)
def test_what_other_types_filter_by_is_refused(filled: Desk, name: str, value: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=f"{name}"):
        ask(filled, filters=[{"name": name, "values": [value]}])


def test_pages_put_together_are_the_whole_list(filled: Desk) -> None:
    first = ask(filled, maxResults=2)
    second = ask(filled, maxResults=2, nextToken=first["nextToken"])

    assert arns_of(first) + arns_of(second) == [own("a"), own("b"), own("c")]
    assert "nextToken" not in second


def test_an_account_that_is_not_opted_in_is_told_so(filled: Desk) -> None:
    with pytest.raises(OptInRequiredException):
        ask(filled, STRANGER)
