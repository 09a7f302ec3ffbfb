"""What is advised for one resource, what was decided about it, and what came of it.

A piece of advice has an id that stays while the same is advised for the same resource, whatever
analysis says so. Decisions hang on that id. They keep the advice as it was, because analyses are
pruned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec

from compute_optimizer.errors import Conflict, InvalidInput

Configuration = Mapping[str, Any]
"""What a resource is, member by member as far as advice may change it, such as instanceType."""

ID_PREFIX = "rec-"
ID_DIGITS = 20
"""Hexadecimal digits: 80 bits, of which ten million ids share two with a probability of 1e-10."""

MOST_NOTE_CHARACTERS = 2_000
MOST_OWNER_CHARACTERS = 256
"""As long as the value of a tag may be."""


class State(StrEnum):
    """Where a piece of advice stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    SNOOZED = "snoozed"
    DISMISSED = "dismissed"
    APPLIED = "applied"
    """The resource is as was advised."""
    SUPERSEDED = "superseded"
    """The resource is neither as it was nor as was advised."""


class Action(StrEnum):
    """What can be done about it, by people first and then by what the inventory shows."""

    ACCEPT = "accept"
    SNOOZE = "snooze"
    DISMISS = "dismiss"
    REOPEN = "reopen"
    ASSIGN = "assign"
    APPLY = "apply"
    SUPERSEDE = "supersede"
    ADVISE_AGAIN = "advise again"


UNDECIDED = frozenset({State.OPEN, State.SNOOZED})
WAITING = frozenset({State.OPEN, State.ACCEPTED, State.SNOOZED, State.DISMISSED})
"""States of advice that the resource does not follow yet."""


@dataclass(frozen=True, slots=True)
class Transition:
    """What one action does to a decision, and what it takes."""

    before: frozenset[State]
    """In which states it can be done."""
    after: State | None
    """None leaves the state."""
    past: str
    """The action, once it was done."""
    needs_advice: bool = False
    """Whether it means nothing once something else is advised."""
    needs_end: bool = False
    needs_reason: bool = False


TRANSITIONS: Mapping[Action, Transition] = {
    Action.ACCEPT: Transition(
        UNDECIDED | {State.DISMISSED}, State.ACCEPTED, "accepted", needs_advice=True
    ),
    Action.SNOOZE: Transition(WAITING, State.SNOOZED, "snoozed", needs_advice=True, needs_end=True),
    Action.DISMISS: Transition(
        UNDECIDED | {State.ACCEPTED}, State.DISMISSED, "dismissed", needs_reason=True
    ),
    Action.REOPEN: Transition(WAITING - {State.OPEN}, State.OPEN, "reopened"),
    Action.ASSIGN: Transition(frozenset(State), None, "assigned"),
    Action.APPLY: Transition(WAITING, State.APPLIED, "applied"),
    Action.SUPERSEDE: Transition(WAITING | {State.APPLIED}, State.SUPERSEDED, "superseded"),
    Action.ADVISE_AGAIN: Transition(frozenset({State.SUPERSEDED}), State.OPEN, "advised again"),
}

DECIDING = (Action.ACCEPT, Action.SNOOZE, Action.DISMISS, Action.REOPEN)
"""By which people say what becomes of a piece of advice, in the order in which they are offered."""

