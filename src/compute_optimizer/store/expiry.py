"""What is over by itself and can be forgotten: used signatures, old sessions, what-ifs."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, select

from compute_optimizer.store import provider_sessions, sign_in, what_ifs

Expired = tuple[Table, ColumnElement[bool]]
"""A table, and which of its rows are over."""


def is_any_expired(connection: Connection, now: datetime) -> bool:
    """Return whether `remove_expired` would find anything."""
    return any(connection.scalar(select(exists().where(over))) for _, over in _expired(now))


def remove_expired(connection: Connection, now: datetime) -> int:
    """Remove what is over and return how many rows that were."""
    found = _expired(now)
    return sum(connection.execute(delete(table).where(over)).rowcount for table, over in found)


def _expired(now: datetime) -> tuple[Expired, ...]:
    return (
        sign_in.expired_signatures(now),
        sign_in.expired_sessions(now),
        provider_sessions.expired_endings(now),
        what_ifs.expired(now),
    )
