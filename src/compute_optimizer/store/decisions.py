"""Decisions on advice with their log, what was applied, and assigned owners.

A decision and its line in the log are written in one transaction. Whoever writes names the state
of the log that was read, so that of two who decide at the same moment one is refused.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from compute_optimizer.errors import Conflict
from compute_optimizer.model.decision import Decision, LogEntry, State
from compute_optimizer.store.decision_tables import (
    applied_changes,
    decision_log,
    decisions,
    resource_owners,
)
from compute_optimizer.store.quality_tables import outcomes

MAX_LISTED = 1_000
"""Names in one SQL list: below every database's limit."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Decision).decode
_decode_entry = msgspec.json.Decoder(LogEntry).decode


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision as it was read."""

    decision: Decision
    entries: int
    """Lines in its log; 0 for one that is not stored yet."""


def batches_of(names: Iterable[str]) -> Iterator[Sequence[str]]:
    """Yield names in lists that one statement takes, each name once."""
    every = sorted(set(names))
    for first in range(0, len(every), MAX_LISTED):
        yield every[first : first + MAX_LISTED]


def decisions_of(connection: Connection, ids: Iterable[str]) -> dict[str, Decision]:
    """Return the decisions of those ids that have one."""
    return {one.decision.recommendation_id: one.decision for one in _kept(connection, ids)}


def find_decision(connection: Connection, recommendation_id: str) -> Kept | None:
    """Return the decision on a piece of advice; None where nobody ever decided."""
    return next(_kept(connection, [recommendation_id]), None)


def decisions_on_resources(connection: Connection, arns: Iterable[str]) -> Iterator[Kept]:
    """Yield every decision on the advice for some resources."""
    for some in batches_of(arns):
        yield from _read(connection, decisions.c.resource_arn.in_(some))


def listed_decisions(
    connection: Connection,
    accounts: Collection[str] | None = None,
    states: Collection[State] | None = None,
    *,
    limit: int | None = None,
) -> list[Decision]:
    """Return the decisions of accounts in states as stored, those changed last first."""
    query = select(decisions.c.body).order_by(
        decisions.c.changed_at.desc(), decisions.c.recommendation_id
    )
    if accounts is not None:
        query = query.where(decisions.c.account_id.in_(sorted(accounts)))
    if states is not None:
        query = query.where(decisions.c.state.in_(sorted(states)))
    return [_decode(body) for body in connection.execute(query.limit(limit)).scalars()]


def save_decision(connection: Connection, before: Kept, after: Decision, entry: LogEntry) -> None:
    """Store what a decision has become, with its next line of the log.

    Raises Conflict where another process has decided since `before` was read.
    """
    advice = after.advice
    values = {
        "account_id": advice.account_id,
        "resource_arn": advice.resource_arn,
        "state": after.state.value,
        "changed_at": entry.at,
        "entries": entry.number,
        "body": _encode(after),
    }
    named = {"recommendation_id": after.recommendation_id}
    try:
        with connection.begin_nested():
            _write(connection, before, named, values)
    except IntegrityError:
        raise _overtaken(after) from None
    line = {"number": entry.number, "account_id": advice.account_id, "body": _encode(entry)}
    connection.execute(insert(decision_log).values(**named, **line))


def log_of(connection: Connection, recommendation_id: str) -> list[LogEntry]:
    """Return the history of a decision, the first line first."""
    table = decision_log
    query = select(table.c.body).where(table.c.recommendation_id == recommendation_id)
    rows = connection.execute(query.order_by(table.c.number)).scalars()
    return [_decode_entry(body) for body in rows]


def save_applied(connection: Connection, applied: Decision) -> None:
    """Store that advice was followed, or what became of it since."""
    table = applied_changes
    same = (
        table.c.recommendation_id == applied.recommendation_id,
        table.c.applied_at == applied.applied_at,
    )
    body = _encode(applied)
    if connection.execute(update(table).where(*same).values(body=body)).rowcount:
        return
    connection.execute(
        insert(table).values(
            recommendation_id=applied.recommendation_id,
            applied_at=applied.applied_at,
            account_id=applied.advice.account_id,
            body=body,
        )
    )


def applied_ones(connection: Connection, accounts: Collection[str] | None = None) -> list[Decision]:
    """Return every time that advice was followed, the last first."""
    table = applied_changes
    query = select(table.c.body).order_by(table.c.applied_at.desc(), table.c.recommendation_id)
    if accounts is not None:
        query = query.where(table.c.account_id.in_(sorted(accounts)))
    return [_decode(body) for body in connection.execute(query).scalars()]


def owners_of(connection: Connection, arns: Iterable[str]) -> dict[str, str]:
    """Return the assigned owners of those resources that have one."""
    table = resource_owners
    found: dict[str, str] = {}
    for some in batches_of(arns):
        query = select(table.c.resource_arn, table.c.owner).where(table.c.resource_arn.in_(some))
        found |= {row.resource_arn: row.owner for row in connection.execute(query)}
    return found


def save_owner(connection: Connection, account_id: str, arn: str, owner: str) -> None:
    """Assign a resource to somebody; an empty owner takes the assignment away."""
    table = resource_owners
    connection.execute(delete(table).where(table.c.resource_arn == arn))
    if owner:
        row = {"resource_arn": arn, "account_id": account_id, "owner": owner}
        connection.execute(insert(table).values(row))


def assigned_owners(connection: Connection, accounts: Collection[str]) -> dict[str, str]:
    """Return every assigned owner in some accounts, by the resource's ARN."""
    table = resource_owners
    query = select(table.c.resource_arn, table.c.owner)
    rows = connection.execute(query.where(table.c.account_id.in_(sorted(accounts))))
    return {row.resource_arn: row.owner for row in rows}


def counts_of_states(connection: Connection) -> dict[tuple[str, State], int]:
    """Return how many decisions are in which state as stored, by account."""
    columns = decisions.c.account_id, decisions.c.state
    rows = connection.execute(select(*columns, func.count()).group_by(*columns))
    return {(account, State(state)): count for account, state, count in rows}


def remove_decisions_of(connection: Connection, account_id: str) -> None:
    """Forget every decision of an account, with its log, owners and outcomes."""
    tables: tuple[Table, ...] = (
        decisions,
        decision_log,
        applied_changes,
        resource_owners,
        outcomes,
    )
    for table in tables:
        connection.execute(delete(table).where(table.c.account_id == account_id))


def _write(
    connection: Connection, before: Kept, named: dict[str, Any], values: dict[str, Any]
) -> None:
    if not before.entries:
        connection.execute(insert(decisions).values(**named, **values))
        return
    same = (
        decisions.c.recommendation_id == named["recommendation_id"],
        decisions.c.entries == before.entries,
    )
    if connection.execute(update(decisions).where(*same).values(**values)).rowcount == 0:
        raise _overtaken(before.decision)


def _overtaken(decision: Decision) -> Conflict:
    return Conflict(
        f"{decision.recommendation_id} was decided by somebody else at the same moment; look at "
        "it again"
    )


def _kept(connection: Connection, ids: Iterable[str]) -> Iterator[Kept]:
    for some in batches_of(ids):
        yield from _read(connection, decisions.c.recommendation_id.in_(some))


def _read(connection: Connection, wanted: Any) -> list[Kept]:
    query = select(decisions.c.body, decisions.c.entries).where(wanted)
    rows = connection.execute(query.order_by(decisions.c.recommendation_id))
    return [Kept(_decode(body), entries) for body, entries in rows]
