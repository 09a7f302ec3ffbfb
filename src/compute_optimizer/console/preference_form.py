"""The forms of preferences: which fields a resource type has at a scope, and what they mean.

What is offered follows from the rules of the operations (`model.preference_rules`) and the values
of the service's model; nothing here repeats them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from compute_optimizer.console.messages import Values
from compute_optimizer.console.words import share
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.effective_preferences import HEADROOMS, LOOK_BACK_DAYS, PERCENTILES
from compute_optimizer.model.preference_rules import (
    HEADROOMS_OF,
    look_back_periods,
    members_allowed,
)
from compute_optimizer.model.preferences import AFTER_DISCOUNTS
from compute_optimizer.model.stated_preferences import (
    CPU_UTILIZATION,
    DELETABLE,
    EC2_INSTANCE_TYPES,
    FIELDS,
    MEMORY_UTILIZATION,
    ScopeName,
)
from compute_optimizer.shapes import (
    EnhancedInfrastructureMetrics,
    ExternalMetricsSource,
    InferredWorkloadTypesPreference,
    SavingsEstimationMode,
)

Detail = Mapping[str, Any]
"""What a scope states, as GetRecommendationPreferences tells it; empty for nothing."""


def _plain(values: Any) -> Callable[[str], Mapping[str, str]]:
    """Return the values of an enum of the service's model, each told as it is."""
    return lambda resource_type: {name: name for name in get_args(values)}


def _headrooms(metric: str) -> Callable[[str], Mapping[str, str]]:
    told = {name: share(HEADROOMS[name], 0) for name in HEADROOMS_OF[metric]}
    return lambda resource_type: told


def _of_metric(metric: str, parameter: str) -> Callable[[Detail], str]:
    def stated(detail: Detail) -> str:
        for one in detail.get("utilizationPreferences", ()):
            if one["metricName"] == metric:
                return str(one["metricParameters"].get(parameter, ""))
        return ""

    return stated


def _itself(member: str) -> Callable[[Detail], str]:
    return lambda detail: str(detail.get(member, ""))


@dataclass(frozen=True, slots=True)
class Choice:
    """A field with a few values; left empty it leaves what is stated."""

    name: str
    member: str
    """Of a put."""
    title: str
    values: Callable[[str], Mapping[str, str]]
    """From a resource type to the values, each with what people call it."""
    stated: Callable[[Detail], str]
    """The value that a scope states; empty where it states none."""
    parameter: tuple[str, str] = ("", "")
    """Of a utilization preference: metric and parameter."""


CHOICES = (
    Choice(
        "lookBackPeriod",
        "lookBackPeriod",
        "Look-back period",
        lambda kind: {one: f"{LOOK_BACK_DAYS[one]} days" for one in look_back_periods(kind)},
        _itself("lookBackPeriod"),
    ),
    Choice(
        "enhancedInfrastructureMetrics",
        "enhancedInfrastructureMetrics",
        "Enhanced metrics",
        _plain(EnhancedInfrastructureMetrics),
        _itself("enhancedInfrastructureMetrics"),
    ),
    Choice(
        "cpuThreshold",
        "utilizationPreferences",
        "CPU threshold",
        lambda kind: {name: f"P{percentile:g}" for name, percentile in PERCENTILES.items()},
        _of_metric(CPU_UTILIZATION, "threshold"),
        (CPU_UTILIZATION, "threshold"),
    ),
    Choice(
        "cpuHeadroom",
        "utilizationPreferences",
        "CPU headroom",
        _headrooms(CPU_UTILIZATION),
        _of_metric(CPU_UTILIZATION, "headroom"),
        (CPU_UTILIZATION, "headroom"),
    ),
    Choice(
        "memoryHeadroom",
        "utilizationPreferences",
        "Memory headroom",
        _headrooms(MEMORY_UTILIZATION),
        _of_metric(MEMORY_UTILIZATION, "headroom"),
        (MEMORY_UTILIZATION, "headroom"),
    ),
    Choice(
        "inferredWorkloadTypes",
        "inferredWorkloadTypes",
        "Inferred workload types",
        _plain(InferredWorkloadTypesPreference),
        _itself("inferredWorkloadTypes"),
    ),
    Choice(
        "externalMetricsPreference",
        "externalMetricsPreference",
        "External metrics",
        _plain(ExternalMetricsSource),
        lambda detail: str(detail.get("externalMetricsPreference", {}).get("source", "")),
    ),
    Choice(
        "savingsEstimationMode",
        "savingsEstimationMode",
        "Savings mode",
        _plain(SavingsEstimationMode),
        _itself("savingsEstimationMode"),
    ),
)

PREFERRED = "preferredResources"

LISTS = {"include": "includeList", "exclude": "excludeList"}
"""Fields of preferred types, and their members."""

ADDED = "Added"
"""Ends the name of the field that adds one type to a list."""

LISTS_SHOWN = "listsShown"
"""The hidden field that says which lists the form showed: who leaves them alone states nothing,
whatever somebody else has stated since."""

TITLES = {
    **{one.member: one.title for one in CHOICES},
    "utilizationPreferences": "Utilization thresholds and headroom",
    PREFERRED: "Instance types",
}
"""What people call each preference."""

