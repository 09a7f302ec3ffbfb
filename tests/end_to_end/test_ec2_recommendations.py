"""GetEC2InstanceRecommendations through real boto3 clients, in both protocols.

The rules of filters, pages and errors are held by the tests of the operation; here it is shown that
they arrive.
"""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, RecommendationError
from compute_optimizer.shapes.model import service_model
from tests.breaches import mistyped_in
from tests.end_to_end.conftest import ACCOUNT, Served
from tests.end_to_end.published import publish
from tests.records import BY_HAND, NOW, arn, option, recommendation

OPERATION = "GetEC2InstanceRecommendations"
STRANGER = "222222222222"


SAVINGS = {
    "savingsOpportunityPercentage": 50.0,
    "estimatedMonthlySavings": {"currency": "USD", "value": 70.08},
}

IN_WIRE_SPELLING = {
    "instanceArn": "arn:aws:ec2:us-east-1:111111111111:instance/i-00000000000000001",
    "accountId": "111111111111",
    "instanceName": "web-1",
    "currentInstanceType": "g4dn.xlarge",
    "finding": "OVER_PROVISIONED",
    "findingReasonCodes": ["CPUOverprovisioned", "NetworkBandwidthOverprovisioned"],
    "utilizationMetrics": [
        {"name": "CPU", "statistic": "MAXIMUM", "value": 21.5},
        {"name": "NETWORK_IN_BYTES_PER_SECOND", "statistic": "MAXIMUM", "value": 20480.25},
    ],
    "lookBackPeriodInDays": 14.0,
    "recommendationOptions": [
        {
            "instanceType": "g4dn.xlarge",
            # One T4 with 16 GB.
            "instanceGpuInfo": {"gpus": [{"gpuCount": 1, "gpuMemorySizeInMiB": 16384}]},
            "projectedUtilizationMetrics": [{"name": "CPU", "statistic": "MAXIMUM", "value": 43.0}],
            "platformDifferences": ["Architecture"],
            "performanceRisk": 1.0,
            "rank": 1,
            "savingsOpportunity": SAVINGS,
            "savingsOpportunityAfterDiscounts": SAVINGS,
            "migrationEffort": "VeryLow",
        }
    ],
    "recommendationSources": [
        {
            "recommendationSourceArn": (
                "arn:aws:ec2:us-east-1:111111111111:instance/i-00000000000000001"
            ),
            "recommendationSourceType": "Ec2Instance",
        }
    ],
    "lastRefreshTimestamp": NOW,
    "currentPerformanceRisk": "VeryLow",
    "effectiveRecommendationPreferences": {
        "cpuVendorArchitectures": ["CURRENT"],
        "enhancedInfrastructureMetrics": "Inactive",
        "inferredWorkloadTypes": "Active",
        "lookBackPeriod": "DAYS_14",
        "utilizationPreferences": [
            {
                "metricName": "CpuUtilization",
                "metricParameters": {"threshold": "P99_5", "headroom": "PERCENT_20"},
            },
            {"metricName": "MemoryUtilization", "metricParameters": {"headroom": "PERCENT_20"}},
        ],
        "savingsEstimationMode": {"source": "PublicPricing"},
    },
    "inferredWorkloadTypes": [],
    "instanceState": "running",
    "tags": [{"key": "team", "value": "wéb"}],
    "externalMetricStatus": {
        "statusCode": "NO_EXTERNAL_METRIC_SET",
        "statusReason": "No external metrics preference is configured for this resource.",
    },
    "currentInstanceGpuInfo": {"gpus": [{"gpuCount": 1, "gpuMemorySizeInMiB": 16384}]},
    "idle": "False",
}

WITH_GPU = structs.replace(
    BY_HAND,
    resource_arn=arn(1, ACCOUNT),
    account_id=ACCOUNT,
    current_instance_type="g4dn.xlarge",
    tags={"team": "wéb"},
    options=(
        structs.replace(option("g4dn.xlarge", 70.08), platform_differences=("Architecture",)),
    ),
)

NOT_YET = {
    "externalMetricsPreference",
    "preferredResources",
}
"""Members for which there is nothing to say yet: unset members are left out."""


def fleet(count: int) -> list[Ec2InstanceRecommendation]:
    return [recommendation(number, account_id=ACCOUNT) for number in range(count)]


def arns_of(page: dict[str, Any]) -> list[str]:
    return [one["instanceArn"] for one in page["instanceRecommendations"]]


def test_every_member_arrives_typed_and_spelled_as_the_service_does(
    served: Served, protocol: str
) -> None:
    publish(served, [WITH_GPU])
    shape = service_model().operation_model(OPERATION).output_shape

    page = served.client(protocol=protocol).get_ec2_instance_recommendations()

    assert page["instanceRecommendations"] == [IN_WIRE_SPELLING]
    assert page["errors"] == []
    assert "nextToken" not in page
    assert mistyped_in(page, OPERATION, enums=False) == []
    members = shape.members["instanceRecommendations"].member.members
    assert set(IN_WIRE_SPELLING) == set(members) - NOT_YET


