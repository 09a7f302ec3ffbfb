"""Counts and savings over recommendations of one resource type, for summaries."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from compute_optimizer.model.facets import Facets
from compute_optimizer.model.recommendation import (
    IdleRecommendation,
    PerformanceRisk,
    Recommendation,
)
from compute_optimizer.model.tally import Tally, Topic
from compute_optimizer.resources import idleness, type_of
from compute_optimizer.resources.costs import monthly_usd

_Row = tuple[Topic, str, float, float]
"""Topic, name, savings and cost of one resource."""


class Read(NamedTuple):
    """A recommendation with what filters and totals look at."""

    one: Recommendation
    facets: Facets
    savings: float
    """USD a month that totals count."""


def read(one: Recommendation) -> Read:
    """Return a recommendation with what its type's reading says of it."""
    kind = type_of(one)
    return Read(one, kind.facets(one), kind.counted_savings(one))


def tallies(found: Sequence[Read], idle: Sequence[IdleRecommendation]) -> tuple[Tally, ...]:
    """Return every count over the recommendations of a shard."""
    sums: dict[tuple[Topic, str], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for topic, name, savings, cost in chain(_rows(found, idle), _part_rows(found, idle)):
        total = sums[topic, name]
        total[0] += 1
        total[1] += savings
        total[2] += cost
    return tuple(
        Tally(topic, name, int(count), savings, cost)
        for (topic, name), (count, savings, cost) in sorted(sums.items())
    )


def _rows(found: Sequence[Read], idle: Sequence[IdleRecommendation]) -> Iterator[_Row]:
    together = _Together()
    for one, facets, savings in found:
        cost = monthly_usd(one) or 0.0
        together.add(one.resource_arn, savings, cost)
        yield from _rightsizing_rows(one, facets, savings, cost)
    for other in idle:
        savings, cost = idleness.counted_savings(other), _idle_cost(other)
        together.add(other.resource_arn, savings, cost)
        yield Topic.IDLE, other.finding.value, savings, cost
    for savings, cost in together.of.values():
        yield Topic.TOGETHER, "", savings, cost


def _part_rows(found: Sequence[Read], idle: Sequence[IdleRecommendation]) -> Iterator[_Row]:
    """Yield the counts of types whose parts are entries of their own."""
    by_part: dict[str, _Together] = defaultdict(_Together)
    for one, _, _ in found:
        parts = type_of(one).parts
        for part in parts(one) if parts else ():
            cost = part.cost_usd or 0.0
            by_part[part.name].add(one.resource_arn, part.savings_usd, cost)
            yield Topic.PART, f"{part.name} {part.finding}", part.savings_usd, cost
    for other in idle:
        kind = type_of(other)
        if kind.parts:
            savings, cost = idleness.counted_savings(other), _idle_cost(other)
            by_part[kind.name].add(other.resource_arn, savings, cost)
    for name, together in by_part.items():
        for savings, cost in together.of.values():
            yield Topic.PART_TOGETHER, name, savings, cost


class _Together:
    """Of each resource the larger savings, and the larger cost, of what is said of it."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[float, float]] = {}
        """By ARN savings and cost."""

    def add(self, arn: str, savings: float, cost: float) -> None:
        """Take in what one recommendation says.

        A member of a group has no cost of its own until its own idleness is counted.
        """
        known = self.of.get(arn, (0.0, 0.0))
        self.of[arn] = max(known[0], savings), max(known[1], cost)


def _rightsizing_rows(
    one: Recommendation, facets: Facets, savings: float, cost: float
) -> Iterator[_Row]:
    yield Topic.FINDING, facets.finding, savings, cost
    for code in facets.reason_codes:
        yield Topic.REASON, f"{facets.finding} {code}", savings, cost
    risk: PerformanceRisk | None = getattr(one, "current_performance_risk", None)
    if risk:
        yield Topic.RISK, risk.value, savings, cost
    if facets.workload_types:
        yield Topic.WORKLOADS, joined(facets.workload_types), savings, cost


def joined(names: Iterable[str]) -> str:
    """Return the name of a combination."""
    return " ".join(sorted(names))


def _idle_cost(one: IdleRecommendation) -> float:
    """Return what an idle resource costs a month: what is saved through its share of that."""
    if one.savings is None or not one.savings.percentage:
        return 0.0
    return one.savings.monthly_usd / one.savings.percentage * 100
