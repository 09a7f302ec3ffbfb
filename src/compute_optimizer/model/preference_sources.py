"""Which scope decides each preference that is in force, for people who ask why it is what it is."""

from collections.abc import Sequence
from enum import StrEnum

from compute_optimizer.model.effective_preferences import PreferenceLayers, uses_enhanced_metrics
from compute_optimizer.model.stated_preferences import (
    CPU_UTILIZATION,
    DAYS_93,
    MEMORY_UTILIZATION,
    StatedPreferences,
)


class Source(StrEnum):
    """Who decides, from narrow to wide."""

    GROUP = "Auto Scaling group"
    RESOURCE = "Resource"
    ACCOUNT = "Account"
    ORGANIZATION = "Organization"
    DEFAULT = "Default"


Named = Sequence[tuple[Source, StatedPreferences]]

UTILIZATION = {
    "cpu_percentile": (CPU_UTILIZATION, "threshold"),
    "cpu_headroom": (CPU_UTILIZATION, "headroom"),
    "memory_headroom": (MEMORY_UTILIZATION, "headroom"),
}
"""Fields of Preferences that one preference states together: metric and parameter of each."""

ALONE = {
    "enhanced_infrastructure_metrics": "enhanced_infrastructure_metrics",
    "inferred_workload_types": "inferred_workload_types",
    "external_metrics_source": "external_metrics_source",
    "include_types": "preferred_resources",
    "exclude_types": "preferred_resources",
    "savings_estimation_mode": "savings_estimation_mode",
}
"""Field of Preferences -> the field of StatedPreferences that decides it."""


def sources_of(
    layers: PreferenceLayers, arn: str = "", group_arn: str | None = None
) -> dict[str, Source]:
    """Return who decides each field of `effective_preferences` with the same arguments."""
    narrow = (
        (Source.GROUP, layers.groups.get(group_arn or "")),
        (Source.RESOURCE, layers.resources.get(arn)),
    )
    named = [
        *((source, stated) for source, stated in narrow if stated is not None),
        (Source.ACCOUNT, layers.account),
        (Source.ORGANIZATION, layers.organization),
    ]
    found = {name: _first(named, field) for name, field in ALONE.items()}
    if group_arn:
        # External metrics are not taken in for members of a group (spec 4.6).
        found["external_metrics_source"] = Source.DEFAULT
    found |= {name: _of_metric(named, *where) for name, where in UTILIZATION.items()}
    return {**found, "lookback_days": _of_look_back(named)}


def _first(named: Named, field: str) -> Source:
    stating = (source for source, stated in named if getattr(stated, field) is not None)
    return next(stating, Source.DEFAULT)


def _of_metric(named: Named, metric: str, parameter: str) -> Source:
    """Return who decides a parameter: the first that states any, unless it leaves this one out."""
    for source, stated in named:
        if stated.utilization is not None:
            alike = (one for one in stated.utilization if one.metric_name == metric)
            values = [getattr(one, parameter) for one in alike]
            return source if any(values) else Source.DEFAULT
    return Source.DEFAULT


def _of_look_back(named: Named) -> Source:
    """Return who decides the period; 93 days come from who activates the enhanced metrics."""
    enhanced = uses_enhanced_metrics([stated for _, stated in named])
    for source, stated in named:
        period = stated.look_back_period
        if period is not None and (enhanced or period != DAYS_93):
            return source
    return _first(named, "enhanced_infrastructure_metrics") if enhanced else Source.DEFAULT
