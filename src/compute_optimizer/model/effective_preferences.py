"""From the preferences of all scopes to those that are in force for one resource (spec 4.4).

Every preference is resolved by itself: the narrowest scope that states it decides, and what nobody
states has the service's default.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from compute_optimizer.model.preferences import (
    AFTER_DISCOUNTS,
    BEFORE_DISCOUNTS,
    DEFAULT_PREFERENCES,
    Preferences,
)
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.stated_preferences import (
    ACTIVE,
    CPU_UTILIZATION,
    DAYS_93,
    EC2_INSTANCE_TYPES,
    MEMORY_UTILIZATION,
    NOTHING_STATED,
    StatedPreferences,
    UtilizationPreference,
)

LOOK_BACK_DAYS = MappingProxyType({"DAYS_14": 14, "DAYS_32": 32, DAYS_93: 93})
"""Days of each look-back period (enum LookBackPeriodPreference)."""

LONGEST_LOOK_BACK = max(LOOK_BACK_DAYS.values())
"""Days that an analysis may look back at most (spec 4.1)."""

PERCENTILES = MappingProxyType({"P90": 90.0, "P95": 95.0, "P99_5": 99.5})
"""Percentile of each threshold (enum CustomizableMetricThreshold)."""

HEADROOMS = MappingProxyType(
    {"PERCENT_30": 0.30, "PERCENT_20": 0.20, "PERCENT_10": 0.10, "PERCENT_0": 0.0}
)
"""Share of capacity of each headroom (enum CustomizableMetricHeadroom)."""


@dataclass(frozen=True, slots=True)
class PreferenceLayers:
    """What is stated for the resources of one type of one account in one Region, by scope."""

    organization: StatedPreferences = NOTHING_STATED
    account: StatedPreferences = NOTHING_STATED
    resources: Mapping[str, StatedPreferences] = field(default_factory=dict)
    """By ARN of a single resource."""
    groups: Mapping[str, StatedPreferences] = field(default_factory=dict)
    """By ARN of an Auto Scaling group; they count for its instances. None of other types."""
    savings_estimation_mode: str = AFTER_DISCOUNTS
    """The default of the account's kind (spec 4.5)."""

    def chain(self, arn: str, group_arn: str | None = None) -> tuple[StatedPreferences, ...]:
        """Return what may decide for a resource, the narrowest scope first.

        The preference of a group comes before those of its instances.
        """
        narrow = (self.groups.get(group_arn or ""), self.resources.get(arn))
        stated = tuple(one for one in narrow if one is not None)
        return (*stated, self.account, self.organization)


def effective_preferences(
    layers: PreferenceLayers, arn: str, group_arn: str | None = None
) -> Preferences:
    """Return the preferences in force for a resource, which may be an instance of a group."""
    chain = layers.chain(arn, group_arn)
    include, exclude = _preferred_types(chain)
    mode = first_stated(chain, "savings_estimation_mode")
    external = first_stated(chain, "external_metrics_source")
    return Preferences(
        **_utilization(first_stated(chain, "utilization") or ()),
        lookback_days=_lookback_days(chain),
        enhanced_infrastructure_metrics=uses_enhanced_metrics(chain),
        inferred_workload_types=first_stated(chain, "inferred_workload_types") in (None, ACTIVE),
        # External metrics are not taken in for members of a group (spec 4.6).
        external_metrics_source=None if group_arn else external,
        include_types=include,
        exclude_types=exclude,
        savings_estimation_mode=mode or layers.savings_estimation_mode,
    )


def by_effective_preferences(
    layers: PreferenceLayers, resources: Sequence[Resource]
) -> dict[Preferences, list[int]]:
    """Return the places of resources that have the same preferences in force, group by group.

    Costs one look-up per resource, and none where only the account or its organization decides.
    """
    external = first_stated(layers.chain(""), "external_metrics_source")
    if not (layers.resources or layers.groups or external):
        return {effective_preferences(layers, ""): list(range(len(resources)))}
    groups: dict[Preferences, list[int]] = {}
    known: dict[tuple[str, str | None], Preferences] = {}
    for place, resource in enumerate(resources):
        group_arn = resource.auto_scaling_group_arn
        key = (resource.arn if resource.arn in layers.resources else "", group_arn)
        if key not in known:
            known[key] = effective_preferences(layers, *key)
        groups.setdefault(known[key], []).append(place)
    return groups


def longest_look_back(layers: Iterable[PreferenceLayers]) -> int:
    """Return the most days that anything stated may ask for."""
    stated = (
        one
        for layer in layers
        for one in (
            layer.organization,
            layer.account,
            *layer.resources.values(),
            *layer.groups.values(),
        )
    )
    return max((_most_days(one) for one in stated), default=DEFAULT_PREFERENCES.lookback_days)


def uses_enhanced_metrics(chain: Sequence[StatedPreferences]) -> bool:
    """Return whether enhanced infrastructure metrics are active at the narrow end of a chain."""
    return bool(first_stated(chain, "enhanced_infrastructure_metrics") == ACTIVE)


def default_savings_mode(is_member: bool) -> str:
    """Return the savings estimation mode where none is stated (spec 4.5).

    Cost Optimization Hub is no part of this program, so a member account, other than the delegated
    administrator, starts before discounts.
    """
    return BEFORE_DISCOUNTS if is_member else AFTER_DISCOUNTS


def first_stated(chain: Sequence[StatedPreferences], name: str) -> Any:
    """Return the field of the first layer that states it; None where none does."""
    values = (getattr(stated, name) for stated in chain)
    return next((value for value in values if value is not None), None)


def _lookback_days(chain: Sequence[StatedPreferences]) -> int:
    """Return the days of the narrowest period that is allowed.

    93 days without enhanced infrastructure metrics are passed over: these may have been switched
    off in a wider scope later. Alone, enhanced infrastructure metrics mean 93 days (spec 4.4).
    """
    enhanced = uses_enhanced_metrics(chain)
    periods = (stated.look_back_period for stated in chain)
    allowed = (one for one in periods if one is not None and (enhanced or one != DAYS_93))
    default = LOOK_BACK_DAYS[DAYS_93] if enhanced else DEFAULT_PREFERENCES.lookback_days
    period = next(allowed, None)
    return default if period is None else LOOK_BACK_DAYS[period]


def _most_days(stated: StatedPreferences) -> int:
    periods = {stated.look_back_period} - {None}
    if stated.enhanced_infrastructure_metrics == ACTIVE:
        periods.add(DAYS_93)
    days = [LOOK_BACK_DAYS[period] for period in periods if period]
    return max(days, default=DEFAULT_PREFERENCES.lookback_days)


def _utilization(stated: Sequence[UtilizationPreference]) -> dict[str, Any]:
    """Return the fields of Preferences that differ from the defaults, or are stated to be them."""
    by_metric = {one.metric_name: one for one in stated}
    nothing = UtilizationPreference("")
    cpu = by_metric.get(CPU_UTILIZATION, nothing)
    memory = by_metric.get(MEMORY_UTILIZATION, nothing)
    found = {
        "cpu_percentile": PERCENTILES.get(cpu.threshold or ""),
        "cpu_headroom": HEADROOMS.get(cpu.headroom or ""),
        "memory_headroom": HEADROOMS.get(memory.headroom or ""),
    }
    return {name: value for name, value in found.items() if value is not None}


def _preferred_types(
    chain: Sequence[StatedPreferences],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    for one in first_stated(chain, "preferred_resources") or ():
        if one.name == EC2_INSTANCE_TYPES:
            return one.include, one.exclude
    return (), ()
