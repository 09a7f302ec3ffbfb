"""Recommendation preferences through real boto3 clients, in both protocols, up to other advice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store.tiles import TileStore
from tests.end_to_end.conftest import ACCOUNT, Served
from tests.records import arn
from tests.states import FreshUrl
from tests.stored_fleets import QUIET, store_fleet

INSTANCE = arn(0, ACCOUNT)
ACCOUNT_SCOPE = {"name": "AccountId", "value": ACCOUNT}
RESOURCE_SCOPE = {"name": "ResourceArn", "value": INSTANCE}

STATED: dict[str, Any] = {
    "enhancedInfrastructureMetrics": "Active",
    "inferredWorkloadTypes": "Inactive",
    "externalMetricsPreference": {"source": "Dynatrace"},
    "lookBackPeriod": "DAYS_32",
    "utilizationPreferences": [
        {
            "metricName": "CpuUtilization",
            "metricParameters": {"threshold": "P90", "headroom": "PERCENT_0"},
        },
        {"metricName": "MemoryUtilization", "metricParameters": {"headroom": "PERCENT_30"}},
    ],
    "savingsEstimationMode": "BeforeDiscounts",
}

PREFERRED = {"name": "Ec2InstanceTypes", "includeList": ["c5"], "excludeList": ["c5*.metal", "c5n"]}


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, serve: Any) -> Served:
    """A running server on each kind of database, with one opted-in account and its instance."""
    fresh: FreshUrl = request.getfixturevalue(f"fresh_{request.param}")
    started: Served = serve(state_url=fresh())
    change_enrollment(started.state, started.clock, ACCOUNT, "Active")
    advance_enrollments(started.state, started.clock)
    yesterday = (started.clock.now() - timedelta(days=1)).date()
    store_fleet(started.state, tiles_of(started), ACCOUNT, cpu=(QUIET,), last=yesterday)
    return started


def tiles_of(served: Served) -> TileStore:
    folder: Path = served.settings.tiles_dir
    return TileStore(folder)


def advised(served: Served, client: Any) -> dict[str, Any]:
    """Return the one recommendation after another analysis."""
    analyze(served.state, tiles_of(served), served.clock, workers=1)
    (found,) = client.get_ec2_instance_recommendations()["instanceRecommendations"]
    recommendation: dict[str, Any] = found
    return recommendation


def families(recommendation: dict[str, Any]) -> set[str]:
    options = recommendation["recommendationOptions"]
    return {one["instanceType"].partition(".")[0] for one in options}


def test_a_preference_is_put_listed_followed_and_deleted(served: Served, protocol: str) -> None:
    client = served.client(protocol=protocol)
    before = advised(served, client)
    assert families(before) != {"c5"}

    client.put_recommendation_preferences(
        resourceType="Ec2Instance", preferredResources=[PREFERRED], **STATED
    )

    (listed,) = client.get_recommendation_preferences(resourceType="Ec2Instance")[
        "recommendationPreferencesDetails"
    ]
    (shown,) = listed.pop("preferredResources")
    left = shown.pop("effectiveIncludeList")
    assert shown == PREFERRED
    assert "c5.large" in left and "c5.metal" not in left
    assert listed == {"scope": ACCOUNT_SCOPE, "resourceType": "Ec2Instance", **STATED}
    effective = client.get_effective_recommendation_preferences(resourceArn=INSTANCE)
    effective.pop("ResponseMetadata")
    assert effective == {
        **{name: STATED[name] for name in effective if name != "preferredResources"},
        "preferredResources": [PREFERRED | {"effectiveIncludeList": left}],
    }
    assert len(effective) == 5

    after = advised(served, client)
    assert families(after) == {"c5"}
    assert after["lookBackPeriodInDays"] == 32
    assert after["externalMetricStatus"]["statusCode"] == "INSUFFICIENT_DYNATRACE_METRICS"
    assert after["effectiveRecommendationPreferences"] == {
        "cpuVendorArchitectures": ["CURRENT"],
        "enhancedInfrastructureMetrics": "Active",
        "inferredWorkloadTypes": "Inactive",
        "lookBackPeriod": "DAYS_32",
        "utilizationPreferences": STATED["utilizationPreferences"],
        "preferredResources": [PREFERRED | {"effectiveIncludeList": left}],
        "savingsEstimationMode": {"source": "PublicPricing"},
    }

    client.delete_recommendation_preferences(
        resourceType="Ec2Instance",
        recommendationPreferenceNames=[
            "EnhancedInfrastructureMetrics",
            "InferredWorkloadTypes",
            "ExternalMetricsPreference",
            "LookBackPeriodPreference",
            "PreferredResources",
            "UtilizationPreferences",
        ],
    )
    again = advised(served, client)
    again["lastRefreshTimestamp"] = before["lastRefreshTimestamp"]
    assert again == before


def test_a_resource_comes_before_its_account_and_pages_hold_both(
    served: Served, protocol: str
) -> None:
    client = served.client(protocol=protocol)
    for scope, period in ((ACCOUNT_SCOPE, "DAYS_32"), (RESOURCE_SCOPE, "DAYS_14")):
        client.put_recommendation_preferences(
            resourceType="Ec2Instance", scope=scope, lookBackPeriod=period
        )

    effective = client.get_effective_recommendation_preferences(resourceArn=INSTANCE)
    pages = client.get_paginator("get_recommendation_preferences").paginate(
        resourceType="Ec2Instance", PaginationConfig={"PageSize": 1}
    )

    assert effective["lookBackPeriod"] == "DAYS_14"
    assert [page["recommendationPreferencesDetails"][0]["scope"] for page in pages] == [
        ACCOUNT_SCOPE,
        RESOURCE_SCOPE,
    ]


def test_puts_at_the_same_moment_lose_nothing(served: Served) -> None:
    put = served.client().put_recommendation_preferences
    several: list[dict[str, Any]] = [
        {"lookBackPeriod": "DAYS_32"},
        {"inferredWorkloadTypes": "Inactive"},
        {"enhancedInfrastructureMetrics": "Active"},
        {"savingsEstimationMode": "BeforeDiscounts"},
    ] * 4

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: put(resourceType="Ec2Instance", **one), several))

    (listed,) = served.client().get_recommendation_preferences(resourceType="Ec2Instance")[
        "recommendationPreferencesDetails"
    ]
    assert listed == {
        "scope": ACCOUNT_SCOPE,
        "resourceType": "Ec2Instance",
        **{name: value for one in several for name, value in one.items()},
    }


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("InvalidParameterValueException", {}),
        ("InvalidParameterValueException", {"lookBackPeriod": "DAYS_93"}),
        ("InvalidParameterValueException", {"lookBackPeriod": "DAYS_15"}),
        (
            "AccessDeniedException",
            {
                "scope": {"name": "Organization", "value": "ALL_ACCOUNTS"},
                "lookBackPeriod": "DAYS_32",
            },
        ),
        (
            "ResourceNotFoundException",
            {
                "scope": {"name": "ResourceArn", "value": arn(9, ACCOUNT)},
                "lookBackPeriod": "DAYS_32",
            },
        ),
    ],
)
def test_refusals_arrive_as_the_exceptions_of_the_model(
    serve: Any, protocol: str, code: str, request_: dict[str, Any]
) -> None:
    served: Served = serve()
    change_enrollment(served.state, served.clock, ACCOUNT, "Active")
    client = served.client(protocol=protocol)

    with pytest.raises(getattr(client.exceptions, code)):
        client.put_recommendation_preferences(resourceType="Ec2Instance", **request_)


def test_an_account_that_is_not_opted_in_is_told_so(serve: Any, protocol: str) -> None:
    served: Served = serve()
    client = served.client(protocol=protocol)

    with pytest.raises(client.exceptions.OptInRequiredException, match="not registered"):
        client.get_recommendation_preferences(resourceType="Ec2Instance")
