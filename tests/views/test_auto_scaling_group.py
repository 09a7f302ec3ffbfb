"""Every member of a group's recommendation, held against botocore's model."""

from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.model.recommendation import Finding
from compute_optimizer.views.auto_scaling_group import group_recommendation
from compute_optimizer.views.ec2_instance import Presentation
from tests.breaches import breaches_of, members_of
from tests.groups import BY_HAND, group_arn, group_option
from tests.groups import group_recommendation as stored
from tests.records import NOW

SHAPE = "AutoScalingGroupRecommendation"

SAVINGS = {
    "savingsOpportunityPercentage": 50.0,
    "estimatedMonthlySavings": {"currency": "USD", "value": 140.16},
}
SIZES = {"desiredCapacity": 2, "minSize": 2, "maxSize": 2}

ON_THE_WIRE = {
    "accountId": "111111111111",
    "autoScalingGroupArn": group_arn(1),
    "autoScalingGroupName": "web-1",
    "finding": "NOT_OPTIMIZED",
    "utilizationMetrics": [{"name": "CPU", "statistic": "MAXIMUM", "value": 18.0}],
    "lookBackPeriodInDays": 14.0,
    "currentConfiguration": {**SIZES, "instanceType": "m5.xlarge", "type": "SingleInstanceType"},
    "recommendationOptions": [
        {
            "configuration": {**SIZES, "instanceType": "m5.large", "type": "SingleInstanceType"},
            "projectedUtilizationMetrics": [{"name": "CPU", "statistic": "MAXIMUM", "value": 36.0}],
            "performanceRisk": 1.0,
            "rank": 1,
            "savingsOpportunity": SAVINGS,
            "savingsOpportunityAfterDiscounts": SAVINGS,
            "migrationEffort": "VeryLow",
        }
    ],
    "lastRefreshTimestamp": NOW,
    "currentPerformanceRisk": "VeryLow",
    "inferredWorkloadTypes": [],
}

WITH_GPUS_ONLY = {"currentInstanceGpuInfo"}


def shown(**changes: Any) -> Presentation:
    return Presentation("us-east-1", **changes)


def test_every_member_stands_in_the_spelling_of_the_wire() -> None:
    found = group_recommendation(BY_HAND, shown())

    effective = found.pop("effectiveRecommendationPreferences")
    assert found == ON_THE_WIRE
    assert effective["lookBackPeriod"] == "DAYS_14"
    assert {*found, "effectiveRecommendationPreferences"} == set(members_of(SHAPE)) - WITH_GPUS_ONLY


@pytest.mark.parametrize("finding", [Finding.OPTIMIZED, Finding.NOT_OPTIMIZED])
def test_every_value_is_one_that_the_service_model_lists(finding: Finding) -> None:
    mixed = structs.replace(
        BY_HAND.configuration,
        mixed_types=("m5.xlarge", "m5.2xlarge"),
        allocation_strategy="LowestPrice",
    )
    for one in (stored(finding=finding), stored(finding=finding, configuration=mixed)):
        found = group_recommendation(one, shown(enum_style="model"))

        assert breaches_of(found, SHAPE) == []


def test_a_recommended_type_comes_before_those_that_a_group_mixes() -> None:
    mixed = structs.replace(
        BY_HAND.configuration,
        mixed_types=("m5.xlarge", "m5.2xlarge"),
        allocation_strategy="LowestPrice",
    )

    found = group_recommendation(stored(configuration=mixed), shown())

    assert found["currentConfiguration"] == {
        **SIZES,
        "type": "MixedInstanceTypes",
        "mixedInstanceTypes": ["m5.xlarge", "m5.2xlarge"],
        "allocationStrategy": "LowestPrice",
    }
    # The order of the types decides under this strategy only.
    assert found["recommendationOptions"][0]["configuration"] == {
        **SIZES,
        "type": "MixedInstanceTypes",
        "mixedInstanceTypes": ["m5.large", "m5.xlarge", "m5.2xlarge"],
        "allocationStrategy": "Prioritized",
    }


def test_a_recommended_type_that_is_mixed_already_comes_first() -> None:
    mixed = structs.replace(BY_HAND.configuration, mixed_types=("m5.xlarge", "m5.large"))

    found = group_recommendation(stored(configuration=mixed), shown())

    assert found["currentConfiguration"]["mixedInstanceTypes"] == ["m5.xlarge", "m5.large"]
    advised = found["recommendationOptions"][0]["configuration"]
    assert advised["mixedInstanceTypes"] == ["m5.large", "m5.xlarge"]


def test_spared_hours_are_shown_where_they_are_known() -> None:
    following = group_option("m7i-flex.xlarge", 0.7, hour_reduction=32.11)

    (option,) = group_recommendation(stored(options=(following,)), shown())["recommendationOptions"]

    assert option["configuration"]["estimatedInstanceHourReductionPercentage"] == 32.11


def test_both_architectures_are_ranked_together() -> None:
    found = group_recommendation(BY_HAND, shown(architectures=("AWS_ARM64", "CURRENT")))

    ranks = [
        (o["rank"], o["configuration"]["instanceType"]) for o in found["recommendationOptions"]
    ]
    # Savings of 168.192 and 140.16 USD.
    assert ranks == [(1, "m6g.large"), (2, "m5.large")]


def test_gpus_are_told_of_types_that_have_any() -> None:
    now = structs.replace(BY_HAND.configuration, instance_type="g4dn.xlarge")
    one = stored(configuration=now, options=(group_option("g4dn.xlarge", 0.0),))

    found = group_recommendation(one, shown())

    assert found["currentInstanceGpuInfo"]["gpus"][0]["gpuCount"] == 1
    assert found["recommendationOptions"][0]["instanceGpuInfo"]["gpus"][0]["gpuCount"] == 1
    assert breaches_of(group_recommendation(one, shown(enum_style="model")), SHAPE) == []


def test_savings_are_absent_where_a_price_is_unknown() -> None:
    unpriced = structs.replace(BY_HAND.options[0], savings=None)

    (option,) = group_recommendation(stored(options=(unpriced,)), shown())["recommendationOptions"]

    assert "savingsOpportunity" not in option
    assert "savingsOpportunityAfterDiscounts" not in option
