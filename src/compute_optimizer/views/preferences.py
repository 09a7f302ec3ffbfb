"""Recommendation preferences in the spelling of the wire."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from typing import cast

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.stated_preferences import (
    PreferenceScope,
    StatedPreferences,
    UtilizationPreference,
)
from compute_optimizer.resources.ec2.preferred_types import types_left
from compute_optimizer.shapes import (
    CustomizableMetricHeadroom,
    CustomizableMetricThreshold,
    EffectivePreferredResource,
    EnhancedInfrastructureMetrics,
    ExternalMetricsSource,
    GetEffectiveRecommendationPreferencesResponse,
    InferredWorkloadTypesPreference,
    LookBackPeriodPreference,
    RecommendationPreferencesDetail,
)
from compute_optimizer.shapes import UtilizationPreference as UtilizationShape

CACHED_LISTS = 256
"""Pairs of an include and an exclude list whose types of a catalog are remembered."""


def stated_detail(
    scope: PreferenceScope, stated: StatedPreferences, types: InstanceTypes
) -> RecommendationPreferencesDetail:
    """Return what is stated for a scope; a preference that is not stated is absent."""
    fields = {
        "enhancedInfrastructureMetrics": stated.enhanced_infrastructure_metrics,
        "inferredWorkloadTypes": stated.inferred_workload_types,
        "externalMetricsPreference": stated.external_metrics_source
        and {"source": stated.external_metrics_source},
        "lookBackPeriod": stated.look_back_period,
        "utilizationPreferences": stated.utilization and [_stated(u) for u in stated.utilization],
        "preferredResources": stated.preferred_resources
        and [preferred(one.include, one.exclude, types) for one in stated.preferred_resources],
        "savingsEstimationMode": stated.savings_estimation_mode,
    }
    detail = {
        "scope": {"name": scope.name.value, "value": scope.value},
        "resourceType": scope.resource_type,
        **{member: value for member, value in fields.items() if value is not None},
    }
    return cast(RecommendationPreferencesDetail, detail)


def effective_detail(
    preferences: Preferences, types: InstanceTypes
) -> GetEffectiveRecommendationPreferencesResponse:
    """Return the preferences in force for one resource."""
    detail: GetEffectiveRecommendationPreferencesResponse = {
        "enhancedInfrastructureMetrics": enhanced_metrics(preferences),
        "lookBackPeriod": look_back_period(preferences),
        "utilizationPreferences": utilization(preferences),
    }
    if preferences.external_metrics_source is not None:
        source = cast(ExternalMetricsSource, preferences.external_metrics_source)
        detail["externalMetricsPreference"] = {"source": source}
    if preferences.include_types or preferences.exclude_types:
        detail["preferredResources"] = [
            preferred(preferences.include_types, preferences.exclude_types, types)
        ]
    return detail


def enhanced_metrics(preferences: Preferences) -> EnhancedInfrastructureMetrics:
    """Return whether enhanced infrastructure metrics are active."""
    return "Active" if preferences.enhanced_infrastructure_metrics else "Inactive"


def inferred_workload_types(preferences: Preferences) -> InferredWorkloadTypesPreference:
    """Return whether workload types may be inferred."""
    return "Active" if preferences.inferred_workload_types else "Inactive"


def look_back_period(preferences: Preferences) -> LookBackPeriodPreference:
    """Return the look-back period."""
    return cast(LookBackPeriodPreference, f"DAYS_{preferences.lookback_days}")


def utilization(preferences: Preferences) -> list[UtilizationShape]:
    """Return threshold and headroom of CPU and memory."""
    threshold = f"P{preferences.cpu_percentile:g}".replace(".", "_")
    return [
        {
            "metricName": "CpuUtilization",
            "metricParameters": {
                "threshold": cast(CustomizableMetricThreshold, threshold),
                "headroom": _headroom(preferences.cpu_headroom),
            },
        },
        {
            "metricName": "MemoryUtilization",
            "metricParameters": {"headroom": _headroom(preferences.memory_headroom)},
        },
    ]


def preferred(
    include: Sequence[str], exclude: Sequence[str], types: InstanceTypes | None = None
) -> EffectivePreferredResource:
    """Return the preferred instance types and, of the given types, which both lists leave."""
    entry: EffectivePreferredResource = {"name": "Ec2InstanceTypes"}
    if include:
        entry["includeList"] = list(include)
    if exclude:
        entry["excludeList"] = list(exclude)
    if types is not None:
        entry["effectiveIncludeList"] = list(_types_left(tuple(include), tuple(exclude), types))
    return entry


@lru_cache(maxsize=CACHED_LISTS)
def _types_left(
    include: tuple[str, ...], exclude: tuple[str, ...], types: InstanceTypes
) -> tuple[str, ...]:
    return tuple(compress(types.names, types_left(types, include, exclude).tolist()))


def _stated(stated: UtilizationPreference) -> UtilizationShape:
    parameters = {"threshold": stated.threshold, "headroom": stated.headroom}
    given = {member: value for member, value in parameters.items() if value is not None}
    found = {"metricName": stated.metric_name, "metricParameters": given}
    return cast(UtilizationShape, found)


def _headroom(share: float) -> CustomizableMetricHeadroom:
    return cast(CustomizableMetricHeadroom, f"PERCENT_{share * 100:.0f}")
