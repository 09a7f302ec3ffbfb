"""The dashboard: savings, findings, risk, what changed, and what it all rests on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from compute_optimizer.console import kinds
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response
from compute_optimizer.console.reach import Reach, reach_of_enrolled
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session
from compute_optimizer.model.metrics import look_back
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.resource import hidden_types
from compute_optimizer.model.tally import Topic
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.store.freshness import Freshness, freshness
from compute_optimizer.store.summaries import Counted, current_totals, former_totals

OPERATION = "GetRecommendationSummaries"

LOOK_BACK_DAYS = int(DEFAULT_PREFERENCES.lookback_days)
"""Days over which it is told whether there are samples: those of a usual analysis."""

SHOWN = 12
"""Accounts and Regions in their tables, the largest savings first."""

RISKS = ("High", "Medium", "Low", "VeryLow")
FINDINGS = (
    Finding.UNDER_PROVISIONED,
    Finding.OVER_PROVISIONED,
    Finding.NOT_OPTIMIZED,
    Finding.OPTIMIZED,
)

WITHIN_OTHERS = frozenset(kind.name for kind in RESOURCE_TYPES if kind.kept_with)
"""Types whose resources are a part of another type's, such as licenses of instances: each costs
what the whole does, which is counted once where types are added up."""


@dataclass(slots=True)
class CountedGroup:
    """What is counted of one type, account or Region, or of all."""

    name: str = ""
    resources: int = 0
    savings: float = 0.0
    """A month, of each resource the larger of rightsizing and idleness."""
    cost: float = 0.0
    findings: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    idle: int = 0
    risks: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def saved_share(self) -> float | None:
        """Return the share of the cost that would be saved; None where no cost is known."""
        return self.savings / self.cost if self.cost else None

    def add(self, counted: Counted) -> None:
        """Take in one count, told apart by type at last."""
        one = counted.tally
        if one.topic is Topic.TOGETHER:
            self.resources += one.resources
            self.savings += one.monthly_savings_usd
            if counted.of[-1] == self.name or counted.of[-1] not in WITHIN_OTHERS:
                self.cost += one.monthly_usd
        elif one.topic is Topic.FINDING:
            self.findings[one.name] += one.resources
        elif one.topic is Topic.IDLE:
            self.idle += one.resources
        elif one.topic is Topic.RISK:
            self.risks[one.name] += one.resources


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure, now and at the analysis before."""

    title: str
    before: float
    now: float
    is_money: bool = False


def show(room: Room, request: Request, session: Session) -> Response:
    """Show the dashboard of all accounts and Regions in reach."""
    visitor = session.visitor
    room.calls.permit(visitor, "", request.source, OPERATION)
    reach = reach_of_enrolled(room, visitor.account_id)
    values = room.state.remembered(
        ("console dashboard", visitor.account_id, room.clock.now().date()),
        lambda connection: _values(room, connection, reach),
    )
    return page(room, request, session, "dashboard.html", values)


def _values(room: Room, connection: Any, reach: Reach) -> dict[str, Any]:
    accounts = reach.accounts.keys()
    hidden = hidden_types(room.newer_idle_types)
    by_type, places, regions = (
        [one for one in current_totals(connection, accounts, by) if one.of[-1] not in hidden]
        for by in (("resource_type",), ("account_id", "resource_type"), ("region", "resource_type"))
    )
    since, before = former_totals(connection, accounts, ("resource_type",))
    former = [one for one in before if one.of[-1] not in hidden]
    first_day = look_back(room.clock.now(), LOOK_BACK_DAYS).first
    data = [one for one in freshness(connection, first_day) if one.scope.account_id in accounts]
    whole = _sum(by_type)
    return {
        "reach": reach,
        "whole": whole,
        "types": _ordered(_parts(by_type)),
        "titles": kinds.TITLES,
        "by_type": kinds.BY_TYPE,
        "accounts": _ordered(_parts(places))[:SHOWN],
        "more_accounts": max(0, len(_parts(places)) - SHOWN),
        "regions": _ordered(_parts(regions))[:SHOWN],
        "findings": FINDINGS,
        "risks": RISKS,
        "since": since,
        "differences": _differences(_compared(by_type, former), _sum(former)) if former else [],
        "data": data,
        "data_by_type": _by_type(data),
        "look_back_days": LOOK_BACK_DAYS,
        "as_of": _newest(one.as_of for one in data),
        "newest_sample": _newest(one.newest_sample for one in data),
        "complete": _complete(data),
    }


def _parts(counts: Sequence[Counted]) -> list[CountedGroup]:
    found: dict[str, CountedGroup] = {}
    for one in counts:
        name = one.of[0]
        found.setdefault(name, CountedGroup(name)).add(one)
    return list(found.values())


def _ordered(parts: list[CountedGroup]) -> list[CountedGroup]:
    return sorted(parts, key=lambda part: (-part.savings, part.name))


def _sum(counts: Sequence[Counted]) -> CountedGroup:
    whole = CountedGroup()
    for one in counts:
        whole.add(one)
    return whole


def _compared(now: Sequence[Counted], former: Sequence[Counted]) -> CountedGroup:
    """Return what is counted now of the types that were analyzed before, too."""
    types = {one.of for one in former}
    return _sum([one for one in now if one.of in types])


def _differences(now: CountedGroup, before: CountedGroup) -> list[Difference]:
    """Return what changed, the figures of the head first."""
    found = [
        Difference("Estimated monthly savings", before.savings, now.savings, is_money=True),
        Difference("Resources", before.resources, now.resources),
        Difference("Idle", before.idle, now.idle),
        *(Difference(one, before.findings[one], now.findings[one]) for one in FINDINGS),
    ]
    return [one for one in found if one.before or one.now]


@dataclass(frozen=True, slots=True)
class TypeData:
    """How fresh and complete the data of one resource type is, over accounts and Regions."""

    name: str
    resources: int
    newest: datetime | None
    oldest: datetime | None
    """Newest sample of the account and Region that is furthest behind."""
    least_days: int
    recommendations: int
    errors: int


def _by_type(data: Sequence[Freshness]) -> list[TypeData]:
    """Return a line for each type, in the order of their names."""
    found: dict[str, list[Freshness]] = defaultdict(list)
    for one in data:
        found[one.scope.resource_type].append(one)
    return [_type_data(name, parts) for name, parts in sorted(found.items())]


def _type_data(name: str, parts: Sequence[Freshness]) -> TypeData:
    sampled = [one for one in parts if one.newest_sample is not None]
    return TypeData(
        name=name,
        resources=sum(one.resources for one in parts),
        newest=_newest(one.newest_sample for one in parts),
        oldest=min((one.newest_sample for one in sampled if one.newest_sample), default=None),
        least_days=min((one.days for one in sampled), default=0),
        recommendations=sum(one.recommendations for one in parts),
        errors=sum(one.errors for one in parts),
    )


def _newest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((one for one in moments if one is not None), default=None)


def _complete(data: Sequence[Freshness]) -> float | None:
    """Return the share of the analyzed resources that have a recommendation."""
    told = sum(one.recommendations for one in data)
    without = sum(one.errors for one in data)
    return told / (told + without) if told + without else None
