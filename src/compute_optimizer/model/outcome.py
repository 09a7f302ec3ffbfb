"""What came of advice that was followed, beside what was predicted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from compute_optimizer.model.decision import Decision
from compute_optimizer.model.recommendation import HOURS_PER_MONTH

RUNNING = "running"
"""Hours in which the machine sent samples."""

ELAPSED = "elapsed"
"""All hours since the change: what it costs does not hang on use, or nothing was sent."""

HOUR = timedelta(hours=1)


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
    """Whether demand reached the new capacity as the event of docs/risk.md says, within 14 days;
    None where it is not judged."""
    judged_days: float = 0.0
    """Of the 14 days after the change, those that are over."""
    complete: bool = False
    """Whether all of them are."""
    unjudged_because: str = ""

    @property
    def violation_risk(self) -> float | None:
        """Return the predicted probability of the event."""
        return self.applied.advice.prediction.violation_risk


@dataclass(frozen=True, slots=True)
class Totals:
    """All of them together."""

    changes: int
    predicted_savings_usd: float
    """Of those of which both figures are known, as is the next."""
    realized_savings_usd: float
    without_price: int
    judged: int
    """With a prediction, and all of the 14 days."""
    expected_violations: float
    """Sum of the predicted probabilities of the judged."""
    violations: int
    """Of the judged, those that came."""


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
    judged = [
        (one.violation_risk, one.violated)
        for one in found
        if one.complete and one.violated is not None and one.violation_risk is not None
    ]
    return Totals(
        changes=len(found),
        predicted_savings_usd=sum(predicted for predicted, _ in priced),
        realized_savings_usd=sum(realized for _, realized in priced),
        without_price=len(found) - len(priced),
        judged=len(judged),
        expected_violations=sum(risk for risk, _ in judged),
        violations=sum(violated for _, violated in judged),
    )
