"""Backtests of fleets: the last of each type that an account sees, the history, who wants one."""

import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from compute_optimizer.backtest.headline import milestone_of
from compute_optimizer.backtest.shown import shown_of
from compute_optimizer.model.backtested import Backtested, Milestone, QueuedBacktest
from compute_optimizer.store.quality_tables import (
    backtest_history,
    backtest_requests,
    backtests,
)

HISTORY_KEPT = 104
"""Backtests of one type that are remembered for each account that sees them: two years of weeks."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Backtested).decode
_decode_milestone = msgspec.json.Decoder(Milestone).decode


def save_backtests(connection: Connection, found: Sequence[Backtested]) -> None:
    """Store backtests in the place of those that they follow, and remember their figures."""
    for one in found:
        named = {"account_id": one.account_id, "resource_type": one.resource_type}
        same = [backtests.c[name] == value for name, value in named.items()]
        connection.execute(delete(backtests).where(*same))
        values = {"made_at": one.made_at, "body": _packed(one)}
        connection.execute(insert(backtests).values(**named, **values))
        milestone = milestone_of(one)
        if milestone is not None:
            _remember(connection, milestone, _packed(shown_of(one)))


def _remember(connection: Connection, one: Milestone, shown: bytes) -> None:
    table = backtest_history
    mine = (table.c.account_id == one.account_id, table.c.resource_type == one.resource_type)
    connection.execute(delete(table).where(*mine, table.c.made_at == one.made_at))
    named = {"account_id": one.account_id, "resource_type": one.resource_type}
    values = {"made_at": one.made_at, "body": _encode(one), "shown": shown}
    connection.execute(insert(table).values(**named, **values))
    newest = select(table.c.made_at).where(*mine).order_by(table.c.made_at.desc())
    oldest = connection.execute(newest.offset(HISTORY_KEPT - 1).limit(1)).scalar()
    if oldest is not None:
        connection.execute(delete(table).where(*mine, table.c.made_at < oldest))


def history_of(connection: Connection, account_id: str) -> list[Milestone]:
    """Return what is remembered of the backtests that an account sees, the oldest first."""
    table = backtest_history
    query = select(table.c.body).where(table.c.account_id == account_id)
    rows = connection.execute(query.order_by(table.c.made_at, table.c.resource_type))
    return [_decode_milestone(body) for body in rows.scalars()]


def backtests_of(connection: Connection, account_id: str) -> dict[str, Backtested]:
    """Return the last backtest of each type that an account sees, by type."""
    query = select(backtests.c.resource_type, backtests.c.body)
    rows = connection.execute(query.where(backtests.c.account_id == account_id))
    return {row.resource_type: _unpacked(row.body) for row in rows}


def past_backtest(
    connection: Connection, account_id: str, resource_type: str, made_at: datetime
) -> Backtested | None:
    """Return what pages show of a backtest of the history; None where that is not kept."""
    table = backtest_history
    mine = table.c.account_id == account_id, table.c.resource_type == resource_type
    shown = connection.scalar(select(table.c.shown).where(*mine, table.c.made_at == made_at))
    return None if shown is None else _unpacked(shown)


def past_backtests(connection: Connection, account_id: str, resource_type: str) -> set[datetime]:
    """Return when the backtests of one type were made that `past_backtest` knows."""
    table = backtest_history
    mine = table.c.account_id == account_id, table.c.resource_type == resource_type
    query = select(table.c.made_at).where(*mine, table.c.shown.is_not(None))
    return set(connection.scalars(query))


def request_backtest(connection: Connection, request: QueuedBacktest) -> None:
    """Ask for a backtest; where one is waited for already, the first request stands."""
    # Others may ask at the same moment, and looking first would not tell.
    with suppress(IntegrityError), connection.begin_nested():
        connection.execute(insert(backtest_requests).values(**asdict(request)))


def find_request(connection: Connection, account_id: str) -> QueuedBacktest | None:
    """Return what is waited for; None where nothing is."""
    wanted = backtest_requests.c.account_id == account_id
    row = connection.execute(select(backtest_requests).where(wanted)).first()
    return None if row is None else QueuedBacktest(**row._mapping)


def requested_backtests(connection: Connection) -> list[QueuedBacktest]:
    """Return everything that is waited for, the oldest first."""
    order = backtest_requests.c.requested_at, backtest_requests.c.account_id
    rows = connection.execute(select(backtest_requests).order_by(*order))
    return [QueuedBacktest(**row._mapping) for row in rows]


def note_progress(
    connection: Connection, request: QueuedBacktest, doing: str, done: int, total: int
) -> None:
    """Write down how far a backtest is that somebody waits for."""
    mine = backtest_requests.c.account_id == request.account_id
    told = {"doing": doing, "done": done, "total": total}
    connection.execute(update(backtest_requests).where(mine).values(**told))


def remove_request(connection: Connection, request: QueuedBacktest) -> None:
    """Take back a request that was answered."""
    wanted = backtest_requests.c.account_id == request.account_id
    connection.execute(delete(backtest_requests).where(wanted))


def remove_backtests_of(connection: Connection, account_id: str) -> None:
    """Forget what an account saw, and what it asked for."""
    for table in (backtests, backtest_history, backtest_requests):
        connection.execute(delete(table).where(table.c.account_id == account_id))


def _packed(one: Backtested) -> bytes:
    return zlib.compress(_encode(one))


def _unpacked(body: bytes) -> Backtested:
    return _decode(zlib.decompress(body))
