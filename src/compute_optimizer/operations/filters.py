"""Filters of the recommendation lists: every filter must match, by any of its values.

Names and values are case-sensitive. A value is accepted as the model spells it, or as the service
itself is known to answer it (OVER_PROVISIONED), and in no other way.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from compute_optimizer.model.facets import Facets, named_finding, named_tag
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE
from compute_optimizer.resources.licenses.reading import LICENSE_NAME
from compute_optimizer.resources.rds.reading import (
    IDLE,
    INSTANCE_FINDING,
    STORAGE_CODES,
    STORAGE_FINDING,
)
from compute_optimizer.shapes import (
    ECSServiceRecommendationFinding,
    ECSServiceRecommendationFindingReasonCode,
    Filter,
    IdleRecommendationFilter,
    IdleRecommendationResourceType,
    InferredWorkloadType,
    InstanceRecommendationFindingReasonCode,
    InvalidParameterValueException,
    LambdaFunctionRecommendationFinding,
    LambdaFunctionRecommendationFindingReasonCode,
    LicenseFinding,
    LicenseFindingReasonCode,
    LicenseName,
    RDSInstanceFindingReasonCode,
    RDSStorageFindingReasonCode,
)
from compute_optimizer.store.recommendations import Selection

FINDING = "Finding"
TAG_PREFIX = "tag:"
TAG_KEY = "tag-key"

NAMELESS = "A filter has no name; expected one of {expected}."
"""What is said of a filter without a name, whichever operation has it."""

Match = Callable[[Facets], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """What one filter asks for."""

    matches: Match
    mentions: tuple[frozenset[str], ...]
    """As in Selection."""
    named: frozenset[str] | None
    """Names of facets of which all that match have one; None where they may have none."""


@dataclass(frozen=True, slots=True)
class FilterRule:
    """One filter name: what it accepts and what it looks at."""

    accepted: Mapping[str, str]
    """Accepted spelling -> stored spelling."""
    read: Callable[[Facets], Collection[str]]


def _as_modelled(values: Sequence[str]) -> dict[str, str]:
    return {value: value for value in values}


FINDINGS = {
    **_as_modelled([Finding.UNDER_PROVISIONED, Finding.OVER_PROVISIONED, Finding.OPTIMIZED]),
    "UNDER_PROVISIONED": Finding.UNDER_PROVISIONED.value,
    "OVER_PROVISIONED": Finding.OVER_PROVISIONED.value,
    "OPTIMIZED": Finding.OPTIMIZED.value,
}

EC2_FILTERS = {
    FINDING: FilterRule(FINDINGS, lambda facets: (facets.finding,)),
    "FindingReasonCodes": FilterRule(
        _as_modelled(get_args(InstanceRecommendationFindingReasonCode)),
        lambda facets: facets.reason_codes,
    ),
    "RecommendationSourceType": FilterRule(
        _as_modelled((EC2_INSTANCE, AUTO_SCALING_GROUP)), lambda facets: (facets.source_type,)
    ),
    "InferredWorkloadTypes": FilterRule(
        _as_modelled(get_args(InferredWorkloadType)), lambda facets: facets.workload_types
    ),
}
"""The filters of GetEC2InstanceRecommendations beside tag:KEY and tag-key (spec 8.1)."""

GROUP_FILTERS = {
    **EC2_FILTERS,
    FINDING: FilterRule(
        {
            **_as_modelled([Finding.OPTIMIZED, Finding.NOT_OPTIMIZED]),
            "OPTIMIZED": Finding.OPTIMIZED.value,
            "NOT_OPTIMIZED": Finding.NOT_OPTIMIZED.value,
        },
        lambda facets: (facets.finding,),
    ),
}
"""The filters of GetAutoScalingGroupRecommendations (spec 8.1)."""

EBS_FILTERS = {
    FINDING: FilterRule(
        _as_modelled([Finding.OPTIMIZED, Finding.NOT_OPTIMIZED]), lambda facets: (facets.finding,)
    ),
}
"""The filter of GetEBSVolumeRecommendations beside tag:KEY and tag-key (spec 8.1)."""

IDLE_FILTERS = {
    FINDING: FilterRule(
        _as_modelled([Finding.IDLE, Finding.UNATTACHED, Finding.UNUSED]),
        lambda facets: (facets.finding,),
    ),
    "ResourceType": FilterRule(
        _as_modelled(get_args(IdleRecommendationResourceType)),
        lambda facets: (facets.source_type,),
    ),
}
"""The filters of GetIdleRecommendations beside tag:KEY and tag-key (spec 8.1)."""

ECS_FILTERS = {
    FINDING: FilterRule(
        _as_modelled(get_args(ECSServiceRecommendationFinding)), lambda facets: (facets.finding,)
    ),
    "FindingReasonCode": FilterRule(
        _as_modelled(get_args(ECSServiceRecommendationFindingReasonCode)),
        lambda facets: facets.reason_codes,
    ),
}
"""The filters of GetECSServiceRecommendations beside tag:KEY and tag-key (spec 8.1)."""

LAMBDA_FILTERS = {
    FINDING: FilterRule(
        _as_modelled(get_args(LambdaFunctionRecommendationFinding)),
        lambda facets: (facets.finding,),
    ),
    "FindingReasonCode": FilterRule(
        _as_modelled(get_args(LambdaFunctionRecommendationFindingReasonCode)),
        lambda facets: facets.reason_codes,
    ),
}
"""The filters of GetLambdaFunctionRecommendations beside tag:KEY and tag-key (spec 8.1)."""

LICENSE_FILTERS = {
    FINDING: FilterRule(
        {
            **_as_modelled(get_args(LicenseFinding)),
            # As the documentation of the filter spells it.
            "InsufficentMetrics": Finding.INSUFFICIENT_METRICS.value,
        },
        lambda facets: (facets.finding,),
    ),
    "FindingReasonCode": FilterRule(
        {
            **_as_modelled(get_args(LicenseFindingReasonCode)),
            # As the documentation of filters spells them (spec 3.3).
            "InvalidCloudwatchApplicationInsights": "InvalidCloudWatchApplicationInsightsSetup",
            "CloudwatchApplicationInsightsError": "CloudWatchApplicationInsightsError",
        },
        lambda facets: facets.reason_codes,
    ),
    "LicenseName": FilterRule(
        _as_modelled(get_args(LicenseName)), lambda facets: facets.marks[LICENSE_NAME]
    ),
}
"""The filters of GetLicenseRecommendations beside tag:KEY and tag-key (spec 8.1)."""

INSTANCE_FINDINGS = (Finding.OPTIMIZED, Finding.UNDER_PROVISIONED, Finding.OVER_PROVISIONED)

DATABASE_FILTERS = {
    "InstanceFinding": FilterRule(
        _as_modelled(INSTANCE_FINDINGS), lambda facets: facets.marks[INSTANCE_FINDING]
    ),
    "InstanceFindingReasonCode": FilterRule(
        _as_modelled(get_args(RDSInstanceFindingReasonCode)), lambda facets: facets.reason_codes
    ),
    "StorageFinding": FilterRule(
        _as_modelled((*INSTANCE_FINDINGS, Finding.NOT_OPTIMIZED)),
        lambda facets: facets.marks[STORAGE_FINDING],
    ),
    "StorageFindingReasonCode": FilterRule(
        _as_modelled(get_args(RDSStorageFindingReasonCode)),
        lambda facets: facets.marks[STORAGE_CODES],
    ),
    "Idle": FilterRule(_as_modelled(("True", "False")), lambda facets: facets.marks[IDLE]),
}
"""The filters of GetRDSDatabaseRecommendations beside tag:KEY and tag-key (spec 8.1)."""


def selection(
    filters: Sequence[Filter | IdleRecommendationFilter],
    rules: Mapping[str, FilterRule],
    arns: tuple[str, ...] | None = None,
) -> Selection:
    """Return what the store shall read for a request's filters.

    Raises InvalidParameterValueException that names the filter which is not valid.
    """
    findings: frozenset[str] | None = None
    conditions: list[Condition] = []
    for one in filters:
        name, values = one.get("name", ""), one.get("values", [])
        if not name:
            raise InvalidParameterValueException(NAMELESS.format(expected=_names_of(rules)))
        if not values:
            raise InvalidParameterValueException(f"The filter {name!r} has no values.")
        if name == FINDING and name in rules:
            # The store keeps the finding in a column, so the database itself may select by it.
            wanted = frozenset(_stored(name, values, rules[name]))
            findings = wanted if findings is None else findings & wanted
        else:
            conditions.append(_condition(name, values, rules))
    mentions = tuple(texts for condition in conditions for texts in condition.mentions)
    named = tuple(condition.named for condition in conditions if condition.named)
    if findings is not None:
        named += (frozenset(map(named_finding, findings)),)
    return Selection(arns, findings, _all_of(conditions), mentions, named)


def _condition(name: str, values: Sequence[str], rules: Mapping[str, FilterRule]) -> Condition:
    if name == TAG_KEY:
        return _has_tag_key(frozenset(values))
    if name.startswith(TAG_PREFIX) and len(name) > len(TAG_PREFIX):
        return _has_tag(name.removeprefix(TAG_PREFIX), frozenset(values))
    if name not in rules:
        raise InvalidParameterValueException(
            f"The filter name {name!r} is not valid; expected one of {_names_of(rules)}."
        )
    rule = rules[name]
    wanted = frozenset(_stored(name, values, rule))
    return Condition(lambda facets: not wanted.isdisjoint(rule.read(facets)), (wanted,), wanted)


def _names_of(rules: Mapping[str, FilterRule]) -> str:
    return ", ".join([*rules, f"{TAG_PREFIX}KEY", TAG_KEY])


def _stored(name: str, values: Sequence[str], rule: FilterRule) -> list[str]:
    for value in values:
        if value not in rule.accepted:
            expected = ", ".join(rule.accepted)
            raise InvalidParameterValueException(
                f"The value {value!r} of the filter {name} is not valid; "
                f"expected one of {expected}."
            )
    return [rule.accepted[value] for value in values]


def _has_tag(key: str, values: frozenset[str]) -> Condition:
    return Condition(
        lambda facets: facets.tags.get(key) in values,
        (frozenset({key}), values),
        frozenset(named_tag(key, value) for value in values),
    )


def _has_tag_key(keys: frozenset[str]) -> Condition:
    if "" not in keys:
        return Condition(
            lambda facets: not keys.isdisjoint(facets.tags),
            (keys,),
            frozenset(map(named_tag, keys)),
        )
    # An empty value asks for resources without any tag (spec 8.1).
    return Condition(lambda facets: not facets.tags or not keys.isdisjoint(facets.tags), (), None)


def _all_of(conditions: Sequence[Condition]) -> Match | None:
    if not conditions:
        return None
    return lambda facets: all(condition.matches(facets) for condition in conditions)
