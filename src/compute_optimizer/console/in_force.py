"""Preferences in words: what a scope states, and what is in force with who decides it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.console.words import share, spaced
from compute_optimizer.errors import NotFound
from compute_optimizer.model.effective_preferences import effective_preferences
from compute_optimizer.model.preference_rules import members_allowed
from compute_optimizer.model.preference_sources import Source, sources_of
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.model.stated_preferences import (
    PreferenceScope,
    ScopeName,
    StatedPreferences,
)
from compute_optimizer.store.inventory import find_resource
from compute_optimizer.store.preferences import COVERING, Place, layers_of_all

NOTHING: Mapping[PreferenceScope, StatedPreferences] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EffectivePreference:
    """One preference in force."""

    title: str
    value: str
    source: Source


def preferences_in_force(
    connection: Connection,
    place: Place,
    arn: str = "",
    instead: Mapping[PreferenceScope, StatedPreferences] = NOTHING,
) -> list[EffectivePreference]:
    """Return what is in force for a resource, or for those that have nothing of their own.

    `instead` is taken for what its scopes state. Only what the type has is told.
    """
    layers = layers_of_all(connection, [place], instead)[place]
    group = _group_of(connection, arn) if place[2] == EC2_INSTANCE and arn else None
    found, sources = effective_preferences(layers, arn, group), sources_of(layers, arn, group)
    has = _members_of(place[2])
    return [
        EffectivePreference(title, told, sources[field])
        for field, member, title, told in _words(found)
        if member in has
    ]


def told_in(detail: Mapping[str, Any]) -> list[str]:
    """Return in words what a scope states, as GetRecommendationPreferences tells it."""
    simple = (
        ("lookBackPeriod", "look-back {}"),
        ("enhancedInfrastructureMetrics", "enhanced infrastructure metrics {}"),
        ("inferredWorkloadTypes", "inferred workload types {}"),
        ("savingsEstimationMode", "savings {}"),
    )
    found = [text.format(detail[name]) for name, text in simple if name in detail]
    found += [
        " ".join([one["metricName"], *one["metricParameters"].values()])
        for one in detail.get("utilizationPreferences", ())
    ]
    if "externalMetricsPreference" in detail:
        found.append(f"external metrics of {detail['externalMetricsPreference']['source']}")
    return found + [
        _types(one.get("includeList", ()), one.get("excludeList", ()))
        for one in detail.get("preferredResources", ())
    ]


def _members_of(resource_type: str) -> set[str]:
    """Return the preferences that a type has, its own and of the type whose scopes cover it."""
    types = {resource_type, COVERING.get(resource_type, resource_type)}
    return {one for kind in types for scope in ScopeName for one in members_allowed(kind, scope)}


def _group_of(connection: Connection, arn: str) -> str | None:
    try:
        return find_resource(connection, arn).auto_scaling_group_arn
    except NotFound:
        return None


def _types(include: Any, exclude: Any) -> str:
    without = f" without {', '.join(exclude)}" if exclude else ""
    return f"{', '.join(include) or 'all types'}{without}"


def _words(found: Preferences) -> list[tuple[str, str, str, str]]:
    """Return field, the service's name, title and value of each preference."""
    active = {True: "Active", False: "Inactive"}
    types = _types(found.include_types, found.exclude_types)
    utilization = "utilizationPreferences"
    return [
        ("lookback_days", "lookBackPeriod", "Look-back period", f"{found.lookback_days} days"),
        (
            "enhanced_infrastructure_metrics",
            "enhancedInfrastructureMetrics",
            "Enhanced infrastructure metrics",
            active[found.enhanced_infrastructure_metrics],
        ),
        ("cpu_percentile", utilization, "CPU threshold", f"P{found.cpu_percentile:g}"),
        ("cpu_headroom", utilization, "CPU headroom", share(found.cpu_headroom, 0)),
        ("memory_headroom", utilization, "Memory headroom", share(found.memory_headroom, 0)),
        (
            "inferred_workload_types",
            "inferredWorkloadTypes",
            "Inferred workload types",
            active[found.inferred_workload_types],
        ),
        (
            "external_metrics_source",
            "externalMetricsPreference",
            "External metrics",
            found.external_metrics_source or "none",
        ),
        ("include_types", "preferredResources", "Instance types", types),
        (
            "savings_estimation_mode",
            "savingsEstimationMode",
            "Savings mode",
            spaced(found.savings_estimation_mode),
        ),
    ]
