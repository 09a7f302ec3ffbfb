"""What happened that others are told of by webhooks, and how the telling goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from compute_optimizer.model.decision import Action, Advice, Decision, Said


class EventName(StrEnum):
    """What others can ask to be told of."""

    NEW = "new"
    ACCEPTED = "accepted"
    SNOOZED = "snoozed"
    DISMISSED = "dismissed"
    REOPENED = "reopened"
    APPLIED = "applied"
    SUPERSEDED = "superseded"


EVENT_OF: Mapping[Action, EventName] = {
    Action.ACCEPT: EventName.ACCEPTED,
    Action.SNOOZE: EventName.SNOOZED,
    Action.DISMISS: EventName.DISMISSED,
    Action.REOPEN: EventName.REOPENED,
    Action.APPLY: EventName.APPLIED,
    Action.SUPERSEDE: EventName.SUPERSEDED,
}
"""Actions that others may be told of."""

LARGEST_SHOWN = 20
"""Of new advice that is named in one event: a screen full. The rest is counted."""

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=6)
"""Between attempts to deliver; each wait is twice the one before it."""

GIVEN_UP_AFTER = timedelta(days=3)
"""From the event on: a weekend, and then what is left to tell is stale."""

KEPT = timedelta(days=30)
"""How long events stay on record, as runs of jobs do."""


@dataclass(frozen=True, slots=True)
class NewAdvice:
    """What one analysis advises that the one before did not, in one account."""

    run_id: str
    as_of: datetime
    count: int
    savings_monthly_usd: float
    largest: tuple[Advice, ...]
    """At most LARGEST_SHOWN, the largest savings first."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    event_id: str
    name: EventName
    account_id: str
    occurred_at: datetime
    actor: str
    decision: Decision | None = None
    """Of every event but NEW."""
    owner: str = ""
    """Assigned to the resource; empty where only tags can tell."""
    new: NewAdvice | None = None
    """Of NEW."""


class DeliveryState(StrEnum):
    """Where the telling of one event to one webhook stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt to deliver."""

    code: int | None = None
    """HTTP status; None where there was no answer."""
    error: str = ""
    """Empty where the receiver took it."""
    retry_after: timedelta | None = None
    """Which the receiver asked for."""
    gone: bool = False
    """Whether the receiver wants nothing any more."""


def event_of(action: Action, after: Decision, said: Said, owner: str = "") -> Event | None:
    """Return the event of an action; None where nobody is told of such."""
    name = EVENT_OF.get(action)
    if name is None:
        return None
    account_id = after.advice.account_id
    return Event(str(uuid4()), name, account_id, said.at, said.actor, after, owner)


def next_attempt(
    occurred_at: datetime, attempts: int, asked: timedelta | None, now: datetime
) -> datetime | None:
    """Return when to try again after that many failed attempts; None to give up."""
    wait = FIRST_WAIT * 2 ** min(attempts - 1, 20)
    due = now + min(max(wait, asked or wait), LONGEST_WAIT)
    return due if due <= occurred_at + GIVEN_UP_AFTER else None
