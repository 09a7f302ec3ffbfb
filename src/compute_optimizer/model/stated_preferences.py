"""Recommendation preferences as somebody stated them for a scope, in the model's spelling."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

ALL_ACCOUNTS = "ALL_ACCOUNTS"
"""The only value of the scope Organization (documentation of Scope)."""

ACTIVE = "Active"
"""Value of a preference that is switched on; the other one is Inactive."""

DAYS_93 = "DAYS_93"
"""The look-back period that needs enhanced infrastructure metrics (spec 4.4)."""

EC2_INSTANCE_TYPES = "Ec2InstanceTypes"
"""The only name of preferred resources (enum PreferredResourceName)."""

CPU_UTILIZATION = "CpuUtilization"
MEMORY_UTILIZATION = "MemoryUtilization"


class ScopeName(StrEnum):
    """How far a preference reaches (enum ScopeName)."""

    ORGANIZATION = "Organization"
    ACCOUNT_ID = "AccountId"
    RESOURCE_ARN = "ResourceArn"


@dataclass(frozen=True, slots=True)
class PreferenceScope:
    """What a preference was stated for; preferences are kept by Region and resource type."""

    owner_id: str
    """The organization, or the account that the scope is or that owns its resource."""
    region: str
    resource_type: str
    """In the spelling of the enum ResourceType."""
    name: ScopeName
    value: str
    """ALL_ACCOUNTS, an account id or an ARN."""


@dataclass(frozen=True, slots=True)
class UtilizationPreference:
    """The threshold and headroom of one metric; None for the default."""

    metric_name: str
    threshold: str | None = None
    """P90, P95 or P99_5; of CPU only."""
    headroom: str | None = None
    """PERCENT_30, PERCENT_20, and PERCENT_0 of CPU or PERCENT_10 of memory."""


@dataclass(frozen=True, slots=True)
class PreferredResource:
    """Which values of a kind of resource may be recommended; an empty list restricts nothing."""

    name: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatedPreferences:
    """What is stated for one scope; None where nothing is, so that a wider scope decides."""

    enhanced_infrastructure_metrics: str | None = None
    inferred_workload_types: str | None = None
    external_metrics_source: str | None = None
    look_back_period: str | None = None
    utilization: tuple[UtilizationPreference, ...] | None = None
    preferred_resources: tuple[PreferredResource, ...] | None = None
    savings_estimation_mode: str | None = None


NOTHING_STATED = StatedPreferences()

FIELDS = MappingProxyType(
    {
        "enhancedInfrastructureMetrics": "enhanced_infrastructure_metrics",
        "inferredWorkloadTypes": "inferred_workload_types",
        "externalMetricsPreference": "external_metrics_source",
        "lookBackPeriod": "look_back_period",
        "utilizationPreferences": "utilization",
        "preferredResources": "preferred_resources",
        "savingsEstimationMode": "savings_estimation_mode",
    }
)
"""The service's name of each preference -> its field here."""

DELETABLE = MappingProxyType(
    {
        "EnhancedInfrastructureMetrics": "enhanced_infrastructure_metrics",
        "InferredWorkloadTypes": "inferred_workload_types",
        "ExternalMetricsPreference": "external_metrics_source",
        "LookBackPeriodPreference": "look_back_period",
        "PreferredResources": "preferred_resources",
        "UtilizationPreferences": "utilization",
    }
)
"""Name by which a preference is deleted (enum RecommendationPreferenceName) -> its field here."""


def stated_fields(stated: StatedPreferences) -> tuple[str, ...]:
    """Return the names of the fields that are stated."""
    names = (field.name for field in fields(stated))
    return tuple(name for name in names if getattr(stated, name) is not None)


def updated(before: StatedPreferences, changes: StatedPreferences) -> StatedPreferences:
    """Return what is stated after a put: only the preferences that it supplies change."""
    values: dict[str, Any] = {name: getattr(changes, name) for name in stated_fields(changes)}
    return replace(before, **values)


def without(before: StatedPreferences, names: Iterable[str]) -> StatedPreferences:
    """Return what is stated after the fields of the given names are taken away."""
    return replace(before, **dict.fromkeys(names))
