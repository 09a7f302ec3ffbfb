"""Changes that the inventory shows: advice that was followed, or overtaken by something else.

Whoever stores an inventory says which resources changed, in the same transaction; an analysis looks
at whatever is decided and not followed yet.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from compute_optimizer.errors import Conflict
from compute_optimizer.model.decision import (
    NOTICED,
    WAITING,
    Action,
    Advice,
    Configuration,
    Decision,
    Said,
    State,
    decided,
    entry_of,
)
from compute_optimizer.model.event import event_of
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.advice import advice_of
from compute_optimizer.resources.configured import Standing, configured, standing, text_of
from compute_optimizer.store import inventory, outbox
from compute_optimizer.store.advice import advised_in_run, current_on_resources, find_current
from compute_optimizer.store.decisions import (
    Kept,
    batches_of,
    decisions_on_resources,
    listed_decisions,
    owners_of,
    save_applied,
    save_decision,
)


def notice_changes(connection: Connection, arns: Iterable[str], now: datetime) -> int:
    """Mark advice for changed or removed resources as applied or superseded; return how many.

    Of several pieces of advice for a resource that it follows at once, the one that was accepted
    last counts, or else the current one, so that nothing is counted twice.
    """
    number = 0
    for some in batches_of(arns):
        known = inventory.resources_named(connection, some)
        for arn, kept in _by_resource(_decidable(connection, some)).items():
            number += _notice(connection, kept, known.get(arn), now)
    return number


def notice_decided(connection: Connection, accounts: Collection[str], now: datetime) -> int:
    """Look at every resource whose advice is decided on; return how many changes there were."""
    states = {*WAITING, State.APPLIED} - {State.OPEN}
    found = listed_decisions(connection, accounts, states)
    return notice_changes(connection, {one.advice.resource_arn for one in found}, now)


def advise_again(
    connection: Connection, run_id: str, accounts: Collection[str], now: datetime
) -> int:
    """Open what was superseded and is advised by the current run again; return how much."""
    found = listed_decisions(connection, accounts, {State.SUPERSEDED})
    again = advised_in_run(connection, run_id, {one.recommendation_id for one in found})
    arns = {one.advice.resource_arn for one in found if one.recommendation_id in again}
    for kept in list(decisions_on_resources(connection, arns)):
        if kept.decision.recommendation_id in again:
            with suppress(Conflict):  # Somebody has just decided on it: so be it.
                _open_again(connection, kept, now)
    return len(again)


def _open_again(connection: Connection, kept: Kept, now: datetime) -> None:
    """Open a decision with what is advised now: prices, and what the resource is, may differ."""
    found = find_current(connection, kept.decision.recommendation_id)
    advice = (found and advice_of(found)) or kept.decision.advice
    said = Said(NOTICED, now)
    after = replace(Decision(advice), changed_at=now, changed_by=NOTICED)
    entry = entry_of(kept.decision, after, kept.entries + 1, Action.ADVISE_AGAIN, said)
    save_decision(connection, kept, after, entry)


def _decidable(connection: Connection, arns: Collection[str]) -> Iterator[Kept]:
    """Yield every decision on some resources, and what is advised for them besides."""
    ids = set()
    for kept in decisions_on_resources(connection, arns):
        ids.add(kept.decision.recommendation_id)
        if kept.decision.state is not State.SUPERSEDED:
            yield kept
    for found in current_on_resources(connection, arns):
        advice = advice_of(found)
        if advice is not None and advice.recommendation_id not in ids:
            yield Kept(Decision(advice), 0)


def _by_resource(found: Iterable[Kept]) -> dict[str, list[Kept]]:
    result: dict[str, list[Kept]] = {}
    for kept in found:
        result.setdefault(kept.decision.advice.resource_arn, []).append(kept)
    return result


def _notice(
    connection: Connection, kept: list[Kept], resource: Resource | None, now: datetime
) -> int:
    """Take note of what one resource is now, and return how much advice that settles."""
    settled = 0
    followed = False
    for one in sorted(kept, key=_first_counted):
        advice = one.decision.advice
        here = None if resource is None else configured(advice, resource)
        stands = standing(advice, here)
        # Whoever decides at this very moment comes first; the next analysis looks again.
        with suppress(Conflict):
            if one.decision.state is State.APPLIED:
                settled += _left(connection, one, stands, here, now)
            elif stands is Standing.ADVISED and not (followed and not advice.idle):
                _apply(connection, one, here, now)
                followed, settled = followed or not advice.idle, settled + 1
            elif stands in (Standing.OTHER, Standing.ADVISED):
                settled += _overtaken(connection, one, here, now)
    return settled


def _overtaken(
    connection: Connection, kept: Kept, here: Configuration | None, now: datetime
) -> int:
    if not kept.entries and here is None:
        # Of what is gone only decisions are kept: fleets replace their machines all the time.
        return 0
    _act(connection, kept, Action.SUPERSEDE, _what(here), now, became=here)
    return 1


def _first_counted(kept: Kept) -> tuple[bool, bool, float]:
    decision = kept.decision
    moment = decision.changed_at or decision.advice.prediction.as_of
    return not kept.entries, decision.state is not State.ACCEPTED, -moment.timestamp()


def _apply(connection: Connection, kept: Kept, here: Configuration | None, now: datetime) -> None:
    before = kept.decision
    after = _act(connection, kept, Action.APPLY, _what(here), now, became=here, applied_at=now)
    save_applied(connection, replace(after, note=before.note))


def _left(
    connection: Connection,
    kept: Kept,
    stands: Standing,
    here: Configuration | None,
    now: datetime,
) -> int:
    """Take note that what was applied is so no longer."""
    if stands is Standing.ADVISED:
        return 0
    note = f"after it was applied, {_what(here)}"
    _act(connection, kept, Action.SUPERSEDE, note, now, became=here, ended_at=now)
    save_applied(connection, replace(kept.decision, ended_at=now, became=here))
    return 1


def _act(
    connection: Connection,
    kept: Kept,
    action: Action,
    note: str,
    now: datetime,
    *,
    became: Configuration | None = None,
    applied_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> Decision:
    before, said = kept.decision, Said(NOTICED, now, note)
    after = decided(before, action, said)
    after = replace(
        after,
        before=before.advice.current,
        became=became,
        applied_at=applied_at or before.applied_at,
        ended_at=ended_at,
    )
    save_decision(connection, kept, after, entry_of(before, after, kept.entries + 1, action, said))
    event = event_of(action, after, said, _owner(connection, after.advice))
    # That undecided advice was overtaken is no news: changes of a whole fleet would be a flood.
    if event and (kept.entries or action is Action.APPLY):
        outbox.put(connection, event)
    return after


def _what(here: Configuration | None) -> str:
    return "the resource is gone" if here is None else f"the resource became {text_of(here)}"


def _owner(connection: Connection, advice: Advice) -> str:
    return owners_of(connection, [advice.resource_arn]).get(advice.resource_arn, "")
