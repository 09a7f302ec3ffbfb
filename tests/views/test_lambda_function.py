"""Every member of a function's recommendation, held against botocore's model."""

import pytest
from msgspec import structs

from compute_optimizer.model.recommendation import Finding
from compute_optimizer.views.lambda_function import function_recommendation
from tests.breaches import breaches_of, members_of
from tests.functions import BY_HAND
from tests.functions import function_recommendation as stored
from tests.records import NOW

SHAPE = "LambdaFunctionRecommendation"

SAVINGS = {
    "savingsOpportunityPercentage": 40.0,
    "estimatedMonthlySavings": {"currency": "USD", "value": 0.8},
}

ON_THE_WIRE = {
    "functionArn": "arn:aws:lambda:us-east-1:111111111111:function:worker:$LATEST",
    "functionVersion": "$LATEST",
    "accountId": "111111111111",
    "currentMemorySize": 1024,
    "numberOfInvocations": 4321,
    "utilizationMetrics": [
        {"name": "Duration", "statistic": "Maximum", "value": 812.4},
        {"name": "Duration", "statistic": "Average", "value": 96.2},
        {"name": "Memory", "statistic": "Maximum", "value": 301.0},
    ],
    "lookbackPeriodInDays": 14.0,
    "lastRefreshTimestamp": NOW,
    "finding": "NotOptimized",
    "findingReasonCodes": ["MemoryOverprovisioned"],
    "memorySizeRecommendationOptions": [
        {
            "rank": 1,
            "memorySize": 512,
            "projectedUtilizationMetrics": [
                {"name": "Duration", "statistic": "LowerBound", "value": 96.2},
                {"name": "Duration", "statistic": "UpperBound", "value": 192.4},
                {"name": "Duration", "statistic": "Expected", "value": 102.8},
            ],
            "savingsOpportunity": SAVINGS,
            "savingsOpportunityAfterDiscounts": SAVINGS,
        }
    ],
    "currentPerformanceRisk": "VeryLow",
    "effectiveRecommendationPreferences": {"savingsEstimationMode": {"source": "PublicPricing"}},
    "tags": [{"key": "team", "value": "data"}],
}


def test_every_member_stands_in_the_spelling_of_the_wire() -> None:
    found = function_recommendation(BY_HAND, "us-east-1")

    assert found == ON_THE_WIRE
    assert set(found) == set(members_of(SHAPE))


@pytest.mark.parametrize(
    ("finding", "codes"),
    [
        (Finding.OPTIMIZED, ()),
        (Finding.NOT_OPTIMIZED, ("MemoryUnderprovisioned",)),
        (Finding.UNAVAILABLE, ("InsufficientData", "Inconclusive")),
    ],
)
def test_every_value_is_one_that_the_service_model_lists(
    finding: Finding, codes: tuple[str, ...]
) -> None:
    found = stored(finding=finding, finding_reason_codes=codes)

    assert breaches_of(function_recommendation(found, "us-east-1"), SHAPE) == []


def test_a_risk_that_is_unknown_is_absent() -> None:
    found = function_recommendation(stored(current_performance_risk=None), "us-east-1")

    assert "currentPerformanceRisk" not in found


def test_savings_are_absent_where_a_price_is_unknown() -> None:
    unpriced = structs.replace(BY_HAND.options[0], savings=None)

    (option,) = function_recommendation(stored(options=(unpriced,)), "us-east-1")[
        "memorySizeRecommendationOptions"
    ]

    assert "savingsOpportunity" not in option
    assert "savingsOpportunityAfterDiscounts" not in option
