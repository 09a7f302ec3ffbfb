"""Which preference may be stated for which resource type, at which scope and with which values.

The rules are those of spec 4.1; every refusal is an InvalidInput that names the member.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.effective_preferences import LOOK_BACK_DAYS, uses_enhanced_metrics
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE, RDS_DB_INSTANCE
from compute_optimizer.model.stated_preferences import (
    CPU_UTILIZATION,
    DAYS_93,
    FIELDS,
    MEMORY_UTILIZATION,
    PreferredResource,
    ScopeName,
    StatedPreferences,
    UtilizationPreference,
    stated_fields,
)

EVERY_SCOPE = frozenset(ScopeName)
WIDE_SCOPES = frozenset({ScopeName.ORGANIZATION, ScopeName.ACCOUNT_ID})

LARGEST_LIST = 1_000
"""Values of one include or exclude list (documentation of PreferredResource)."""

HEADROOMS_OF = MappingProxyType(
    {
        CPU_UTILIZATION: ("PERCENT_30", "PERCENT_20", "PERCENT_0"),
        MEMORY_UTILIZATION: ("PERCENT_30", "PERCENT_20", "PERCENT_10"),
    }
)
"""Headrooms that each metric may have (documentation of CustomizableMetricParameters)."""

LONGEST_ARN = 512
"""Characters of an ARN that the state database keeps."""

_PREFIX = r"arn:aws[a-z-]*:{service}:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{{12}}):"

_NAME = "[!-.0-9;-~]+"
"""Printable ASCII but the slash and the colon, which separate (Auto Scaling API reference)."""


def _arn_pattern(service: str, rest: str) -> re.Pattern[str]:
    longest = rf"(?!.{{{LONGEST_ARN + 1}}})"
    return re.compile(longest + _PREFIX.format(service=service) + rest)


RESOURCE_ARNS = MappingProxyType(
    {
        EC2_INSTANCE: _arn_pattern("ec2", f"instance/{_NAME}"),
        AUTO_SCALING_GROUP: _arn_pattern(
            "autoscaling", f"autoScalingGroup:{_NAME}:autoScalingGroupName/[!-9;-~]+"
        ),
        "EbsVolume": _arn_pattern("ec2", f"volume/{_NAME}"),
        "EcsService": _arn_pattern("ecs", f"service/{_NAME}(/{_NAME})?"),
        RDS_DB_INSTANCE: _arn_pattern("rds", f"db:{_NAME}"),
        "AuroraDBClusterStorage": _arn_pattern("rds", f"cluster:{_NAME}"),
    }
)
"""ARNs of each resource type that has preferences of single resources (spec 15, question 26)."""


@dataclass(frozen=True, slots=True)
class PreferenceRule:
    """Where one preference may be stated."""

    resource_types: frozenset[str] | None
    """None for all."""
    scopes: Mapping[str, frozenset[ScopeName]]
    """By resource type, where they are not the same for all; "" for the others."""

    def allows(self, resource_type: str, scope: ScopeName) -> bool:
        """Return whether the scope is one for the resource type."""
        return scope in self.scopes.get(resource_type, self.scopes[""])


def _rule(
    scopes: frozenset[ScopeName],
    *types: str,
    groups: frozenset[ScopeName] = frozenset({ScopeName.RESOURCE_ARN}),
) -> PreferenceRule:
    by_type = {"": scopes, AUTO_SCALING_GROUP: groups}
    return PreferenceRule(frozenset(types) or None, MappingProxyType(by_type))


RULES: Mapping[str, PreferenceRule] = MappingProxyType(
    {
        "enhancedInfrastructureMetrics": _rule(
            EVERY_SCOPE, EC2_INSTANCE, AUTO_SCALING_GROUP, RDS_DB_INSTANCE
        ),
        # The console offers the wide scopes only, which a group has not (spec 4.1).
        "inferredWorkloadTypes": _rule(WIDE_SCOPES, EC2_INSTANCE, AUTO_SCALING_GROUP),
        "externalMetricsPreference": _rule(WIDE_SCOPES, EC2_INSTANCE),
        "lookBackPeriod": _rule(EVERY_SCOPE, *RESOURCE_ARNS),
        "utilizationPreferences": _rule(EVERY_SCOPE, EC2_INSTANCE),
        # Documents list more types, though only Ec2InstanceTypes can be preferred (spec 15, 23).
        "preferredResources": _rule(EVERY_SCOPE, EC2_INSTANCE, AUTO_SCALING_GROUP),
        "savingsEstimationMode": _rule(WIDE_SCOPES, groups=frozenset()),
    }
)
"""Rule of each preference by its name in requests (spec 4.1)."""


def members_allowed(resource_type: str, scope: ScopeName) -> tuple[str, ...]:
    """Return the preferences that may be stated for a resource type at a scope, by their names."""
    if scope is ScopeName.RESOURCE_ARN and resource_type not in RESOURCE_ARNS:
        return ()
    return tuple(
        member
        for member, rule in RULES.items()
        if rule.resource_types is None or resource_type in rule.resource_types
        if rule.allows(resource_type, scope)
    )


def look_back_periods(resource_type: str) -> tuple[str, ...]:
    """Return the look-back periods that a resource type may have (spec 4.4)."""
    return tuple(one for one in LOOK_BACK_DAYS if one != DAYS_93 or _has_enhanced(resource_type))


def check_stated(resource_type: str, scope: ScopeName, stated: StatedPreferences) -> None:
    """Raise InvalidInput unless everything stated may be stated for this type at this scope."""
    names = stated_fields(stated)
    if not names:
        raise InvalidInput(
            f"the request states no preference; expected at least one of {', '.join(FIELDS)}"
        )
    for member, rule in RULES.items():
        if FIELDS[member] in names:
            _check_place(member, rule, resource_type, scope)
    if stated.utilization is not None:
        _check_utilization(stated.utilization)
    if stated.preferred_resources is not None:
        _check_preferred(stated.preferred_resources)


def check_look_back(resource_type: str, chain: Sequence[StatedPreferences]) -> None:
    """Raise InvalidInput where the narrowest scope asks for 93 days and does not get them.

    They need enhanced infrastructure metrics, which may be active in a wider scope (spec 4.4).
    """
    if chain[0].look_back_period != DAYS_93:
        return
    if not _has_enhanced(resource_type):
        raise InvalidInput(
            f"lookBackPeriod {DAYS_93} needs enhanced infrastructure metrics, which "
            f"{resource_type} does not have; expected DAYS_14 or DAYS_32"
        )
    if not uses_enhanced_metrics(chain):
        raise InvalidInput(
            f"lookBackPeriod {DAYS_93} needs enhancedInfrastructureMetrics to be Active; set or "
            "remove both together, or set a lookBackPeriod of DAYS_14 or DAYS_32"
        )


def _has_enhanced(resource_type: str) -> bool:
    return resource_type in (RULES["enhancedInfrastructureMetrics"].resource_types or ())


def _check_place(member: str, rule: PreferenceRule, resource_type: str, scope: ScopeName) -> None:
    if rule.resource_types is not None and resource_type not in rule.resource_types:
        raise InvalidInput(
            f"{member} can't be set for the resource type {resource_type}; expected one of "
            f"{', '.join(sorted(rule.resource_types))}"
        )
    if not rule.allows(resource_type, scope):
        allowed = [one for one in ScopeName if rule.allows(resource_type, one)]
        raise InvalidInput(
            f"{member} of {resource_type} can't be set at the scope {scope}; expected "
            f"{' or '.join(allowed) or 'another resource type'}"
        )


def _check_utilization(stated: Sequence[UtilizationPreference]) -> None:
    if not stated:
        raise InvalidInput("utilizationPreferences is empty; expected at least one metric")
    names = [one.metric_name for one in stated]
    if len(set(names)) < len(names):
        raise InvalidInput("utilizationPreferences names a metric twice; expected each once")
    for one in stated:
        _check_metric(one)


def _check_metric(stated: UtilizationPreference) -> None:
    where = f"utilizationPreferences of {stated.metric_name or 'no metric'}"
    if stated.metric_name not in HEADROOMS_OF:
        raise InvalidInput(f"{where}: expected a metricName, {' or '.join(HEADROOMS_OF)}")
    if stated.threshold is None and stated.headroom is None:
        raise InvalidInput(f"{where}: expected a threshold or a headroom in metricParameters")
    if stated.threshold is not None and stated.metric_name != CPU_UTILIZATION:
        raise InvalidInput(f"{where}: a threshold can be set for {CPU_UTILIZATION} only")
    allowed = HEADROOMS_OF[stated.metric_name]
    if stated.headroom is not None and stated.headroom not in allowed:
        raise InvalidInput(f"{where}: headroom {stated.headroom}, expected {', '.join(allowed)}")


def _check_preferred(stated: Sequence[PreferredResource]) -> None:
    if not stated:
        raise InvalidInput("preferredResources is empty; expected an entry Ec2InstanceTypes")
    if len(stated) > 1:
        raise InvalidInput(
            f"preferredResources has {len(stated)} entries; expected one, with both lists"
        )
    (one,) = stated
    if not one.name:
        raise InvalidInput("preferredResources: expected the name Ec2InstanceTypes")
    if not (one.include or one.exclude):
        raise InvalidInput("preferredResources: expected an includeList or an excludeList")
    for member, values in (("includeList", one.include), ("excludeList", one.exclude)):
        if len(values) > LARGEST_LIST:
            raise InvalidInput(
                f"preferredResources: {member} has {len(values)} values; at most {LARGEST_LIST} "
                "are allowed"
            )
