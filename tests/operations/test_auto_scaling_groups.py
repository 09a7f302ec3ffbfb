"""GetAutoScalingGroupRecommendations over stored runs: what it has of its own.

Accounts, pages and tokens are those of every list; the tests of the instances hold them.
"""

from functools import partial
from typing import Any

import pytest

from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.recommendation import Finding, RecommendationError
from compute_optimizer.model.resource import AUTO_SCALING_GROUP
from compute_optimizer.shapes import InvalidParameterValueException, OptInRequiredException
from tests import written_runs
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.groups import group_arn, group_recommendation
from tests.records import arn

OPERATION = "GetAutoScalingGroupRecommendations"

publish = partial(written_runs.publish, resource_type=AUTO_SCALING_GROUP)


def ask(desk: Desk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return desk.call(OPERATION, account, **request)


def arns_of(answer: dict[str, Any]) -> list[str]:
    return [one["autoScalingGroupArn"] for one in answer["autoScalingGroupRecommendations"]]


def own(number: int) -> str:
    return group_arn(number, MANAGEMENT)


def groups(count: int) -> list[AutoScalingGroupRecommendation]:
    return [group_recommendation(number, account_id=MANAGEMENT) for number in range(count)]


@pytest.fixture
def desk(enrolled: Desk) -> Desk:
    """An organization of which every account is Active."""
    return enrolled


def test_before_the_first_analysis_the_answer_is_empty(desk: Desk) -> None:
    assert ask(desk) == {"autoScalingGroupRecommendations": [], "errors": []}


def test_each_listed_arn_without_a_recommendation_says_why(desk: Desk) -> None:
    on_spot = RecommendationError(own(7), "UNSUPPORTED_RESOURCE", "Not supported.")
    publish(desk, groups(3), [on_spot])
    of_instance, strange = arn(1, MANAGEMENT), group_arn(1, ALPHA)
    far = group_arn(1, MANAGEMENT, "eu-west-1")

    answer = ask(
        desk, autoScalingGroupArns=[own(1), own(7), of_instance, strange, far, own(9), own(1)]
    )

    assert arns_of(answer) == [own(1)]
    assert {one["identifier"]: one["code"] for one in answer["errors"]} == {
        own(7): "UNSUPPORTED_RESOURCE",
        of_instance: "INVALID_ARN",
        strange: "ACCESS_DENIED",
        far: "CROSS_REGION",
        own(9): "RECOMMENDATION_NOT_FOUND",
    }


def test_too_many_arns_are_refused_by_the_name_of_the_member(desk: Desk) -> None:
    with pytest.raises(InvalidParameterValueException, match="autoScalingGroupArns lists 1001"):
        ask(desk, autoScalingGroupArns=[own(number) for number in range(1_001)])


def test_filters_look_at_findings_in_either_spelling_reasons_and_sources(desk: Desk) -> None:
    fine = group_recommendation(
        5, account_id=MANAGEMENT, finding=Finding.OPTIMIZED, finding_reason_codes=()
    )
    publish(desk, [*groups(2), fine])

    def by(name: str, value: str) -> list[str]:
        return arns_of(ask(desk, filters=[{"name": name, "values": [value]}]))

    assert by("Finding", "Optimized") == by("Finding", "OPTIMIZED") == [own(5)]
    assert by("Finding", "NotOptimized") == by("Finding", "NOT_OPTIMIZED") == [own(0), own(1)]
    assert by("FindingReasonCodes", "CPUOverprovisioned") == [own(0), own(1)]
    assert by("RecommendationSourceType", "AutoScalingGroup") == [own(0), own(1), own(5)]
    assert by("RecommendationSourceType", "Ec2Instance") == []
    assert by("InferredWorkloadTypes", "Redis") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Finding", "Overprovisioned"),
        ("Finding", "notoptimized"),
        ("RecommendationSourceType", "autoScalingGroup"),
        ("Findings", "Optimized"),
    ],
)
def test_what_is_no_filter_of_groups_is_refused(desk: Desk, name: str, value: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=name):
        ask(desk, filters=[{"name": name, "values": [value]}])


def test_the_architectures_decide_the_options_and_bind_the_token(desk: Desk) -> None:
    publish(desk, groups(3))
    graviton = {"cpuVendorArchitectures": ["AWS_ARM64"]}

    first = ask(desk, maxResults=2, recommendationPreferences=graviton)

    options = first["autoScalingGroupRecommendations"][0]["recommendationOptions"]
    assert [one["configuration"]["instanceType"] for one in options] == ["m6g.large"]
    second = ask(
        desk, maxResults=2, recommendationPreferences=graviton, nextToken=first["nextToken"]
    )
    assert arns_of(first) + arns_of(second) == [own(0), own(1), own(2)]
    with pytest.raises(InvalidParameterValueException, match="not valid for this request"):
        ask(desk, maxResults=2, nextToken=first["nextToken"])


def test_an_administrator_reads_a_member_and_nobody_else_does(desk: Desk) -> None:
    publish(desk, [group_recommendation(4, account_id=ALPHA)], account=ALPHA)

    assert arns_of(ask(desk, accountIds=[ALPHA])) == [group_arn(4, ALPHA)]
    with pytest.raises(InvalidParameterValueException, match="only one"):
        ask(desk, accountIds=[ALPHA, MANAGEMENT])


def test_an_account_that_is_not_opted_in_is_told_so(desk: Desk) -> None:
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER)
