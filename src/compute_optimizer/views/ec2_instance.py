"""EC2 instance recommendations in the spelling of the wire."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import isnan
from typing import Any, TypeVar, cast

from compute_optimizer.catalog import InstanceTypes, load_instance_types
from compute_optimizer.catalog.described_types import KEPT_CATALOGS
from compute_optimizer.model import recommendation as model
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE
from compute_optimizer.shapes import (
    CpuVendorArchitecture,
    EffectiveRecommendationPreferences,
    ExternalMetricStatus,
    ExternalMetricStatusCode,
    Gpu,
    GpuInfo,
    InstanceRecommendation,
    InstanceRecommendationOption,
    RecommendationSource,
    UtilizationMetric,
)
from compute_optimizer.views.preferences import (
    enhanced_metrics,
    inferred_workload_types,
    look_back_period,
    preferred,
    utilization,
)
from compute_optimizer.views.savings import LISTED, estimation_source, savings_members
from compute_optimizer.views.tags import tag_list

Ranked = TypeVar("Ranked", bound=model.RecommendationOption)

WIRE_SPELLING = {
    "Underprovisioned": "UNDER_PROVISIONED",
    "Overprovisioned": "OVER_PROVISIONED",
    "Optimized": "OPTIMIZED",
    "NotOptimized": "NOT_OPTIMIZED",
    "Cpu": "CPU",
    "Memory": "MEMORY",
    "Maximum": "MAXIMUM",
}
"""Enum values that the real service spells differently from its own model (spec 3.2)."""

MODEL_SPELLING: Mapping[str, str] = {}
"""The model's own values are spelled as they are."""

MAX_OPTIONS = 3
"""Options in one answer (spec 3.7)."""

STATISTIC = "Maximum"
"""Of every utilization metric: its value is the highest of the look-back period (spec 2.4)."""

KEPT_PREFERENCES = 256
"""Effective preferences whose spelling is kept: those of a page are mostly the same."""

NO_EXTERNAL_METRICS: ExternalMetricStatus = {
    "statusCode": "NO_EXTERNAL_METRIC_SET",
    "statusReason": "No external metrics preference is configured for this resource.",
}


def spelling_of(enum_style: str) -> Mapping[str, str]:
    """Return what enum values are spelled as, for those that differ from the model's."""
    return WIRE_SPELLING if enum_style == "wire" else MODEL_SPELLING


@lru_cache(maxsize=KEPT_CATALOGS)
def gpu_infos(types: InstanceTypes) -> Mapping[str, GpuInfo]:
    """Return what is known of the GPUs of every instance type that has any."""
    return {
        types.names[place]: _gpu_info(int(types.gpu_count[place]), types.gpu_memory_mib[place])
        for place in types.gpu_count.nonzero()[0]
    }


@dataclass(frozen=True, slots=True)
class Presentation:
    """How recommendations are to be shown."""

    region: str
    architectures: tuple[CpuVendorArchitecture, ...] = ("CURRENT",)
    """The options of these are ranked together."""
    enum_style: str = "wire"
    """wire (OVER_PROVISIONED) or model (Overprovisioned)."""
    gpus: Mapping[str, GpuInfo] = field(default_factory=lambda: gpu_infos(load_instance_types()))
    """By instance type, for those that have any."""
    types: InstanceTypes = field(default_factory=load_instance_types)
    """What is known of instance types."""

    @property
    def spelling(self) -> Mapping[str, str]:
        """What enum values are spelled as, for those that differ from the model's."""
        return spelling_of(self.enum_style)


def instance_recommendation(
    recommendation: model.Ec2InstanceRecommendation, shown: Presentation
) -> InstanceRecommendation:
    """Return the recommendation as a member of instanceRecommendations."""
    found: InstanceRecommendation = {
        "instanceArn": recommendation.resource_arn,
        "accountId": recommendation.account_id,
        "instanceName": recommendation.name,
        "currentInstanceType": recommendation.current_instance_type,
        "finding": spelled(recommendation.finding.value, shown),
        "findingReasonCodes": cast(Any, list(recommendation.finding_reason_codes)),
        "utilizationMetrics": utilization_metrics(recommendation.utilization, shown),
        "lookBackPeriodInDays": recommendation.lookback_days,
        "recommendationOptions": [
            _option(option, rank, shown)
            for rank, option in enumerate(
                ranked_options(recommendation.options, shown.architectures), 1
            )
        ],
        "recommendationSources": [recommendation_source(recommendation)],
        "lastRefreshTimestamp": recommendation.last_refresh,
        "currentPerformanceRisk": recommendation.current_performance_risk.value,
        "effectiveRecommendationPreferences": effective_preferences(
            recommendation.preferences, shown, estimation_source(recommendation)
        ),
        "inferredWorkloadTypes": cast(Any, list(recommendation.inferred_workload_types)),
        "instanceState": cast(Any, recommendation.state),
        "tags": tag_list(recommendation.tags),
        "externalMetricStatus": external_status(recommendation.preferences),
        "idle": "True" if recommendation.idle else "False",
    }
    if gpus := shown.gpus.get(recommendation.current_instance_type):
        found["currentInstanceGpuInfo"] = gpus
    return found


