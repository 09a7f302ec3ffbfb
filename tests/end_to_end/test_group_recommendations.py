"""Auto Scaling groups, their members and projected metrics from files to boto3, twice over."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.breaches import mistyped_in
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.end_to_end.imported import import_and_analyze, midnight_of
from tests.groups import group_arn

WEB, API, SPOT = (group_arn(number, ACCOUNT, REGION) for number in (1, 2, 3))
ALONE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-9"

INVENTORY = f"""\
arn,id,account,region,type,min_size,desired_capacity,max_size,spot,auto_scaling_group_arn
{WEB},,,,m5.xlarge,3,3,3,,
{API},,,,m5.xlarge;m5.2xlarge,1,2,8,,
{SPOT},,,,m5.xlarge,1,1,1,true,
,i-1,{ACCOUNT},{REGION},m5.xlarge,,,,,{API}
,i-2,{ACCOUNT},{REGION},m5.xlarge,,,,,{API}
,i-9,{ACCOUNT},{REGION},m5.xlarge,,,,,
"""

CPU = {"web-1": 40, "i-1": 10, "i-2": 30, "i-9": 40}
"""Percent, of a group that sent its own and of members of one that did not."""


@pytest.fixture(scope="module")
def midnight(served_once: Served) -> datetime:
    return midnight_of(served_once)


@pytest.fixture(scope="module")
def analyzed(served_once: Served, midnight: datetime) -> Served:
    """Two days of samples, imported and analyzed."""
    lines: list[str] = []
    for slot in range(2 * 288):
        moment = (midnight - timedelta(minutes=5 * (slot + 1))).isoformat()
        for name, percent in CPU.items():
            lines.append(f"{name},{moment},CPUUtilization,Maximum,{percent}")
            lines.append(f"{name},{moment},mem_used_percent,Maximum,40")
    return import_and_analyze(served_once, INVENTORY, lines, added=6)


def test_groups_of_an_inventory_are_recommended_what_saves(analyzed: Served, protocol: str) -> None:
    page = analyzed.client(protocol=protocol).get_auto_scaling_group_recommendations(
        autoScalingGroupArns=[WEB, API, SPOT]
    )

    web, api = page["autoScalingGroupRecommendations"]
    assert (web["autoScalingGroupArn"], api["autoScalingGroupArn"]) == (WEB, API)
    assert (web["autoScalingGroupName"], web["finding"]) == ("web-1", "NOT_OPTIMIZED")
    first = web["recommendationOptions"][0]
    assert first["configuration"] == {
        "desiredCapacity": 3,
        "minSize": 3,
        "maxSize": 3,
        "type": "SingleInstanceType",
        "instanceType": "m7i-flex.large",
    }
    # 3 x (0.192 - 0.09576) x 730 = 210.7656 USD.
    saved = first["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
    assert saved == pytest.approx(210.7656)
    assert api["utilizationMetrics"][0] == {"name": "CPU", "statistic": "MAXIMUM", "value": 30.0}
    assert api["currentConfiguration"]["mixedInstanceTypes"] == ["m5.xlarge", "m5.2xlarge"]
    assert [(one["identifier"], one["code"]) for one in page["errors"]] == [
        (SPOT, "UNSUPPORTED_RESOURCE")
    ]
    assert mistyped_in(page, "GetAutoScalingGroupRecommendations", enums=False) == []


def test_instances_of_groups_are_told_from_those_that_stand_alone(
    analyzed: Served, protocol: str
) -> None:
    client = analyzed.client(protocol=protocol)

    def by_source(kind: str) -> list[dict[str, Any]]:
        wanted = [{"name": "RecommendationSourceType", "values": [kind]}]
        page = client.get_ec2_instance_recommendations(filters=wanted)
        return [one["recommendationSources"][0] for one in page["instanceRecommendations"]]

    assert [one["recommendationSourceArn"] for one in by_source("AutoScalingGroup")] == [API, API]
    assert [one["recommendationSourceArn"] for one in by_source("Ec2Instance")] == [ALONE]


def test_a_wrong_filter_is_refused_by_the_modelled_exception(
    analyzed: Served, protocol: str
) -> None:
    client = analyzed.client(protocol=protocol)

    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Overprovisioned"):
        client.get_auto_scaling_group_recommendations(
            filters=[{"name": "Finding", "values": ["Overprovisioned"]}]
        )


def test_projected_metrics_reach_boto3_as_moments_and_numbers(
    analyzed: Served, protocol: str, midnight: datetime
) -> None:
    page = analyzed.client(protocol=protocol).get_ec2_recommendation_projected_metrics(
        instanceArn=ALONE,
        stat="Maximum",
        period=3600,
        startTime=midnight - timedelta(hours=3),
        endTime=midnight - timedelta(seconds=1),
    )

    first, second, _ = page["recommendedOptionProjectedMetrics"]
    assert (first["recommendedInstanceType"], second["recommendedInstanceType"]) == (
        "m7i-flex.large",
        "m5.large",
    )
    hours = [midnight - timedelta(hours=left) for left in (3, 2, 1)]
    assert second["projectedMetrics"] == [
        {"name": "CPU", "timestamps": hours, "values": [80.0] * 3},
        {"name": "MEMORY", "timestamps": hours, "values": [80.0] * 3},
    ]
    assert mistyped_in(page, "GetEC2RecommendationProjectedMetrics", enums=False) == []


def test_a_refused_period_and_an_unknown_instance_are_modelled_exceptions(
    analyzed: Served, protocol: str, midnight: datetime
) -> None:
    client = analyzed.client(protocol=protocol)
    asked = {
        "instanceArn": ALONE,
        "stat": "Maximum",
        "period": 300,
        "startTime": midnight - timedelta(hours=3),
        "endTime": midnight,
    }

    with pytest.raises(client.exceptions.InvalidParameterValueException, match="period 60"):
        client.get_ec2_recommendation_projected_metrics(**asked | {"period": 60})
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Minimum"):
        client.get_ec2_recommendation_projected_metrics(**asked | {"stat": "Minimum"})
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_ec2_recommendation_projected_metrics(**asked | {"instanceArn": f"{ALONE}9"})
