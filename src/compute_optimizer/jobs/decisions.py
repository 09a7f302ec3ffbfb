"""Decide on advice: what commands and pages call.

Each function takes the state, a clock and who acts; what they change is one transaction with its
line in the log and its event for webhooks. `accounts` restricts what the caller may see: advice for
others is as good as not there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from compute_optimizer.errors import Conflict, NotFound
from compute_optimizer.interfaces import Clock
from compute_optimizer.model.decision import (
    DECIDING,
    TRANSITIONS,
    Action,
    Decision,
    LogEntry,
    Said,
    State,
    check_id,
    check_owner,
    decided,
    entry_of,
    owner_by_tags,
)
from compute_optimizer.model.event import event_of
from compute_optimizer.model.recommendation import Recommendation
from compute_optimizer.resources.advice import advice_id, advice_of
from compute_optimizer.store import State as Store
from compute_optimizer.store import outbox
from compute_optimizer.store.advice import find_current
from compute_optimizer.store.decisions import (
    Kept,
    decisions_of,
    find_decision,
    listed_decisions,
    log_of,
    owners_of,
    save_decision,
    save_owner,
)
from compute_optimizer.store.enrollments import opted_in_accounts


@dataclass(frozen=True, slots=True)
class Standpoint:
    """Where one recommendation stands."""

    recommendation_id: str | None
    """None where it advises nothing, and so nothing can be decided."""
    state: State | None
    owner: str
    """Assigned, or by a tag; empty where neither tells."""
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that is known of one piece of advice."""

    decision: Decision
    state: State
    owner: str
    assigned: bool
    """Whether the owner was assigned, and not read off a tag."""
    advised_now: bool
    log: tuple[LogEntry, ...]


def decide(
    state: Store,
    clock: Clock,
    recommendation_id: str,
    action: Action,
    actor: str,
    note: str = "",
    until: datetime | None = None,
    *,
    accounts: Collection[str] | None = None,
) -> Decision:
    """Do one of `DECIDING` to a piece of advice, as `TRANSITIONS` has it.

    `until` is the end of a snooze. Raises Conflict where its state or what is advised now does not
    allow it, NotFound, and InvalidInput for what `decided` refuses.
    """
    assert action in DECIDING, f"{action} is nothing that people decide"
    said = Said(actor, clock.now(), note, until)
    with state.writing() as connection:
        kept = _kept(connection, recommendation_id, accounts)
        after = decided(kept.decision, action, said)
        if TRANSITIONS[action].needs_advice:
            after = _as_advised_now(connection, after)
        entry = entry_of(kept.decision, after, kept.entries + 1, action, said)
        save_decision(connection, kept, after, entry)
        arn = after.advice.resource_arn
        owner = owners_of(connection, [arn]).get(arn, "")
        if event := event_of(action, after, said, owner):
            outbox.put(connection, event)
    return after


def _as_advised_now(connection: Connection, decision: Decision) -> Decision:
    """Return a decision with what is promised now, not when somebody first looked at it.

    Raises Conflict where that is not advised any more.
    """
    current = find_current(connection, decision.recommendation_id)
    if current is None:
        raise Conflict(
            f"{decision.recommendation_id} is not advised any more; `compute-optimizer recommend` "
            "shows what is"
        )
    return replace(decision, advice=advice_of(current) or decision.advice)


def assign(
    state: Store,
    clock: Clock,
    recommendation_id: str,
    actor: str,
    owner: str,
    *,
    accounts: Collection[str] | None = None,
) -> Decision:
    """Give the resource of a piece of advice an owner, whatever is advised for it later.

    An empty owner leaves it to tags again. Raises NotFound, and InvalidInput for a wrong owner.
    """
    name, said = check_owner(owner), Said(actor, clock.now())
    with state.writing() as connection:
        kept = _kept(connection, recommendation_id, accounts)
        before = kept.decision
        after = decided(before, Action.ASSIGN, said)
        if after.changed_at is None:
            after = replace(after, changed_at=said.at, changed_by=actor)
        entry = entry_of(before, after, kept.entries + 1, Action.ASSIGN, said)
        save_decision(connection, kept, after, replace(entry, owner=name))
        save_owner(connection, after.advice.account_id, after.advice.resource_arn, name)
    return after


