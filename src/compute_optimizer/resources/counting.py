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

_Row = tuple[Topic, str, int, float, float]
"""Topic, name, and of how many resources which savings and cost."""


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
    for topic, name, count, savings, cost in chain(_rows(found, idle), _part_rows(found, idle)):
        total = sums[topic, name]
        total[0] += count
        total[1] += savings
        total[2] += cost
    return tuple(
        Tally(topic, name, int(count), savings, cost)
        for (topic, name), (count, savings, cost) in sorted(sums.items())
    )


def _rows(found: Sequence[Read], idle: Sequence[IdleRecommendation]) -> Iterator[_Row]:
    together = _Together()
    alike: dict[_Alike, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for one, facets, savings in found:
        cost = monthly_usd(one) or 0.0
        together.add(one.resource_arn, savings, cost)
        total = alike[_alike(one, facets)]
        total[0] += 1
        total[1] += savings
        total[2] += cost
    for what, (count, savings, cost) in alike.items():
        for topic, name in _counted_as(what):
            yield topic, name, int(count), savings, cost
    for other in idle:
        savings, cost = idleness.counted_savings(other), _idle_cost(other)
        together.add(other.resource_arn, savings, cost)
        yield Topic.IDLE, other.finding.value, 1, savings, cost
    yield from together.counted(Topic.TOGETHER, "")


def _part_rows(found: Sequence[Read], idle: Sequence[IdleRecommendation]) -> Iterator[_Row]:
    """Yield the counts of types whose parts are entries of their own."""
    by_part: dict[str, _Together] = defaultdict(_Together)
    for one, _, _ in found:
        parts = type_of(one).parts
        for part in parts(one) if parts else ():
            cost = part.cost_usd or 0.0
            by_part[part.name].add(one.resource_arn, part.savings_usd, cost)
            yield Topic.PART, f"{part.name} {part.finding}", 1, part.savings_usd, cost
    for other in idle:
        kind = type_of(other)
        if kind.parts:
            savings, cost = idleness.counted_savings(other), _idle_cost(other)
            by_part[kind.name].add(other.resource_arn, savings, cost)
    for name, together in by_part.items():
        yield from together.counted(Topic.PART_TOGETHER, name)


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

    def counted(self, topic: Topic, name: str) -> Iterator[_Row]:
        """Yield how many resources there are, and what they save and cost; nothing of none."""
        if self.of:
            savings, costs = zip(*self.of.values(), strict=True)
            yield topic, name, len(self.of), sum(savings), sum(costs)


class _Alike(NamedTuple):
    """What decides how a recommendation is counted: many share it."""

    finding: str
    reason_codes: tuple[str, ...]
    workload_types: tuple[str, ...]
    risk: PerformanceRisk | None


def _alike(one: Recommendation, facets: Facets) -> _Alike:
    risk: PerformanceRisk | None = getattr(one, "current_performance_risk", None)
    return _Alike(facets.finding, facets.reason_codes, facets.workload_types, risk)


def _counted_as(what: _Alike) -> Iterator[tuple[Topic, str]]:
    yield Topic.FINDING, what.finding
    for code in what.reason_codes:
        yield Topic.REASON, f"{what.finding} {code}"
    if what.risk:
        yield Topic.RISK, what.risk.value
    if what.workload_types:
        yield Topic.WORKLOADS, joined(what.workload_types)


def joined(names: Iterable[str]) -> str:
    """Return the name of a combination."""
    return " ".join(sorted(names))


def _idle_cost(one: IdleRecommendation) -> float:
    """Return what an idle resource costs a month: what is saved through its share of that."""
    if one.savings is None or not one.savings.percentage:
        return 0.0
    return one.savings.monthly_usd / one.savings.percentage * 100
