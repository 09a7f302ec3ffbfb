"""The options of one recommendation side by side: from the API's answer and the evidence."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compute_optimizer.console import words
from compute_optimizer.engine.explanation import ChoiceEvidence, Explanation, TypeEvidence
from compute_optimizer.model.recommendation import HOURS_PER_MONTH
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    LICENSE,
    RDS_DB_INSTANCE,
)


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    name: str
    rank: int
    of: str
    """What is chosen, such as the storage of a database."""
    monthly_usd: float | None
    savings: float | None
    """A month, as the next."""
    after_discounts: float | None
    percentage: float | None
    risk: float | None
    """0 to 4."""
    risks: Mapping[str, float | None]
    """By dimension."""
    violation_risk: float | None
    effort: str | None
    differences: tuple[str, ...]
    projected: tuple[str, ...]
    """The use that it would have had, for people."""
    wire: Mapping[str, Any] = field(default_factory=dict)
    """As the API answers it."""

    @property
    def is_discounted(self) -> bool:
        """Whether discounts change what it saves."""
        return self.after_discounts != self.savings


@dataclass(frozen=True, slots=True)
class AsItIs:
    """What the resource costs and does without a change."""

    monthly_usd: float | None
    """Of all parts; None where the price of any is unknown."""
    parts: Mapping[str, float]
    """The same of each, where options are chosen for several: a database's class and storage."""
    used: tuple[str, ...]
    """In the order and the words of `Option.projected`."""


@dataclass(frozen=True, slots=True)
class OptionList:
    """Where options stand in the API's answer."""

    member: str
    of: str
    """As the evidence calls what is chosen; the type of a catalog otherwise."""
    name: Callable[[Mapping[str, Any]], str]


def _task(one: Mapping[str, Any]) -> str:
    return f"{one['cpu']:,} CPU units, {one['memory']:,} MiB"


def _volume(one: Mapping[str, Any]) -> str:
    now = one["configuration"]
    return f"{now['volumeType']} {now['volumeSize']:,} GiB"


OPTION_LISTS: Mapping[str, tuple[OptionList, ...]] = {
    EC2_INSTANCE: (OptionList("recommendationOptions", "type", lambda one: one["instanceType"]),),
    AUTO_SCALING_GROUP: (
        OptionList(
            "recommendationOptions",
            "type",
            lambda one: one["configuration"].get("instanceType", ""),
        ),
    ),
    EBS_VOLUME: (OptionList("volumeRecommendationOptions", "volume", _volume),),
    LAMBDA_FUNCTION: (
        OptionList(
            "memorySizeRecommendationOptions", "memory", lambda one: f"{one['memorySize']:,} MB"
        ),
    ),
    ECS_SERVICE: (OptionList("serviceRecommendationOptions", "task", _task),),
    RDS_DB_INSTANCE: (
        OptionList("instanceRecommendationOptions", "class", lambda one: one["dbInstanceClass"]),
        OptionList(
            "storageRecommendationOptions",
            "storage",
            lambda one: one["storageConfiguration"]["storageType"],
        ),
    ),
    LICENSE: (
        OptionList("licenseRecommendationOptions", "license", lambda one: one["licenseEdition"]),
    ),
}
"""By resource type."""


def options_of(
    resource_type: str, answer: Mapping[str, Any], explanation: Explanation | None
) -> list[Option]:
    """Return the options of an answer of the API, in their order."""
    return [
        _option(resource_type, listed, wire, rank, explanation)
        for listed in OPTION_LISTS.get(resource_type, ())
        for rank, wire in enumerate(answer.get(listed.member, ()), 1)
    ]


def as_it_is(
    resource_type: str, answer: Mapping[str, Any], explanation: Explanation | None
) -> AsItIs:
    """Return what stands beside the options."""
    used = _used(resource_type, answer.get("utilizationMetrics", ()))
    if explanation is None:
        return AsItIs(None, {}, used)
    hourly, monthly = explanation.current_hourly_usd, explanation.current_monthly_usd
    by_hour = None if hourly is None else hourly * HOURS_PER_MONTH
    if monthly is None:
        return AsItIs(by_hour, {}, used)
    if not explanation.instance_type.startswith(DB_CLASSES):
        return AsItIs(monthly, {}, used)
    # Of a database the hourly price is that of its class, and the monthly one of its storage.
    if by_hour is None:
        return AsItIs(None, {"storage": monthly}, used)
    return AsItIs(by_hour + monthly, {"class": by_hour, "storage": monthly}, used)


def _option(
    resource_type: str,
    listed: OptionList,
    wire: Mapping[str, Any],
    rank: int,
    explanation: Explanation | None,
) -> Option:
    name = listed.name(wire)
    machine = _type_evidence(explanation, name)
    choice = _choice_evidence(explanation, listed.of, rank)
    savings, after = _savings(wire, ""), _savings(wire, "AfterDiscounts")
    risk = wire.get("performanceRisk")
    return Option(
        name=choice.configuration if choice else name,
        rank=rank,
        of=listed.of,
        monthly_usd=_monthly(machine, choice),
        savings=savings.get("value"),
        after_discounts=after.get("value"),
        percentage=savings.get("percentage"),
        risk=choice.performance_risk if choice and risk is None else risk,
        risks=machine.risks if machine else {},
        violation_risk=machine.violation_risk if machine else None,
        effort=wire.get("migrationEffort"),
        differences=tuple(wire.get("platformDifferences", ())),
        projected=_used(resource_type, wire.get("projectedUtilizationMetrics", ())),
        wire=wire,
    )


def _type_evidence(explanation: Explanation | None, name: str) -> TypeEvidence | None:
    found = explanation.considered if explanation else ()
    return next((one for one in found if one.instance_type == name), None)


def _choice_evidence(explanation: Explanation | None, of: str, rank: int) -> ChoiceEvidence | None:
    found = explanation.choices if explanation else ()
    return next((one for one in found if (one.of, one.rank) == (of, rank)), None)


def _monthly(machine: TypeEvidence | None, choice: ChoiceEvidence | None) -> float | None:
    if choice is not None:
        return choice.monthly_usd
    return machine.hourly_usd * HOURS_PER_MONTH if machine else None


def _savings(wire: Mapping[str, Any], suffix: str) -> dict[str, float]:
    found = wire.get(f"savingsOpportunity{suffix}") or {}
    money = found.get("estimatedMonthlySavings") or {}
    if "value" not in money:
        return {}
    return {"value": money["value"], "percentage": found["savingsOpportunityPercentage"] / 100}


DB_CLASSES = "db."
"""With which the names of classes begin (Amazon RDS User Guide, DB instance classes)."""

SHOWN = ("CPU", "Memory")
"""What every type of machine and task has, in percent; the charts have the rest."""


def _used(resource_type: str, metrics: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the highest use of CPU and memory as people read it; how long a function runs."""
    if resource_type == LAMBDA_FUNCTION:
        return tuple(_duration(metrics))
    highest = {
        words.spaced(one["name"]): one.get("value", one.get("upperBoundValue"))
        for one in metrics
        if one.get("statistic", "Maximum").casefold() == "maximum"
    }
    return tuple(f"{name} {words.share(highest[name] / 100)}" for name in SHOWN if name in highest)


def _duration(metrics: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    told = {
        one["statistic"]: words.figure(one["value"]) for one in metrics if one["name"] == "Duration"
    }
    if "Expected" in told:
        bounds = f"{told['LowerBound']} to {told['UpperBound']}"
        yield f"{told['Expected']} ms on average, {bounds}"
    elif "Average" in told:
        yield f"{told['Average']} ms on average"