AT = {
    **{one.member: one.name for one in reversed(CHOICES)},
    **{one.title: one.name for one in CHOICES},
    f"of {MEMORY_UTILIZATION}": "memoryHeadroom",
    "includeList": "include",
    "excludeList": "exclude",
    PREFERRED: "include",
    "no instance type matches": "include",
    "leaves no instance type": "exclude",
    "resourceArn": "arn",
    "The resource arn:": "arn",
    "The instance arn:": "arn",
    "is not the ARN": "arn",
}
"""Words of a refusal -> the field that it is about."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field as a form has it."""

    choice: Choice
    values: Mapping[str, str]
    stated: str
    """What the scope states; empty for nothing."""


@dataclass(frozen=True, slots=True)
class Form:
    """What may be stated for a resource type at a scope, and what is."""

    fields: tuple[Field, ...]
    preferred: bool
    """Whether types can be included and excluded."""
    lists: Mapping[str, tuple[str, ...]]
    """Of preferred types, as the scope states them, by the names of the fields."""
    removable: Mapping[str, str]
    """Titles of what is stated and can be taken away, by the names that the operation has."""
    kept: tuple[str, ...]
    """Titles of what is stated and cannot be taken away."""

    @property
    def shown(self) -> str:
        """Return the lists as the hidden field has them."""
        return _in_one(self.lists)


def form_of(resource_type: str, scope: ScopeName, detail: Detail, *, may_activate: bool) -> Form:
    """Return the form; `may_activate` says whether AfterDiscounts may be chosen."""
    allowed = members_allowed(resource_type, scope)
    fields = tuple(
        Field(one, _values(one, resource_type, may_activate), one.stated(detail))
        for one in CHOICES
        if one.member in allowed
    )
    listed = [*detail.get(PREFERRED, ()), {}]
    preferred: Mapping[str, Sequence[str]] = listed[0]
    names = {field: name for name, field in DELETABLE.items()}
    stated = [member for member in FIELDS if member in detail]
    return Form(
        fields=fields,
        preferred=PREFERRED in allowed,
        lists={name: tuple(preferred.get(member, ())) for name, member in LISTS.items()},
        removable={
            names[FIELDS[member]]: TITLES[member] for member in stated if FIELDS[member] in names
        },
        kept=tuple(TITLES[member] for member in stated if FIELDS[member] not in names),
    )


def _values(choice: Choice, resource_type: str, may_activate: bool) -> Mapping[str, str]:
    values = choice.values(resource_type)
    if may_activate:
        return values
    return {name: told for name, told in values.items() if name != AFTER_DISCOUNTS}


def wanted_in(form: Form, sent: Values, detail: Detail) -> dict[str, Any]:
    """Return what a form states, as members of a put; what it leaves alone is not among them.

    Raises InvalidInput for a value that the form does not offer.
    """
    wanted: dict[str, Any] = {}
    for field in form.fields:
        value = _sent(sent, field.choice.name)
        if not value:
            continue
        if value not in field.values:
            raise InvalidInput(
                f"{field.choice.title} {value[:40]}, expected {', '.join(field.values)}"
            )
        _PUT.get(field.choice.member, _put_alone)(wanted, field.choice, value, detail)
    lists = lists_in(sent)
    if form.preferred and lists != form.lists and _in_one(lists) != _sent(sent, LISTS_SHOWN):
        wanted[PREFERRED] = _preferred(lists)
    return wanted


def lists_in(sent: Values) -> dict[str, tuple[str, ...]]:
    """Return the preferred types in a form: those listed, and the one that is added."""
    found = {}
    for name in LISTS:
        text = f"{_sent(sent, name)} {_sent(sent, name + ADDED)}"
        found[name] = tuple(dict.fromkeys(one for one in re.split(r"[\s,;]+", text) if one))
    return found


def _in_one(lists: Mapping[str, Sequence[str]]) -> str:
    """Return both lists as one text, which is never empty."""
    return "|".join(",".join(lists[name]) for name in LISTS)


def taken_in(form: Form, sent: Values) -> list[str]:
    """Return the names of what a form takes away, as its operation has them."""
    return [name for name in form.removable if name in sent.get("name", ())]


def _preferred(lists: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    members = {LISTS[name]: list(values) for name, values in lists.items() if values}
    if not members:
        raise InvalidInput(
            f"{PREFERRED}: both lists are empty; name a type, or take the preference away"
        )
    return [{"name": EC2_INSTANCE_TYPES, **members}]


def _put_alone(wanted: dict[str, Any], choice: Choice, value: str, detail: Detail) -> None:
    wanted[choice.member] = value


def _put_source(wanted: dict[str, Any], choice: Choice, value: str, detail: Detail) -> None:
    wanted[choice.member] = {"source": value}


def _put_utilization(wanted: dict[str, Any], choice: Choice, value: str, detail: Detail) -> None:
    """Thresholds and headrooms are one preference: those that the form leaves alone are kept."""
    found: Detail = wanted if choice.member in wanted else detail
    before: Sequence[Mapping[str, Any]] = found.get(choice.member) or ()
    kept = {one["metricName"]: dict(one["metricParameters"]) for one in before}
    metric, parameter = choice.parameter
    kept.setdefault(metric, {})[parameter] = value
    wanted[choice.member] = [
        {"metricName": name, "metricParameters": one} for name, one in kept.items()
    ]


_PUT: Mapping[str, Callable[[dict[str, Any], Choice, str, Detail], None]] = {
    "utilizationPreferences": _put_utilization,
    "externalMetricsPreference": _put_source,
}
"""How the value of a choice becomes a member of a put; all others are the value itself."""


def _sent(sent: Values, name: str) -> str:
    return sent.get(name, [""])[0].strip()