def dossier(
    state: Store,
    clock: Clock,
    recommendation_id: str,
    owner_tags: tuple[str, ...],
    *,
    accounts: Collection[str] | None = None,
) -> Dossier:
    """Return all that is known of a piece of advice. Raises NotFound."""
    with state.reading() as connection:
        kept = _kept(connection, recommendation_id, accounts)
        advice = kept.decision.advice
        assigned = owners_of(connection, [advice.resource_arn]).get(advice.resource_arn)
        return Dossier(
            kept.decision,
            kept.decision.state_at(clock.now()),
            assigned or owner_by_tags(advice.tags, owner_tags),
            assigned is not None,
            find_current(connection, recommendation_id) is not None,
            tuple(log_of(connection, recommendation_id)),
        )


def standpoints(
    connection: Connection,
    found: Sequence[Recommendation],
    now: datetime,
    owner_tags: tuple[str, ...],
) -> list[Standpoint]:
    """Return where each of some recommendations stands: of a page, or of all of them."""
    ids = [advice_id(one) for one in found]
    known = decisions_of(connection, (one for one in ids if one))
    owners = owners_of(connection, (one.resource_arn for one in found))
    return [
        _standpoint(one, name, known, owners, now, owner_tags)
        for one, name in zip(found, ids, strict=True)
    ]


def listed(
    connection: Connection,
    now: datetime,
    *,
    accounts: Collection[str] | None = None,
    states: Collection[State] | None = None,
) -> list[tuple[Decision, State]]:
    """Return decisions with the state that they are in now, those changed last first.

    Advice on which nobody decided is no decision; `standpoints` tells where it stands.
    """
    stored = None
    if states is not None:
        # Whoever was snoozed may be awake.
        stored = {*states, State.SNOOZED} if State.OPEN in states else set(states)
    found = [(one, one.state_at(now)) for one in listed_decisions(connection, accounts, stored)]
    return [pair for pair in found if states is None or pair[1] in states]


def owners_in(
    connection: Connection, decisions: Iterable[Decision], owner_tags: tuple[str, ...]
) -> dict[str, str]:
    """Return the owner of each decision's resource by ARN: assigned, or by a tag."""
    advice = {one.advice.resource_arn: one.advice for one in decisions}
    assigned = owners_of(connection, advice)
    return {
        arn: assigned.get(arn) or owner_by_tags(one.tags, owner_tags) for arn, one in advice.items()
    }


def _standpoint(
    one: Recommendation,
    name: str | None,
    known: Mapping[str, Decision],
    owners: Mapping[str, str],
    now: datetime,
    owner_tags: tuple[str, ...],
) -> Standpoint:
    tags: Mapping[str, str] = getattr(one, "tags", {})
    owner = owners.get(one.resource_arn) or owner_by_tags(tags, owner_tags)
    if name is None:
        return Standpoint(None, None, owner)
    decision = known.get(name)
    return Standpoint(name, decision.state_at(now) if decision else State.OPEN, owner, decision)


def _kept(connection: Connection, recommendation_id: str, accounts: Collection[str] | None) -> Kept:
    check_id(recommendation_id)
    kept = find_decision(connection, recommendation_id)
    if kept is None and (current := find_current(connection, recommendation_id)):
        advice = advice_of(current)
        kept = Kept(Decision(advice), 0) if advice else None
    visible = opted_in_accounts(connection)
    if accounts is not None:
        visible &= set(accounts)
    if kept is None or kept.decision.advice.account_id not in visible:
        raise NotFound(
            f"there is no recommendation {recommendation_id}; `compute-optimizer recommend` and "
            "`compute-optimizer decisions list` show the ids"
        )
    return kept
