"""Every member of a service's recommendation, held against botocore's model."""

import pytest
from msgspec import structs

from compute_optimizer.model.ecs_service import TRACKS_MEMORY, Container
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.views.ecs_service import service_recommendation
from tests.breaches import breaches_of, members_of
from tests.records import NOW
from tests.services import BY_HAND
from tests.services import service_recommendation as stored

SHAPE = "ECSServiceRecommendation"

SAVINGS = {
    "savingsOpportunityPercentage": 77.1,
    "estimatedMonthlySavings": {"currency": "USD", "value": 30.275},
}

ON_THE_WIRE = {
    "serviceArn": "arn:aws:ecs:us-east-1:111111111111:service/prod/api",
    "accountId": "111111111111",
    "currentServiceConfiguration": {
        "memory": 3072,
        "cpu": 1024,
        "containerConfigurations": [
            {
                "containerName": "api",
                "memorySizeConfiguration": {"memory": 3072, "memoryReservation": 2048},
                "cpu": 1024,
            }
        ],
        "autoScalingConfiguration": "TargetTrackingScalingCpu",
        "taskDefinitionArn": "arn:aws:ecs:us-east-1:111111111111:task-definition/api:7",
    },
    "utilizationMetrics": [
        {"name": "Cpu", "statistic": "Maximum", "value": 9.0},
        {"name": "Memory", "statistic": "Maximum", "value": 11.0},
    ],
    "lookbackPeriodInDays": 14.0,
    "launchType": "Fargate",
    "lastRefreshTimestamp": NOW,
    "finding": "Overprovisioned",
    "findingReasonCodes": ["CPUOverprovisioned", "MemoryOverprovisioned"],
    "serviceRecommendationOptions": [
        {
            "memory": 512,
            "cpu": 256,
            "savingsOpportunity": SAVINGS,
            "savingsOpportunityAfterDiscounts": SAVINGS,
            "projectedUtilizationMetrics": [
                {
                    "name": "Cpu",
                    "statistic": "Maximum",
                    "lowerBoundValue": 32.4,
                    "upperBoundValue": 39.6,
                },
                {
                    "name": "Memory",
                    "statistic": "Maximum",
                    "lowerBoundValue": 59.4,
                    "upperBoundValue": 72.6,
                },
            ],
            "containerRecommendations": [
                {
                    "containerName": "api",
                    "memorySizeConfiguration": {"memory": 512, "memoryReservation": 341},
                    "cpu": 256,
                }
            ],
        }
    ],
    "currentPerformanceRisk": "VeryLow",
    "effectiveRecommendationPreferences": {
        "savingsEstimationMode": {"source": "PublicPricing"},
        "lookBackPeriod": "DAYS_14",
    },
    "tags": [{"key": "team", "value": "data"}],
}


def test_every_member_stands_in_the_spelling_of_the_wire() -> None:
    found = service_recommendation(BY_HAND, "us-east-1")

    assert found == ON_THE_WIRE
    assert set(found) == set(members_of(SHAPE))
    assert set(found["currentServiceConfiguration"]) == set(
        members_of(SHAPE)["currentServiceConfiguration"].members
    )


@pytest.mark.parametrize(
    "finding", [Finding.OPTIMIZED, Finding.OVER_PROVISIONED, Finding.UNDER_PROVISIONED]
)
def test_every_value_is_one_that_the_service_model_lists(finding: Finding) -> None:
    found = stored(finding=finding, auto_scaling=TRACKS_MEMORY)

    assert breaches_of(service_recommendation(found, "us-east-1"), SHAPE) == []


def test_what_the_inventory_does_not_know_is_absent() -> None:
    bare = stored(auto_scaling=None, task_definition_arn=None, containers=(Container("api"),))

    found = service_recommendation(bare, "us-east-1")["currentServiceConfiguration"]

    assert set(found) == {"memory", "cpu", "containerConfigurations"}
    assert found["containerConfigurations"] == [
        {"containerName": "api", "memorySizeConfiguration": {}}
    ]


def test_savings_are_absent_where_a_price_is_unknown() -> None:
    unpriced = structs.replace(BY_HAND.options[0], savings=None)

    (option,) = service_recommendation(stored(options=(unpriced,)), "us-east-1")[
        "serviceRecommendationOptions"
    ]

    assert "savingsOpportunity" not in option
    assert "savingsOpportunityAfterDiscounts" not in option
