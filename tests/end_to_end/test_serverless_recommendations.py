"""Functions and services from files to boto3, in both protocols."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.breaches import mistyped_in
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.end_to_end.imported import import_and_analyze, midnight_of

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:worker"
SERVICE = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/prod/api"

ROWS: list[dict[str, Any]] = [
    {"arn": FUNCTION, "memory_size": 1024, "timeout": 30, "tags": {"team": "data"}},
    {"arn": f"{FUNCTION}:3", "memory_size": 1024},
    {"arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rare", "memory_size": 512},
    {
        "arn": SERVICE,
        "cpu": 1024,
        "memory_mib": 3072,
        "desired_count": 2,
        "containers": [{"name": "api", "cpu": 1024, "memory": 3072}],
    },
    {"arn": f"{SERVICE}-steps", "cpu": 1024, "memory_mib": 3072, "auto_scaling": "step"},
]


@pytest.fixture(scope="module")
def analyzed(served_once: Served) -> Served:
    """Fourteen days of a function, one of its versions, and a service; imported and analyzed."""
    midnight = midnight_of(served_once)
    lines: list[str] = []
    for slot in range(14 * 24):
        moment = (midnight - timedelta(hours=slot + 1)).isoformat()
        # One name by the id, one by the ARN without a version, one by the ARN with it.
        for name in ("worker", f"{FUNCTION}:3"):
            lines.append(f"{name},{moment},Invocations,Sum,12000")
            lines.append(f"{name},{moment},Duration,Average,100")
        lines.append(f"{FUNCTION},{moment},used_memory_max,Maximum,250")
        lines.append(f"{FUNCTION}:3,{moment},used_memory_max,Maximum,800")
        for service in ("prod/api", f"{SERVICE}-steps"):
            lines.append(f"{service},{moment},CPUUtilization,Maximum,9")
            lines.append(f"{service},{moment},MemoryUtilization,Maximum,11")
    return import_and_analyze(
        served_once, "\n".join(map(json.dumps, ROWS)), lines, added=5, kind="jsonl"
    )


def test_functions_of_an_inventory_are_recommended_memory(analyzed: Served, protocol: str) -> None:
    client = analyzed.client(protocol=protocol)
    page = client.get_lambda_function_recommendations()
    listed = client.get_lambda_function_recommendations(functionArns=[FUNCTION, f"{FUNCTION}:9"])
    unavailable = client.get_lambda_function_recommendations(
        filters=[{"name": "Finding", "values": ["Unavailable"]}]
    )

    found = {one["functionArn"]: one for one in page["lambdaFunctionRecommendations"]}
    assert set(found) == {f"{FUNCTION}:$LATEST", f"{FUNCTION}:3"}
    latest = found[f"{FUNCTION}:$LATEST"]
    (option,) = latest["memorySizeRecommendationOptions"]
    # 250 MB and a fifth; 12000 invocations in each of 336 hours.
    assert (latest["numberOfInvocations"], option["memorySize"]) == (4_032_000, 300)
    # 876,000 GB-s a month, of which (300 + 75) / (1024 + 75) are left, at 0.0000166667 USD.
    saved = option["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
    assert saved == pytest.approx(9.618, abs=0.001)
    # 800 MB and a fifth are 960: 5.8 % less.
    assert found[f"{FUNCTION}:3"]["memorySizeRecommendationOptions"][0]["memorySize"] == 960
    assert [one["functionArn"] for one in listed["lambdaFunctionRecommendations"]] == [
        f"{FUNCTION}:$LATEST"
    ]
    (rare,) = unavailable["lambdaFunctionRecommendations"]
    assert rare["findingReasonCodes"] == ["InsufficientData"]
    assert "errors" not in page
    assert latest["tags"] == [{"key": "team", "value": "data"}]
    assert mistyped_in(page, "GetLambdaFunctionRecommendations") == []


def test_functions_come_in_pages(analyzed: Served) -> None:
    pages = analyzed.client().get_paginator("get_lambda_function_recommendations")

    found = [
        one["functionVersion"]
        for page in pages.paginate(PaginationConfig={"PageSize": 1})
        for one in page["lambdaFunctionRecommendations"]
    ]

    assert found == ["$LATEST", "3"]


def test_services_of_an_inventory_are_recommended_sizes(analyzed: Served, protocol: str) -> None:
    client = analyzed.client(protocol=protocol)
    page = client.get_ecs_service_recommendations()
    listed = client.get_ecs_service_recommendations(serviceArns=[f"{SERVICE}-steps"])

    (one,) = page["ecsServiceRecommendations"]
    (option,) = one["serviceRecommendationOptions"]
    assert (one["finding"], option["cpu"], option["memory"]) == ("Overprovisioned", 256, 512)
    # A sample every hour is one slot of twelve; two tasks: 2 x 30.275 / 12.
    saved = option["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
    assert saved == pytest.approx(5.0458, abs=0.001)
    assert option["containerRecommendations"] == [
        {"containerName": "api", "memorySizeConfiguration": {"memory": 512}, "cpu": 256}
    ]
    assert listed["errors"][0]["code"] == "UNSUPPORTED_RESOURCE"
    assert mistyped_in(page, "GetECSServiceRecommendations") == []


def test_a_service_shows_what_it_would_have_shown(analyzed: Served, protocol: str) -> None:
    client = analyzed.client(protocol=protocol)
    midnight = midnight_of(analyzed)
    day = {"startTime": midnight - timedelta(days=1), "endTime": midnight - timedelta(hours=1)}

    answer = client.get_ecs_service_recommendation_projected_metrics(
        serviceArn=SERVICE, stat="Maximum", period=3600, **day
    )

    (option,) = answer["recommendedOptionProjectedMetrics"]
    cpu, memory = option["projectedMetrics"]
    assert len(cpu["timestamps"]) == 24
    assert cpu["lowerBoundValues"] == [pytest.approx(32.4)] * 24
    assert memory["upperBoundValues"] == [pytest.approx(72.6)] * 24
    assert mistyped_in(answer, "GetECSServiceRecommendationProjectedMetrics") == []
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="steps"):
        client.get_ecs_service_recommendation_projected_metrics(
            serviceArn=f"{SERVICE}-steps", stat="Maximum", period=3600, **day
        )
