"""What was decided, as the pages show it: lines of tables, sums by state, and one resource's panel.

A visitor sees what is advised in the accounts in reach, of those types whose operation of the API
the policy allows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from heapq import merge

from sqlalchemy import Connection

from compute_optimizer.console.gate import Room, Visitor
from compute_optimizer.console.kinds import KINDS, ListKind, address_of, kind_of, title_of
from compute_optimizer.console.reach import Reach
from compute_optimizer.console.rows import row_of
from compute_optimizer.jobs import decisions as jobs
from compute_optimizer.model.decision import (
    DECIDING,
    TRANSITIONS,
    Action,
    Advice,
    Decision,
    State,
    owner_by_tags,
)
from compute_optimizer.model.resource import hidden_types
from compute_optimizer.resources.advice import advice_of
from compute_optimizer.store.advice import advised_now, savings_now
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.decisions import assigned_owners, decisions_on_resources
from compute_optimizer.store.ranked import Advising, Wanted, stream_ranked

DECIDE = "PutRecommendationPreferences"
"""Operation whose permission lets somebody decide: the API has none for decisions, and this is the
one by which people say what they want of recommendations (docs/deciding.md)."""

BY_PEOPLE = (*DECIDING, Action.ASSIGN)
"""In the order of the forms."""


@dataclass(frozen=True, slots=True)
class Purview:
    """What somebody may look at of what was decided."""

    room: Room
    reach: Reach
    kinds: tuple[ListKind, ...]
    """Lists that the visitor may look at."""

    def scopes(self, kind: ListKind) -> tuple[Scope, ...]:
        """Return where a list has recommendations."""
        types = set(kind.types) - set(hidden_types(self.room.newer_idle_types))
        return tuple(one for one in self.reach.scopes if one.resource_type in types)


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of advice, and where it stands."""

    decision: Decision
    state: State
    owner: str
    savings: float | None
    """A month: as totals count them where nobody decided, as they were promised where somebody
    did; None where unknown."""

    @property
    def advice(self) -> Advice:
        """Return what is advised."""
        return self.decision.advice

    @property
    def title(self) -> str:
        """Return what people call the type."""
        return title_of(self.advice.resource_type)


@dataclass(frozen=True, slots=True)
class Sum:
    """All that is in one state."""

    state: State
    number: int = 0
    savings: float = 0.0
    """A month."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What the page of one resource says about deciding."""

    dossier: jobs.Dossier | None
    """None where nothing is advised."""
    actions: tuple[Action, ...]
    """That can be taken by the visitor now."""
    may_decide: bool
    first_day: date
    """To which it can be snoozed."""
    former: tuple[Decision, ...] = ()
    """Decisions on other advice for the same resource, the last first."""


def purview_of(room: Room, visitor: Visitor, reach: Reach) -> Purview:
    """Return what a visitor may look at."""
    kinds = tuple(one for one in KINDS if room.calls.may(visitor, one.operation))
    return Purview(room, reach, kinds)


def states_now(connection: Connection, room: Room, reach: Reach) -> dict[str, State]:
    """Return the state of all that was decided, by the id of the advice."""
    found = jobs.listed(connection, room.clock.now(), accounts=reach.accounts)
    return {one.recommendation_id: state for one, state in found}


def advising_in(state: State, states: Mapping[str, State]) -> Advising:
    """Return the advice that is in a state now: what nobody decided on is open."""
    if state is State.OPEN:
        return Advising(frozenset(one for one in states if states[one] is not state), others=True)
    return Advising(frozenset(one for one in states if states[one] is state))


def decided_lines(connection: Connection, purview: Purview, states: Sequence[State]) -> list[Line]:
    """Return what is in some states because of a decision, those changed last first."""
    now, accounts = purview.room.clock.now(), purview.reach.accounts
    found = [
        (one, state)
        for one, state in jobs.listed(connection, now, accounts=accounts, states=states)
        if kind_of(one.advice) in purview.kinds
    ]
    owners = jobs.owners_in(connection, (one for one, _ in found), purview.room.owner_tags)
    return [
        Line(one, state, owners[one.advice.resource_arn], one.advice.prediction.savings_monthly_usd)
        for one, state in found
    ]


