"""Every member of a volume's recommendation, held against botocore's model."""

import pytest
from msgspec import structs

from compute_optimizer.model.recommendation import Finding
from compute_optimizer.views.ebs_volume import volume_recommendation
from tests.breaches import breaches_of, members_of
from tests.records import NOW
from tests.volumes import BY_HAND
from tests.volumes import volume_recommendation as stored

SHAPE = "VolumeRecommendation"

SAVINGS = {
    "savingsOpportunityPercentage": 20.0,
    "estimatedMonthlySavings": {"currency": "USD", "value": 10.0},
}

ON_THE_WIRE = {
    "volumeArn": "arn:aws:ec2:us-east-1:111111111111:volume/vol-00000000000000001",
    "accountId": "111111111111",
    "currentConfiguration": {
        "volumeType": "gp2",
        "volumeSize": 500,
        "volumeBaselineIOPS": 1500,
        "volumeBurstIOPS": 3000,
        "volumeBaselineThroughput": 250,
        "volumeBurstThroughput": 250,
        "rootVolume": False,
    },
    "finding": "NotOptimized",
    "utilizationMetrics": [
        {"name": "VolumeReadOpsPerSecond", "statistic": "Maximum", "value": 120.0},
        {"name": "VolumeWriteBytesPerSecond", "statistic": "Maximum", "value": 1318912.0},
    ],
    "lookBackPeriodInDays": 14.0,
    "volumeRecommendationOptions": [
        {
            "configuration": {
                "volumeType": "gp3",
                "volumeSize": 500,
                "volumeBaselineIOPS": 3000,
                "volumeBurstIOPS": 3000,
                "volumeBaselineThroughput": 125,
                "volumeBurstThroughput": 125,
                "rootVolume": False,
            },
            "performanceRisk": 1.0,
            "rank": 1,
            "savingsOpportunity": SAVINGS,
            "savingsOpportunityAfterDiscounts": SAVINGS,
        }
    ],
    "lastRefreshTimestamp": NOW,
    "currentPerformanceRisk": "VeryLow",
    "effectiveRecommendationPreferences": {
        "savingsEstimationMode": {"source": "PublicPricing"},
        "lookBackPeriod": "DAYS_14",
    },
    "tags": [{"key": "team", "value": "data"}],
}


def test_every_member_stands_in_the_spelling_of_the_wire() -> None:
    found = volume_recommendation(BY_HAND, "us-east-1")

    assert found == ON_THE_WIRE
    assert set(found) == set(members_of(SHAPE))


@pytest.mark.parametrize("finding", [Finding.OPTIMIZED, Finding.NOT_OPTIMIZED])
def test_every_value_is_one_that_the_service_model_lists(finding: Finding) -> None:
    found = volume_recommendation(stored(finding=finding), "us-east-1")

    assert breaches_of(found, SHAPE) == []


def test_a_root_volume_stays_one_in_every_option() -> None:
    found = volume_recommendation(stored(root=True), "us-east-1")

    assert found["currentConfiguration"]["rootVolume"] is True
    assert found["volumeRecommendationOptions"][0]["configuration"]["rootVolume"] is True


def test_savings_are_absent_where_a_price_is_unknown() -> None:
    unpriced = structs.replace(BY_HAND.options[0], savings=None)

    (option,) = volume_recommendation(stored(options=(unpriced,)), "us-east-1")[
        "volumeRecommendationOptions"
    ]

    assert "savingsOpportunity" not in option
    assert "savingsOpportunityAfterDiscounts" not in option


def test_savings_in_china_are_in_cny() -> None:
    (option,) = volume_recommendation(BY_HAND, "cn-north-1")["volumeRecommendationOptions"]

    assert option["savingsOpportunity"]["estimatedMonthlySavings"]["currency"] == "CNY"