def test_the_setting_spells_every_enum_as_the_service_model_lists_it(
    serve: Callable[..., Served], protocol: str
) -> None:
    served = serve(enum_style="model")
    publish(served, [WITH_GPU])

    page = served.client(protocol=protocol).get_ec2_instance_recommendations()

    assert mistyped_in(page, OPERATION) == []
    (found,) = page["instanceRecommendations"]
    assert found["finding"] == "Overprovisioned"
    assert found["utilizationMetrics"][0] == {"name": "Cpu", "statistic": "Maximum", "value": 21.5}


def test_the_setting_shortens_the_pages_of_requests_that_want_no_size(
    serve: Callable[..., Served], protocol: str
) -> None:
    served = serve(page_size=2)
    publish(served, fleet(5))
    client = served.client(protocol=protocol)

    short = client.get_ec2_instance_recommendations()
    asked = client.get_ec2_instance_recommendations(maxResults=4)

    assert arns_of(short) == [arn(number, ACCOUNT) for number in range(2)]
    assert "nextToken" in short
    assert len(arns_of(asked)) == 4


def test_pages_and_filters_work_through_the_wire(served: Served, protocol: str) -> None:
    small = structs.replace(
        recommendation(5, account_id=ACCOUNT), tags={"team": "ops", "stage": "é"}
    )
    publish(served, [*fleet(5), small])
    client = served.client(protocol=protocol)

    first = client.get_ec2_instance_recommendations(maxResults=4)
    second = client.get_ec2_instance_recommendations(maxResults=4, nextToken=first["nextToken"])
    filtered = client.get_ec2_instance_recommendations(
        filters=[
            {"name": "Finding", "values": ["Overprovisioned"]},
            {"name": "tag:stage", "values": ["é"]},
        ]
    )

    assert arns_of(first) + arns_of(second) == [arn(number, ACCOUNT) for number in range(6)]
    assert "nextToken" not in second
    assert arns_of(filtered) == [small.resource_arn]


def test_listed_instances_without_a_recommendation_are_told_in_errors(
    served: Served, protocol: str
) -> None:
    young = RecommendationError(arn(7, ACCOUNT), "INSUFFICIENT_METRIC_DATA", "Not enough data.")
    publish(served, fleet(1), [young])

    page = served.client(protocol=protocol).get_ec2_instance_recommendations(
        instanceArns=[arn(0, ACCOUNT), arn(7, ACCOUNT)]
    )

    assert arns_of(page) == [arn(0, ACCOUNT)]
    assert page["errors"] == [
        {
            "identifier": arn(7, ACCOUNT),
            "code": "INSUFFICIENT_METRIC_DATA",
            "message": "Not enough data.",
        }
    ]
    assert mistyped_in(page, OPERATION, enums=False) == []


def test_an_account_that_is_not_opted_in_gets_the_modelled_exception(
    served: Served, protocol: str
) -> None:
    client = served.client(STRANGER, protocol)

    with pytest.raises(client.exceptions.OptInRequiredException, match="not registered") as caught:
        client.get_ec2_instance_recommendations()

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_another_account_is_refused_by_the_modelled_exception(
    served: Served, protocol: str
) -> None:
    publish(served, [])
    client = served.client(protocol=protocol)

    with pytest.raises(client.exceptions.AccessDeniedException, match=STRANGER):
        client.get_ec2_instance_recommendations(accountIds=[STRANGER])


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({"filters": [{"name": "Finding", "values": ["overprovisioned"]}]}, "overprovisioned"),
        ({"filters": [{"name": "Sort", "values": ["up"]}]}, "Sort"),
        ({"nextToken": "damaged"}, "nextToken"),
        ({"maxResults": 1_001}, "1001"),
        ({"recommendationPreferences": {"cpuVendorArchitectures": ["X86"]}}, "X86"),
    ],
)
def test_wrong_input_is_refused_by_the_modelled_exception(
    served: Served, protocol: str, request_: dict[str, Any], named: str
) -> None:
    publish(served, [])
    client = served.client(protocol=protocol)

    with pytest.raises(client.exceptions.InvalidParameterValueException, match=named) as caught:
        client.get_ec2_instance_recommendations(**request_)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_throttled_requests_are_told_so(serve: Callable[..., Served], protocol: str) -> None:
    served = serve(throttle_requests_per_second=0.01, throttle_burst=1.0)
    publish(served, [])
    client = served.client(protocol=protocol)
    client.get_ec2_instance_recommendations()

    with pytest.raises(client.exceptions.ThrottlingException):
        client.get_ec2_instance_recommendations()
