"""Every member of a recommendation, in both spellings, held against botocore's model."""

from datetime import date
from typing import Any, get_args

import pytest
from msgspec import structs

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.described_types import described, with_described
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.shapes import ExternalMetricsSource, ExternalMetricStatusCode
from compute_optimizer.views.ec2_instance import (
    Presentation,
    instance_recommendation,
    ranked_options,
)
from tests.breaches import breaches_of
from tests.new_types import description
from tests.records import BY_HAND, NOW, option, recommendation

GROUP = "arn:aws:autoscaling:us-east-1:222222222222:autoScalingGroup:x:autoScalingGroupName/web"

IN_WIRE_SPELLING = {
    "instanceArn": "arn:aws:ec2:us-east-1:222222222222:instance/i-00000000000000001",
    "accountId": "222222222222",
    "instanceName": "web-1",
    "currentInstanceType": "m5.xlarge",
    "finding": "OVER_PROVISIONED",
    "findingReasonCodes": ["CPUOverprovisioned", "NetworkBandwidthOverprovisioned"],
    "utilizationMetrics": [
        {"name": "CPU", "statistic": "MAXIMUM", "value": 21.5},
        {"name": "NETWORK_IN_BYTES_PER_SECOND", "statistic": "MAXIMUM", "value": 20480.25},
    ],
    "lookBackPeriodInDays": 14.0,
    "recommendationOptions": [
        {
            "instanceType": "t3.large",
            "projectedUtilizationMetrics": [{"name": "CPU", "statistic": "MAXIMUM", "value": 43.0}],
            "platformDifferences": [],
            "performanceRisk": 1.0,
            "rank": 1,
            "migrationEffort": "VeryLow",
            "savingsOpportunity": {
                # 79.424 of 140.16 USD a month.
                "savingsOpportunityPercentage": pytest.approx(56.667, abs=0.001),
                "estimatedMonthlySavings": {"currency": "USD", "value": 79.424},
            },
            "savingsOpportunityAfterDiscounts": {
                "savingsOpportunityPercentage": pytest.approx(56.667, abs=0.001),
                "estimatedMonthlySavings": {"currency": "USD", "value": 79.424},
            },
        },
        {
            "instanceType": "m5.large",
            "projectedUtilizationMetrics": [{"name": "CPU", "statistic": "MAXIMUM", "value": 43.0}],
            "platformDifferences": [],
            "performanceRisk": 1.0,
            "rank": 2,
            "migrationEffort": "VeryLow",
            "savingsOpportunity": {
                "savingsOpportunityPercentage": 50.0,
                "estimatedMonthlySavings": {"currency": "USD", "value": 70.08},
            },
            "savingsOpportunityAfterDiscounts": {
                "savingsOpportunityPercentage": 50.0,
                "estimatedMonthlySavings": {"currency": "USD", "value": 70.08},
            },
        },
    ],
    "recommendationSources": [
        {
            "recommendationSourceArn": (
                "arn:aws:ec2:us-east-1:222222222222:instance/i-00000000000000001"
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
    "tags": [{"key": "team", "value": "web"}],
    "externalMetricStatus": {
        "statusCode": "NO_EXTERNAL_METRIC_SET",
        "statusReason": "No external metrics preference is configured for this resource.",
    },
    "idle": "False",
}


def shown(**changes: Any) -> Presentation:
    return Presentation(**{"region": "us-east-1", **changes})


def test_every_member_stands_in_the_spelling_of_the_wire() -> None:
    assert instance_recommendation(BY_HAND, shown()) == IN_WIRE_SPELLING


def test_the_model_spelling_is_one_that_the_service_model_lists() -> None:
    found = instance_recommendation(BY_HAND, shown(enum_style="model"))
    assert breaches_of(found, "InstanceRecommendation") == []
    assert found["finding"] == "Overprovisioned"
    assert found["utilizationMetrics"][0] == {"name": "Cpu", "statistic": "Maximum", "value": 21.5}


def test_both_architectures_are_ranked_together_by_savings_and_echoed() -> None:
    found = instance_recommendation(BY_HAND, shown(architectures=("AWS_ARM64", "CURRENT")))
    ranks = [(one["rank"], one["instanceType"]) for one in found["recommendationOptions"]]
    # Savings of 91.104, 83.95, 79.424 and 70.08 USD: the fourth is one too many.
    assert ranks == [(1, "t4g.large"), (2, "m6g.large"), (3, "t3.large")]
    effective = found["effectiveRecommendationPreferences"]
    assert effective["cpuVendorArchitectures"] == ["AWS_ARM64", "CURRENT"]


def test_only_graviton_options_are_shown_for_graviton_alone() -> None:
    found = instance_recommendation(BY_HAND, shown(architectures=("AWS_ARM64",)))
    names = [one["instanceType"] for one in found["recommendationOptions"]]
    assert names == ["t4g.large", "m6g.large"]


def test_ties_in_savings_go_to_the_lower_risk_and_then_to_the_name() -> None:
    tied = recommendation(
        options=(option("b", 10.0), option("c", 10.0, risk=0.5), option("a", 10.0))
    )
    assert [one.instance_type for one in ranked_options(tied.options, ["CURRENT"])] == [
        "c",
        "a",
        "b",
    ]


def test_options_that_save_nothing_rank_by_price() -> None:
    dear = structs.replace(option("a1.xlarge", 0.0), hourly_usd=0.5)
    cheap = structs.replace(option("z1.xlarge", 0.0), hourly_usd=0.4)

    ranked = ranked_options((dear, cheap), ("CURRENT",))

    assert [found.instance_type for found in ranked] == ["z1.xlarge", "a1.xlarge"]


def test_a_type_that_stands_in_both_pools_is_one_option() -> None:
    twice = recommendation(
        options=(option("m6g.large", 10.0), option("m6g.large", 10.0, pool="AWS_ARM64"))
    )
    assert len(ranked_options(twice.options, ["CURRENT", "AWS_ARM64"])) == 1


def test_savings_are_absent_where_a_price_is_unknown() -> None:
    found = instance_recommendation(recommendation(options=(option("m5.large", None),)), shown())
    assert "savingsOpportunity" not in found["recommendationOptions"][0]
    assert "savingsOpportunityAfterDiscounts" not in found["recommendationOptions"][0]


def test_savings_in_china_are_in_cny() -> None:
    found = instance_recommendation(BY_HAND, shown(region="cn-north-1"))
    savings = found["recommendationOptions"][0]["savingsOpportunity"]
    assert savings["estimatedMonthlySavings"]["currency"] == "CNY"


def test_the_auto_scaling_group_is_the_source_of_its_instances() -> None:
    found = instance_recommendation(recommendation(auto_scaling_group_arn=GROUP), shown())
    assert found["recommendationSources"] == [
        {"recommendationSourceArn": GROUP, "recommendationSourceType": "AutoScalingGroup"}
    ]


def test_gpus_are_shown_where_the_catalog_knows_them() -> None:
    gpus = recommendation(
        current_instance_type="g4dn.xlarge", options=(option("g4dn.xlarge", 0.0),)
    )
    found = instance_recommendation(gpus, shown())
    # One NVIDIA T4 with 16 GiB.
    expected = {"gpus": [{"gpuCount": 1, "gpuMemorySizeInMiB": 16384}]}
    assert found["currentInstanceGpuInfo"] == expected
    assert found["recommendationOptions"][0]["instanceGpuInfo"] == expected


def test_preferences_are_spelled_as_the_service_spells_them() -> None:
    preferences = Preferences(cpu_percentile=95, cpu_headroom=0.3, memory_headroom=0.1)
    found = instance_recommendation(recommendation(preferences=preferences), shown())
    cpu, memory = found["effectiveRecommendationPreferences"]["utilizationPreferences"]
    assert cpu["metricParameters"] == {"threshold": "P95", "headroom": "PERCENT_30"}
    assert memory["metricParameters"] == {"headroom": "PERCENT_10"}


def test_every_preference_in_force_is_shown() -> None:
    preferences = Preferences(
        lookback_days=93,
        enhanced_infrastructure_metrics=True,
        inferred_workload_types=False,
        include_types=("m5.l*",),
        exclude_types=("t3",),
    )
    found = instance_recommendation(recommendation(preferences=preferences), shown())
    effective = found["effectiveRecommendationPreferences"]
    assert effective["lookBackPeriod"] == "DAYS_93"
    assert effective["enhancedInfrastructureMetrics"] == "Active"
    assert effective["inferredWorkloadTypes"] == "Inactive"
    assert effective["preferredResources"] == [
        {
            "name": "Ec2InstanceTypes",
            "includeList": ["m5.l*"],
            "effectiveIncludeList": ["m5.large"],
            "excludeList": ["t3"],
        }
    ]


def test_the_types_that_an_include_list_leaves_are_those_of_the_catalog_at_hand() -> None:
    shipped = load_instance_types()
    new = described(description("m20i.xlarge", "m8i.xlarge"), "us-east-1", date(2026, 11, 26))
    one = recommendation(preferences=Preferences(include_types=("m20i", "m5.large")))

    for types, left in (
        (shipped, ["m5.large"]),
        (with_described(shipped, (new,)), ["m20i.xlarge", "m5.large"]),
    ):
        found = instance_recommendation(one, shown(types=types))
        (preferred,) = found["effectiveRecommendationPreferences"]["preferredResources"]
        assert preferred["effectiveIncludeList"] == left


def test_what_an_exclude_list_leaves_is_not_repeated_with_every_recommendation() -> None:
    preferences = Preferences(exclude_types=("t3",))
    found = instance_recommendation(recommendation(preferences=preferences), shown())
    assert found["effectiveRecommendationPreferences"]["preferredResources"] == [
        {"name": "Ec2InstanceTypes", "excludeList": ["t3"]}
    ]


@pytest.mark.parametrize("mode", ["AfterDiscounts", "BeforeDiscounts"])
def test_savings_are_estimated_from_public_prices_in_either_mode(mode: str) -> None:
    preferences = Preferences(savings_estimation_mode=mode)
    found = instance_recommendation(recommendation(preferences=preferences), shown())
    effective = found["effectiveRecommendationPreferences"]
    assert effective["savingsEstimationMode"] == {"source": "PublicPricing"}


@pytest.mark.parametrize("source", get_args(ExternalMetricsSource))
def test_a_provider_of_external_metrics_that_sent_none_has_its_own_status(source: str) -> None:
    preferences = Preferences(external_metrics_source=source)
    found = instance_recommendation(recommendation(preferences=preferences), shown())
    status = found["externalMetricStatus"]
    assert status["statusCode"] in get_args(ExternalMetricStatusCode)
    assert status["statusCode"] == f"INSUFFICIENT_{source.upper()}_METRICS"
    assert source in status["statusReason"]
    # Only what is applied is in force.
    assert "externalMetricsPreference" not in found["effectiveRecommendationPreferences"]


def test_an_idle_instance_says_so() -> None:
    assert instance_recommendation(recommendation(idle=True), shown())["idle"] == "True"
