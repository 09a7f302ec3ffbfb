"""What came of advice that was followed, beside what was predicted."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import ceil

from compute_optimizer.model.decision import Decision
from compute_optimizer.model.recommendation import HOURS_PER_MONTH

RUNNING = "running"
"""Hours in which the machine sent samples."""

ELAPSED = "elapsed"
"""All hours since the change: what it costs does not hang on use, or nothing was sent."""

HOUR = timedelta(hours=1)


class Verdict(StrEnum):
    """What is said of one change."""

    VIOLATED = "violated"
    HELD = "held"
    """All of the 14 days are over, and the event did not come."""
    WAITING = "waiting"
    """The days are not over, or the change was undone before they were."""
    UNJUDGED = "not judged"


JUDGED = (Verdict.VIOLATED, Verdict.HELD)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One change that was advised and made."""

    applied: Decision
    until: datetime
    """To which it is counted: now, or when the resource was changed again."""
    hours: float
    hours_are: str
    """RUNNING or ELAPSED."""
    predicted_savings_usd: float | None
    """Of every hour since the change, at the prices of the analysis; None where unknown."""
    realized_savings_usd: float | None
    """The difference of the same prices, times `hours`."""
    violated: bool | None
    """Whether demand reached the new capacity as the event of docs/risk.md says, within 14 days, or
    what was stopped was used again; None where it is not judged."""
    judged_days: float = 0.0
    """Of the 14 days after the change, those that are over."""
    complete: bool = False
    """Whether all of them are over and were looked at. What was violated counts so even where the
    change was undone before: people undo what hurts."""
    unjudged_because: str = ""
    smaller_in: tuple[str, ...] = ()
    """Dimensions in which the change took capacity away."""
    violated_in: tuple[str, ...] = ()
    """Of them, those in which demand reached the new capacity."""
    unseen_in: tuple[str, ...] = ()
    """Of them, those of which nothing was sent."""

    @property
    def violation_risk(self) -> float | None:
        """Return the predicted probability of the event."""
        return self.applied.advice.prediction.violation_risk

    @property
    def performance_risk(self) -> float | None:
        """Return the published rule's risk, 0 to 4, which is no probability; None without one."""
        return self.applied.advice.prediction.performance_risk

    @property
    def verdict(self) -> Verdict:
        """Return what is said of it: only what is complete counts as violated or held."""
        if self.violated is None:
            return Verdict.UNJUDGED
        if not self.complete:
            return Verdict.WAITING
        return Verdict.VIOLATED if self.violated else Verdict.HELD


@dataclass(frozen=True, slots=True)
class Verdicts:
    """How many of some changes were violated, beside what was predicted of them."""

    changes: int
    judged: int
    """Complete ones."""
    violations: int
    """Of the judged, those that came."""
    predicted: int
    """Of the judged, those whose risk was predicted."""
    expected_violations: float
    """Sum of the predicted probabilities."""
    violations_of_predicted: int


@dataclass(frozen=True, slots=True)
class Totals:
    """All of them together."""

    verdicts: Verdicts
    predicted_savings_usd: float
    """Of those of which both figures are known, as is the next."""
    realized_savings_usd: float
    without_price: int

    @property
    def changes(self) -> int:
        """Return how many there are."""
        return self.verdicts.changes


RISK_EDGES = (0.0, 0.01, 0.05, 0.2, 1.0)
"""Bins of predicted risk: around the 5 % that backtests are asked for and the 20 % that is the
product's cap."""


@dataclass(frozen=True, slots=True)
class RiskBin:
    """Changes whose predicted risks are alike."""

    low: float
    """Above it, or 0."""
    high: float
    verdicts: Verdicts


def savings_over(monthly_usd: float, hours: float) -> float:
    """Return what a difference of monthly prices comes to over some hours."""
    return monthly_usd / HOURS_PER_MONTH * hours


def totals_of(found: Sequence[Outcome]) -> Totals:
    """Return the sums over outcomes."""
    priced = [
        (one.predicted_savings_usd, one.realized_savings_usd)
        for one in found
        if one.predicted_savings_usd is not None and one.realized_savings_usd is not None
    ]
    return Totals(
        verdicts=verdicts_of(found),
        predicted_savings_usd=sum(predicted for predicted, _ in priced),
        realized_savings_usd=sum(realized for _, realized in priced),
        without_price=len(found) - len(priced),
    )


def verdicts_of(found: Sequence[Outcome]) -> Verdicts:
    """Return what came of changes, counted; those whose 14 days are not over are not judged."""
    judged = [one for one in found if one.verdict in JUDGED]
    risks = [(one.violation_risk, one.violated) for one in judged if one.violation_risk is not None]
    return Verdicts(
        changes=len(found),
        judged=len(judged),
        violations=sum(bool(one.violated) for one in judged),
        predicted=len(risks),
        expected_violations=sum(risk for risk, _ in risks),
        violations_of_predicted=sum(bool(violated) for _, violated in risks),
    )


def verdicts_by_type(found: Sequence[Outcome]) -> dict[tuple[str, bool], Verdicts]:
    """Return the same by resource type, what was idle by itself."""
    alike: dict[tuple[str, bool], list[Outcome]] = defaultdict(list)
    for one in found:
        alike[one.applied.advice.resource_type, one.applied.advice.idle].append(one)
    return {key: verdicts_of(alike[key]) for key in sorted(alike)}


def verdicts_by_performance_risk(found: Sequence[Outcome]) -> dict[int, Verdicts]:
    """Return the same by performance risk, rounded up, of those that have one and were judged."""
    alike: dict[int, list[Outcome]] = defaultdict(list)
    for one in found:
        if one.performance_risk is not None and one.verdict in JUDGED:
            alike[ceil(one.performance_risk)].append(one)
    return {risk: verdicts_of(alike[risk]) for risk in sorted(alike)}


def verdicts_by_risk(found: Sequence[Outcome]) -> list[RiskBin]:
    """Return the same by predicted risk, of the judged and of bins that have some."""
    bins = []
    for low, high in pairwise(RISK_EDGES):
        some = [
            one
            for one in found
            if one.violation_risk is not None
            and (low < one.violation_risk <= high or one.violation_risk == low == 0)
        ]
        verdicts = verdicts_of(some)
        if verdicts.judged:
            bins.append(RiskBin(low, high, verdicts))
    return bins