def _gpu_info(count: int, memory_mib: float) -> GpuInfo:
    gpus: Gpu = {"gpuCount": count}
    if not isnan(memory_mib):
        gpus["gpuMemorySizeInMiB"] = int(memory_mib)
    return {"gpus": [gpus]}


def ranked_options(options: Sequence[Ranked], architectures: Sequence[str]) -> list[Ranked]:
    """Return the best options of the given architectures, ranked together.

    An instance that is on Graviton already has the same type in both pools; it counts once.
    """
    pools = {
        option.instance_type: option
        for option in options
        if option.architecture_pool in architectures
    }
    return sorted(pools.values(), key=_preference)[:MAX_OPTIONS]


def _preference(option: model.RecommendationOption) -> tuple[float, float, float, str]:
    # Savings first, then the lower risk, then the name (spec 3.7); unknown savings come last.
    # What costs more than today saves nothing: there the price tells them apart.
    savings = option.savings.monthly_usd if option.savings else float("-inf")
    price = option.hourly_usd if option.hourly_usd is not None else float("inf")
    return -savings, price, option.performance_risk, option.instance_type


def _option(
    option: model.RecommendationOption, rank: int, shown: Presentation
) -> InstanceRecommendationOption:
    found: InstanceRecommendationOption = {
        "instanceType": option.instance_type,
        "projectedUtilizationMetrics": utilization_metrics(option.projected_utilization, shown),
        "platformDifferences": cast(Any, list(option.platform_differences)),
        "performanceRisk": option.performance_risk,
        "rank": rank,
        "migrationEffort": cast(Any, option.migration_effort),
    }
    found |= savings_members(option, shown.region)
    if gpus := shown.gpus.get(option.instance_type):
        found["instanceGpuInfo"] = gpus
    return found


def utilization_metrics(
    metrics: Iterable[model.UtilizationMetric], shown: Presentation
) -> list[UtilizationMetric]:
    """Return values of use as members of the answer."""
    # A page of 1,000 shows some 15,000 of them, so that two calls for each would be felt.
    spelling, statistic = shown.spelling, spelled(STATISTIC, shown)
    return [
        {
            "name": cast(Any, spelling.get(metric.name, metric.name)),
            "statistic": statistic,
            "value": metric.value,
        }
        for metric in metrics
    ]


def recommendation_source(
    recommendation: model.Ec2InstanceRecommendation,
) -> RecommendationSource:
    """Return what the recommendation was made for: the instance, or the group that it is in."""
    if group := recommendation.auto_scaling_group_arn:
        return {
            "recommendationSourceArn": group,
            "recommendationSourceType": AUTO_SCALING_GROUP,
        }
    return {
        "recommendationSourceArn": recommendation.resource_arn,
        "recommendationSourceType": EC2_INSTANCE,
    }


def effective_preferences(
    preferences: Preferences, shown: Presentation, source: Any = LISTED
) -> EffectiveRecommendationPreferences:
    """Return the preferences that a recommendation was computed with.

    Whoever asks for the same is given the same object, which must stay as it is.
    """
    # A list of nearly all types with each of 1,000 recommendations would fill the page.
    types = shown.types if preferences.include_types else None
    return _effective_preferences(preferences, shown.architectures, source, types)


@lru_cache(maxsize=KEPT_PREFERENCES)
def _effective_preferences(
    preferences: Preferences,
    architectures: tuple[CpuVendorArchitecture, ...],
    source: Any,
    types: InstanceTypes | None,
) -> EffectiveRecommendationPreferences:
    found: EffectiveRecommendationPreferences = {
        "cpuVendorArchitectures": list(architectures),
        "enhancedInfrastructureMetrics": enhanced_metrics(preferences),
        "inferredWorkloadTypes": inferred_workload_types(preferences),
        "lookBackPeriod": look_back_period(preferences),
        "utilizationPreferences": utilization(preferences),
        "savingsEstimationMode": {"source": source},
    }
    include, exclude = preferences.include_types, preferences.exclude_types
    if include or exclude:
        found["preferredResources"] = [preferred(include, exclude, types)]
    return found


def external_status(preferences: Preferences) -> ExternalMetricStatus:
    """Return the status of external metrics: none are ever taken in from a provider."""
    source = preferences.external_metrics_source
    if source is None:
        return NO_EXTERNAL_METRICS
    return {
        "statusCode": cast(ExternalMetricStatusCode, f"INSUFFICIENT_{source.upper()}_METRICS"),
        "statusReason": f"No memory metrics of {source} were received; others are used instead.",
    }


def spelled(value: str, shown: Presentation) -> Any:
    """Return an enum value of instances and groups in the spelling that is asked for."""
    return shown.spelling.get(value, value)
