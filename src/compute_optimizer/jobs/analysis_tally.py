"""What an analysis counts: of one shard, and of all of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from compute_optimizer.model.recommendation import (
    IdleRecommendation,
    Recommendation,
    RecommendationError,
)
from compute_optimizer.resources import idleness
from compute_optimizer.resources.resource_type import ResourceType


@dataclass(frozen=True, slots=True)
class AnalysisTally:
    """What was found in one shard, or in all of them."""

    findings: Counter[str]
    """Resources by finding, in the model's spelling."""
    errors: Counter[str]
    """Resources without a recommendation, by error code."""
    monthly_savings: float
    """Of the first options of the resources that totals count."""
    by_type: Counter[tuple[str, str]]
    """Resources by resource type and finding or error code."""
    oldest_price: date | None
    """Date of the oldest price that a recommendation goes by; None where there is none."""
    idle: Counter[str]
    """Idle resources by their type (enum IdleRecommendationResourceType)."""
    idle_savings: float
    """Of those whose price is known, a month."""

    @property
    def resources(self) -> int:
        """How many resources were looked at."""
        return self.findings.total() + self.errors.total()


def tally_of(
    kind: ResourceType,
    found: Sequence[Recommendation],
    errors: Sequence[RecommendationError],
    idle: Sequence[IdleRecommendation],
) -> AnalysisTally:
    """Return what was found of resources of one type."""
    findings = Counter(one.finding.value for one in found)
    codes = Counter(one.code for one in errors)
    outcomes = (findings + codes).items()
    return AnalysisTally(
        findings=findings,
        errors=codes,
        monthly_savings=sum(kind.counted_savings(one) for one in found),
        by_type=Counter({(kind.name, outcome): count for outcome, count in outcomes}),
        oldest_price=min((one.price_date for one in found if one.price_date), default=None),
        idle=Counter(one.idle_type for one in idle),
        idle_savings=sum(map(idleness.counted_savings, idle)),
    )


def sum_of(tallies: Sequence[AnalysisTally]) -> AnalysisTally:
    """Return all of them together."""
    return AnalysisTally(
        sum((tally.findings for tally in tallies), Counter()),
        sum((tally.errors for tally in tallies), Counter()),
        sum(tally.monthly_savings for tally in tallies),
        sum((tally.by_type for tally in tallies), Counter()),
        min((tally.oldest_price for tally in tallies if tally.oldest_price), default=None),
        sum((tally.idle for tally in tallies), Counter()),
        sum(tally.idle_savings for tally in tallies),
    )