WHAT_TO_DO: Mapping[State, str] = {
    State.OPEN: "accept, snooze or dismiss it",
    State.ACCEPTED: "reopen it to decide anew",
    State.SNOOZED: "accept, dismiss or reopen it",
    State.DISMISSED: "reopen it to decide anew",
    State.APPLIED: "the resource is as was advised, so nothing is left to decide",
    State.SUPERSEDED: "the resource was changed to something else; decide on what is advised now",
}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the analysis promised of a piece of advice."""

    as_of: datetime
    """Up to which it looked at samples."""
    current_monthly_usd: float | None = None
    """At the list prices of the analysis, as is the next; None where unknown."""
    advised_monthly_usd: float | None = None
    savings_monthly_usd: float | None = None
    savings_after_discounts_monthly_usd: float | None = None
    violation_risk: float | None = None
    """Of the event of docs/risk.md within 14 days; None where nothing is predicted."""
    performance_risk: float | None = None
    """0 to 4."""
    projected: Mapping[str, float] = field(default_factory=dict)
    """The highest use that is expected, by the metric's name in the service's model."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What is advised for one resource."""

    recommendation_id: str
    account_id: str
    region: str
    resource_type: str
    """As of recommendations; of idle resources the name in enum IdleRecommendationResourceType."""
    resource_arn: str
    name: str
    finding: str
    current: Configuration
    advised: Configuration
    current_text: str
    """The same two for people."""
    advised_text: str
    prediction: Prediction
    tags: Mapping[str, str] = field(default_factory=dict)
    idle: bool = False
    """Whether the advice is to stop or delete it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a piece of advice, and what became of it."""

    advice: Advice
    state: State = State.OPEN
    changed_at: datetime | None = None
    """When the state was entered; None while nobody did anything."""
    changed_by: str = ""
    note: str = ""
    """The reason of a dismissal, or whatever else was said."""
    snoozed_until: datetime | None = None
    applied_at: datetime | None = None
    """When the inventory first showed the resource as advised: the change came before."""
    ended_at: datetime | None = None
    """When it first showed the resource changed again."""
    before: Configuration | None = None
    """Of an applied or superseded one, the resource as it was."""
    became: Configuration | None = None
    """What it was changed to in the end; None where it is gone."""

    @property
    def recommendation_id(self) -> str:
        """Return the id of the advice."""
        return self.advice.recommendation_id

    def state_at(self, now: datetime) -> State:
        """Return the state at a moment: who was snoozed is awake again when the time has come."""
        if self.state is State.SNOOZED and self.snoozed_until and self.snoozed_until <= now:
            return State.OPEN
        return self.state


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the history of a decision; none is ever changed."""

    recommendation_id: str
    number: int
    """Counts from 1."""
    at: datetime
    actor: str
    action: str
    before: State
    after: State
    note: str = ""
    until: datetime | None = None
    """Of a snooze."""
    owner: str | None = None
    """Of an assignment; empty where it was taken away."""


@dataclass(frozen=True, slots=True)
class Said:
    """Who does something about a piece of advice, when, and what they say."""

    actor: str
    at: datetime
    note: str = ""
    until: datetime | None = None
    """Of a snooze."""


NOTICED = "inventory"
"""Stands for the actor where a change was noticed."""


_SORTED = msgspec.json.Encoder(order="sorted").encode


def recommendation_id(
    account_id: str, region: str, resource_arn: str, resource_type: str, advised: Configuration
) -> str:
    """Return the id of a piece of advice: the same while the same is advised for the resource."""
    where = "\0".join((account_id, region, resource_arn, resource_type, ""))
    return ID_PREFIX + sha256(where.encode() + _SORTED(dict(advised))).hexdigest()[:ID_DIGITS]


def check_id(text: str) -> str:
    """Return an id of a recommendation; raise InvalidInput for what cannot be one."""
    digits = text.removeprefix(ID_PREFIX)
    if (
        len(text) != len(ID_PREFIX) + ID_DIGITS
        or digits.strip("0123456789abcdef")
        or digits == text
    ):
        raise InvalidInput(
            f"{text!r} is no id of a recommendation; expected {ID_PREFIX} and {ID_DIGITS} "
            "hexadecimal digits, as `compute-optimizer recommend` shows"
        )
    return text


def decided(decision: Decision, action: Action, said: Said) -> Decision:
    """Return the decision after an action of somebody.

    Raises Conflict where the state does not allow it, and InvalidInput for a snooze that is over
    or says no end, a dismissal without a reason, and a note that is too long.
    """
    before = decision.state_at(said.at)
    step = TRANSITIONS[action]
    if before not in step.before:
        raise Conflict(
            f"{decision.recommendation_id} is {before.value}, so it cannot be {step.past}; "
            f"{WHAT_TO_DO[before]}"
        )
    _check(step, said)
    if step.after is None:
        return decision
    return replace(
        decision,
        state=step.after,
        changed_at=said.at,
        changed_by=said.actor,
        note=said.note,
        snoozed_until=said.until if step.needs_end else None,
    )


def entry_of(
    before: Decision, after: Decision, number: int, action: Action, said: Said
) -> LogEntry:
    """Return the line that the log has of an action."""
    return LogEntry(
        recommendation_id=after.recommendation_id,
        number=number,
        at=said.at,
        actor=said.actor,
        action=TRANSITIONS[action].past,
        before=before.state_at(said.at),
        after=after.state,
        note=said.note,
        until=said.until,
    )


def check_owner(owner: str) -> str:
    """Return a person or team as it is kept; raise InvalidInput for what is too long."""
    found = owner.strip()
    if len(found) > MOST_OWNER_CHARACTERS or not found.isprintable():
        raise InvalidInput(
            f"owner {owner[:40]!r}: expected one line of at most {MOST_OWNER_CHARACTERS} characters"
        )
    return found


def owner_by_tags(tags: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the owner that the first of the named tags says; empty where none does."""
    return next((tags[name].strip() for name in names if tags.get(name, "").strip()), "")


def _check(step: Transition, said: Said) -> None:
    if step.needs_end and (said.until is None or said.until <= said.at):
        told = "nothing" if said.until is None else said.until.isoformat(" ", "minutes")
        raise InvalidInput(
            f"snooze until {told}: expected a moment after {said.at.isoformat(' ', 'minutes')}"
        )
    if step.needs_reason and not said.note.strip():
        raise InvalidInput("why is it dismissed? Give a reason: it is shown to whoever asks again")
    if len(said.note) > MOST_NOTE_CHARACTERS:
        raise InvalidInput(
            f"the note has {len(said.note):,} characters; at most {MOST_NOTE_CHARACTERS:,} are kept"
        )
