"""What-ifs: rows that one process adds, any process computes, and all of them read.

A claim is one transaction, as an export's is. Whoever holds it moves the heartbeat; where that
stands still the process is gone, and the next claim computes it anew: it stores nothing but its
result, so that beginning again does no harm.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import token_hex

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from compute_optimizer.errors import Conflict
from compute_optimizer.store.what_if_tables import what_ifs as table

LIFE = timedelta(hours=8)
"""After which one is forgotten: a day's work, as the sessions of the console."""

KEPT_OF_OWNER = 16
"""What-ifs of a session that are kept, the newest; one with 5,000 changed rows takes 0.2 MB."""

KEPT = 64
"""The same of all sessions together: some 15 MB at most."""

MOST_WAITING = 4
"""That may wait for the one that is computed: each keeps a core busy."""

STALE_AFTER = timedelta(seconds=30)
"""A claim without a heartbeat for so long has lost its process; one beats every two seconds."""

MOST_ATTEMPTS = 2
"""To compute one: what ends its process every time must not do so for ever."""

STOPPED = "It was stopped; nothing was saved."
INTERRUPTED = "It was interrupted more than once. Try it again, with fewer accounts if that helps."

_BYTES = 16
"""Of an id, which nobody can guess, and of a claim."""


class Phase(StrEnum):
    """How far a what-if is."""

    WAITING = "Waiting"
    RUNNING = "Running"
    OVER = "Over"


@dataclass(frozen=True, slots=True)
class StoredWhatIf:
    """One row."""

    what_if_id: str
    phase: Phase
    done: int
    total: int
    problem: str
    asked: bytes
    result: bytes | None

    @property
    def is_over(self) -> bool:
        """Return whether nothing will change any more."""
        return self.phase is Phase.OVER


@dataclass(frozen=True, slots=True)
class Claim:
    """A what-if that its holder alone may finish."""

    what_if_id: str
    token: str
    owner: str
    asked: bytes


def add_what_if(
    connection: Connection, owner: str, accounts: Iterable[str], asked: bytes, now: datetime
) -> str:
    """Add a what-if and return its id; raise Conflict where too many wait already.

    Those that are over their time, and the oldest beyond what is kept, make room.
    """
    connection.execute(delete(table).where(expired(now)[1]))
    unfinished = table.c.phase != Phase.OVER
    waiting = connection.scalar(select(func.count()).where(unfinished)) or 0
    if waiting > MOST_WAITING:
        raise Conflict(f"{waiting} what-ifs are being computed or wait; try again in a minute")
    row = {
        "what_if_id": token_hex(_BYTES),
        "owner": owner,
        "accounts": " ".join(sorted(accounts)),
        "created_at": now,
        "expires_at": now + LIFE,
        "phase": Phase.WAITING.value,
        "attempts": 0,
        "done": 0,
        "total": 0,
        "stopped": False,
        "problem": "",
        "asked": zlib.compress(asked),
    }
    connection.execute(insert(table).values(row))
    _make_room(connection, KEPT_OF_OWNER, table.c.owner == owner)
    _make_room(connection, KEPT)
    return str(row["what_if_id"])


def find_what_if(
    connection: Connection, owner: str, what_if_id: str, now: datetime
) -> StoredWhatIf | None:
    """Return a what-if of a session; None for any other."""
    columns = (table.c[name] for name in StoredWhatIf.__dataclass_fields__)
    mine = (table.c.what_if_id == what_if_id, table.c.owner == owner, table.c.expires_at > now)
    row = connection.execute(select(*columns).where(*mine)).one_or_none()
    if row is None:
        return None
    values = {**row._mapping, "phase": Phase(row.phase), "asked": zlib.decompress(row.asked)}
    found = None if row.result is None else zlib.decompress(row.result)
    return StoredWhatIf(**{**values, "result": found})


def is_over(connection: Connection, what_if_id: str) -> bool:
    """Return whether a what-if is over, or forgotten; its bodies are not read."""
    unfinished = (table.c.what_if_id == what_if_id) & (table.c.phase != Phase.OVER)
    return not connection.scalar(select(exists().where(unfinished)))


