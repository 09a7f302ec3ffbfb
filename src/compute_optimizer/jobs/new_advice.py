"""What an analysis advises that the one before did not: told in the transaction that shows it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection

from compute_optimizer.jobs.noticed import advise_again, notice_decided
from compute_optimizer.model.decision import Advice
from compute_optimizer.model.event import LARGEST_SHOWN, Event, EventName, NewAdvice
from compute_optimizer.resources.advice import advice_of
from compute_optimizer.store import outbox
from compute_optimizer.store.advice import advised_anew
from compute_optimizer.store.analysis_runs import Scope, run_as_of

REPLAY_AFTER = timedelta(days=1)
"""An analysis as of more than a day ago looks at the past: what it advises is no news."""

ANALYSIS = "analysis"
"""Stands for the actor."""


def new_advice(
    connection: Connection, run_id: str, scopes: Sequence[Scope]
) -> Mapping[str, NewAdvice]:
    """Return by account what a run that is about to become current advises anew.

    It is held against the run that is current still, scope by scope, by the database: only what is
    named is read.
    """
    by_account: dict[str, list[Scope]] = defaultdict(list)
    for scope in scopes:
        by_account[scope.account_id].append(scope)
    as_of = run_as_of(connection, run_id)
    found = {account: _of(connection, run_id, as_of, own) for account, own in by_account.items()}
    return {account: new for account, new in found.items() if new.count}


def publish_advice(
    connection: Connection,
    run_id: str,
    accounts: Collection[str],
    new: Mapping[str, NewAdvice],
    now: datetime,
) -> None:
    """Tell what is new, and what it means for what was decided, once a run is current."""
    notice_decided(connection, accounts, now)
    advise_again(connection, run_id, accounts, now)
    for account, one in sorted(new.items()):
        if one.as_of >= now - REPLAY_AFTER:
            event = Event(str(uuid4()), EventName.NEW, account, now, ANALYSIS, new=one)
            outbox.put(connection, event)


def _of(connection: Connection, run_id: str, as_of: datetime, scopes: Sequence[Scope]) -> NewAdvice:
    by_scope = [advised_anew(connection, run_id, scope, LARGEST_SHOWN) for scope in scopes]
    largest = [one for _, _, some in by_scope for one in some]
    largest.sort(key=lambda one: (-one[0], one[1].resource_arn))
    shown = [advice_of(one) for _, one in largest[:LARGEST_SHOWN]]
    return NewAdvice(
        run_id=run_id,
        as_of=as_of,
        count=sum(count for count, _, _ in by_scope),
        savings_monthly_usd=sum(savings for _, savings, _ in by_scope),
        largest=tuple(one for one in shown if isinstance(one, Advice)),
    )
