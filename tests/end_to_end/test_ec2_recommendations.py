"""GetEC2InstanceRecommendations through real boto3 clients, in both protocols.

The rules of filters, pages and errors are held by the tests of the operation; here it is shown that
they arrive.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, RecommendationError
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.shapes.model import service_model
from compute_optimizer.store.analysis_runs import Scope
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.records import BY_HAND, NOW, arn, option, recommendation
from tests.written_runs import store_run

OPERATION = "GetEC2InstanceRecommendations"
STRANGER = "222222222222"

PYTHON_TYPES: dict[str, Any] = {
    "string": str,
    "double": float,
    "integer": int,
    "long": int,
    "boolean": bool,
    "timestamp": datetime,
    "list": list,
    "structure": dict,
}
"""What botocore makes of each type of the model that the response has."""

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

WITH_GPU = replace(
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


def publish(
    served: Served,
    found: Sequence[Ec2InstanceRecommendation],
    errors: Sequence[RecommendationError] = (),
) -> None:
    """Opt the account in and store one complete run for it."""
    change_enrollment(served.state, served.clock, ACCOUNT, "Active")
    scope = Scope(ACCOUNT, REGION, EC2_INSTANCE)
    store_run(served.state, scope, found, errors, now=served.clock.now())


def fleet(count: int) -> list[Ec2InstanceRecommendation]:
    return [recommendation(number, account_id=ACCOUNT) for number in range(count)]


def arns_of(page: dict[str, Any]) -> list[str]:
    return [one["instanceArn"] for one in page["instanceRecommendations"]]


def mistyped(shape: Any, value: Any, path: str, *, enums: bool) -> Iterator[str]:
    """Yield where a value is not of the type that the model gives it."""
    if type(value) is not PYTHON_TYPES[shape.type_name]:
        yield f"{path}: {value!r} is no {shape.type_name}"
    elif shape.type_name == "list":
        for one in value:
            yield from mistyped(shape.member, one, f"{path}[]", enums=enums)
    elif shape.type_name == "structure":
        for name, one in value.items():
            yield from mistyped(shape.members[name], one, f"{path}.{name}", enums=enums)
    elif enums and shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {shape.enum}"


def mistyped_in(page: dict[str, Any], *, enums: bool) -> list[str]:
    shape = service_model().operation_model(OPERATION).output_shape
    body = {name: value for name, value in page.items() if name != "ResponseMetadata"}
    return list(mistyped(shape, body, "", enums=enums))


def test_every_member_arrives_typed_and_spelled_as_the_service_does(
    served: Served, protocol: str
) -> None:
    publish(served, [WITH_GPU])
    shape = service_model().operation_model(OPERATION).output_shape

    page = served.client(protocol=protocol).get_ec2_instance_recommendations()

    assert page["instanceRecommendations"] == [IN_WIRE_SPELLING]
    assert page["errors"] == []
    assert "nextToken" not in page
    assert mistyped_in(page, enums=False) == []
    members = shape.members["instanceRecommendations"].member.members
    assert set(IN_WIRE_SPELLING) == set(members) - NOT_YET


def test_the_setting_spells_every_enum_as_the_service_model_lists_it(
    serve: Callable[..., Served], protocol: str
) -> None:
    served = serve(enum_style="model")
    publish(served, [WITH_GPU])

    page = served.client(protocol=protocol).get_ec2_instance_recommendations()

    assert mistyped_in(page, enums=True) == []
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
    small = replace(recommendation(5, account_id=ACCOUNT), tags={"team": "ops", "stage": "é"})
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
    assert mistyped_in(page, enums=False) == []


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
