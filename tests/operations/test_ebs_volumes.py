"""GetEBSVolumeRecommendations over stored runs: what it has of its own.

Accounts, pages and tokens are those of every list; the tests of the instances hold them.
"""

from functools import partial
from typing import Any

import pytest

from compute_optimizer.model.ebs_volume import EbsVolumeRecommendation
from compute_optimizer.model.recommendation import Finding, RecommendationError
from compute_optimizer.model.resource import EBS_VOLUME
from compute_optimizer.shapes import InvalidParameterValueException, OptInRequiredException
from tests import written_runs
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.records import arn, recommendation
from tests.volumes import volume_arn, volume_recommendation

OPERATION = "GetEBSVolumeRecommendations"

publish = partial(written_runs.publish, resource_type=EBS_VOLUME)


def ask(desk: Desk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return desk.call(OPERATION, account, **request)


def arns_of(answer: dict[str, Any]) -> list[str]:
    return [one["volumeArn"] for one in answer["volumeRecommendations"]]


def own(number: int) -> str:
    return volume_arn(number, MANAGEMENT)


def volumes(count: int) -> list[EbsVolumeRecommendation]:
    return [volume_recommendation(number, account_id=MANAGEMENT) for number in range(count)]


@pytest.fixture
def desk(enrolled: Desk) -> Desk:
    """An organization of which every account is Active."""
    return enrolled


def test_before_the_first_analysis_the_answer_is_empty(desk: Desk) -> None:
    assert ask(desk) == {"volumeRecommendations": [], "errors": []}


def test_volumes_and_instances_are_listed_each_by_their_own_operation(desk: Desk) -> None:
    publish(desk, volumes(2))
    publish(desk, [recommendation(1, account_id=MANAGEMENT)], resource_type="Ec2Instance")

    instances = desk.call("GetEC2InstanceRecommendations", MANAGEMENT)

    assert arns_of(ask(desk)) == [own(0), own(1)]
    assert [one["instanceArn"] for one in instances["instanceRecommendations"]] == [
        arn(1, MANAGEMENT)
    ]


def test_each_listed_arn_without_a_recommendation_says_why(desk: Desk) -> None:
    detached = RecommendationError(own(7), "RECOMMENDATION_NOT_FOUND", "No recommendation.")
    publish(desk, volumes(3), [detached])
    of_instance, strange = arn(1, MANAGEMENT), volume_arn(1, ALPHA)
    far = volume_arn(1, MANAGEMENT, "eu-west-1")

    answer = ask(desk, volumeArns=[own(1), own(7), of_instance, strange, far, own(9)])

    assert arns_of(answer) == [own(1)]
    assert {one["identifier"]: one["code"] for one in answer["errors"]} == {
        own(7): "RECOMMENDATION_NOT_FOUND",
        of_instance: "INVALID_ARN",
        strange: "ACCESS_DENIED",
        far: "CROSS_REGION",
        own(9): "RECOMMENDATION_NOT_FOUND",
    }


def test_too_many_arns_are_refused_by_the_name_of_the_member(desk: Desk) -> None:
    with pytest.raises(InvalidParameterValueException, match="volumeArns lists 1001 resources"):
        ask(desk, volumeArns=[own(number) for number in range(1_001)])


def test_filters_are_findings_and_tags(desk: Desk) -> None:
    fine = volume_recommendation(
        5, account_id=MANAGEMENT, finding=Finding.OPTIMIZED, tags={"team": "web"}
    )
    publish(desk, [*volumes(2), fine])

    def by(name: str, value: str) -> list[str]:
        return arns_of(ask(desk, filters=[{"name": name, "values": [value]}]))

    assert by("Finding", "Optimized") == [own(5)]
    assert by("Finding", "NotOptimized") == [own(0), own(1)]
    assert by("tag:team", "web") == [own(5)]
    assert by("tag-key", "team") == [own(0), own(1), own(5)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Finding", "Overprovisioned"),
        ("Finding", "NOT_OPTIMIZED"),
        ("FindingReasonCodes", "CPUOverprovisioned"),
    ],
)
def test_what_instances_filter_by_is_refused(desk: Desk, name: str, value: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=f"{name}"):
        ask(desk, filters=[{"name": name, "values": [value]}])


def test_not_optimized_is_no_finding_of_instances(desk: Desk) -> None:
    wanted = [{"name": "Finding", "values": ["NotOptimized"]}]

    with pytest.raises(InvalidParameterValueException, match="NotOptimized"):
        desk.call("GetEC2InstanceRecommendations", MANAGEMENT, filters=wanted)


def test_pages_put_together_are_the_whole_list(desk: Desk) -> None:
    publish(desk, volumes(3))

    first = ask(desk, maxResults=2)
    second = ask(desk, maxResults=2, nextToken=first["nextToken"])

    assert arns_of(first) + arns_of(second) == [own(0), own(1), own(2)]
    assert "nextToken" not in second


def test_a_token_of_the_instances_is_refused(desk: Desk) -> None:
    publish(desk, volumes(3))
    both = [recommendation(number, account_id=MANAGEMENT) for number in range(3)]
    publish(desk, both, resource_type="Ec2Instance")
    token = desk.call("GetEC2InstanceRecommendations", MANAGEMENT, maxResults=2)["nextToken"]

    with pytest.raises(InvalidParameterValueException, match="not valid for this request"):
        ask(desk, maxResults=2, nextToken=token)


def test_an_account_that_is_not_opted_in_is_told_so(desk: Desk) -> None:
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER)