def open_lines(connection: Connection, purview: Purview) -> Iterator[Line]:
    """Return what is advised and open, the largest savings first."""
    assigned = assigned_owners(connection, purview.reach.accounts)
    states = states_now(connection, purview.room, purview.reach)
    parts = [_open_in(connection, purview, kind, assigned, states) for kind in purview.kinds]
    return merge(*parts, key=lambda line: -(line.savings or 0.0))


def _open_in(
    connection: Connection,
    purview: Purview,
    kind: ListKind,
    assigned: Mapping[str, str],
    states: Mapping[str, State],
) -> Iterator[Line]:
    is_open = advising_in(State.OPEN, states)
    wanted = Wanted(purview.scopes(kind), advising=is_open, idle=kind.idle)
    for ranked in stream_ranked(connection, wanted):
        advice = advice_of(row_of(kind, ranked).record)
        if advice is None:
            continue
        by_tag = owner_by_tags(advice.tags, purview.room.owner_tags)
        owner = assigned.get(advice.resource_arn) or by_tag
        yield Line(Decision(advice), State.OPEN, owner, ranked.savings)


def sums(connection: Connection, purview: Purview) -> list[Sum]:
    """Return how much is in each state, and what it would save a month."""
    decided = decided_lines(connection, purview, list(State))
    found = [_sum(state, [one for one in decided if one.state is state]) for state in State]
    settled = [one.decision.recommendation_id for one in decided if one.state is not State.OPEN]
    settled_now = savings_now(connection, settled)
    number, savings = -len(settled_now), -sum(settled_now.values())
    for kind in purview.kinds:
        count, usd = advised_now(connection, purview.scopes(kind), idle=kind.idle)
        number, savings = number + count, savings + usd
    is_open = Sum(State.OPEN, number, savings)
    return [is_open if one.state is State.OPEN else one for one in found]


def _sum(state: State, lines: Sequence[Line]) -> Sum:
    return Sum(state, len(lines), sum(line.savings or 0.0 for line in lines))


def panel_of(
    room: Room, visitor: Visitor, reach: Reach, recommendation_id: str | None, arn: str
) -> Panel:
    """Return what can be decided about a resource; raises NotFound for unknown advice."""
    may_decide = room.calls.may(visitor, DECIDE)
    purview = purview_of(room, visitor, reach)
    first_day = room.clock.now().date() + timedelta(days=1)
    panel = Panel(None, (), may_decide, first_day, _former(purview, recommendation_id, arn))
    if recommendation_id is None:
        return panel
    found = jobs.dossier(
        room.state, room.clock, recommendation_id, room.owner_tags, accounts=reach.accounts
    )
    actions = tuple(one for one in BY_PEOPLE if may_decide and _can(found, one))
    return replace(panel, dossier=found, actions=actions)


def _former(purview: Purview, recommendation_id: str | None, arn: str) -> tuple[Decision, ...]:
    """Return the decisions on other advice for a resource, the last first."""
    with purview.room.state.reading() as connection:
        every = [one.decision for one in decisions_on_resources(connection, [arn])]
    others = [
        one
        for one in every
        if one.recommendation_id != recommendation_id
        and one.advice.account_id in purview.reach.accounts
        and kind_of(one.advice) in purview.kinds
    ]
    others.sort(key=lambda one: one.changed_at or one.advice.prediction.as_of, reverse=True)
    return tuple(others)


def _can(found: jobs.Dossier, action: Action) -> bool:
    """Return whether the state allows an action, and the advice still stands where it must."""
    step = TRANSITIONS[action]
    return found.state in step.before and (found.advised_now or not step.needs_advice)


def page_of(advice: Advice) -> str:
    """Return the page of the resource of a piece of advice."""
    return address_of(kind_of(advice), advice.resource_arn)