def has_work(connection: Connection, now: datetime) -> bool:
    """Return whether a what-if waits for a process or has lost its own; others need no write."""
    return bool(connection.scalar(select(exists().where(_due(now)))))


def claim_what_if(connection: Connection, now: datetime) -> Claim | None:
    """Take the what-if that waits longest; None where none waits.

    One that was begun as often as it may be is over, and says so.
    """
    worn = and_(_stale(now), table.c.attempts >= MOST_ATTEMPTS)
    connection.execute(update(table).where(worn).values(_over(INTERRUPTED)))
    query = select(table).where(_due(now)).order_by(table.c.created_at, table.c.what_if_id)
    for row in connection.execute(query).all():
        token = token_hex(_BYTES)
        values = {"phase": Phase.RUNNING.value, "claim": token, "heartbeat_at": now}
        values["attempts"] = row.attempts + 1
        same = update(table).where(table.c.what_if_id == row.what_if_id, _due(now))
        if connection.execute(same.values(values)).rowcount:
            return Claim(row.what_if_id, token, row.owner, zlib.decompress(row.asked))
    return None


def beat(connection: Connection, claim: Claim, done: int, total: int, now: datetime) -> bool:
    """Tell how far a what-if is; return whether somebody still waits for this claim's result."""
    wanted = (*_held(claim), table.c.stopped.is_(False))
    values = {"done": done, "total": total, "heartbeat_at": now}
    return bool(connection.execute(update(table).where(*wanted).values(values)).rowcount)


def finish(connection: Connection, claim: Claim, result: bytes | None, problem: str = "") -> None:
    """Store what came of a what-if; nothing where its claim was given up meanwhile."""
    found = None if result is None else zlib.compress(result)
    values = {**_over(problem), "result": found}
    connection.execute(update(table).where(*_held(claim)).values(values))


def stop_what_if(connection: Connection, owner: str, what_if_id: str) -> None:
    """Stop a what-if of a session: at once where it waits, else at its next beat."""
    mine = (table.c.what_if_id == what_if_id, table.c.owner == owner)
    waits = table.c.phase == Phase.WAITING
    connection.execute(update(table).where(*mine, waits).values(_over(STOPPED)))
    runs = table.c.phase == Phase.RUNNING
    connection.execute(update(table).where(*mine, runs).values(stopped=True))


def expired(now: datetime) -> tuple[Table, ColumnElement[bool]]:
    """Return the what-ifs that are over."""
    return table, table.c.expires_at <= now


def remove_what_ifs_by(connection: Connection, owner: str) -> None:
    """Forget what a session asked for."""
    connection.execute(delete(table).where(table.c.owner == owner))


def remove_what_ifs_of(connection: Connection, account_id: str) -> None:
    """Forget every what-if that tells of an account's resources."""
    connection.execute(delete(table).where(table.c.accounts.contains(account_id)))


def _make_room(connection: Connection, most: int, *among: ColumnElement[bool]) -> None:
    """Forget the oldest of those that are over, beyond the newest ones."""
    order = (table.c.created_at.desc(), table.c.what_if_id)
    # Its bodies are not read: they may have megabytes.
    ids = select(table.c.what_if_id).where(*among).order_by(*order)
    old = connection.execute(ids).scalars().all()[most:]
    gone = (table.c.what_if_id.in_(old), table.c.phase == Phase.OVER)
    connection.execute(delete(table).where(*gone))


def _over(problem: str) -> dict[str, object]:
    return {"phase": Phase.OVER.value, "claim": None, "problem": problem}


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return table.c.what_if_id == claim.what_if_id, table.c.claim == claim.token


def _stale(now: datetime) -> ColumnElement[bool]:
    return and_(table.c.phase == Phase.RUNNING, table.c.heartbeat_at <= now - STALE_AFTER)


def _due(now: datetime) -> ColumnElement[bool]:
    lost = and_(_stale(now), table.c.attempts < MOST_ATTEMPTS)
    return and_(or_(table.c.phase == Phase.WAITING, lost), table.c.expires_at > now)
