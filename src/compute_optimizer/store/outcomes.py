"""What came of changes, as the worker last found it."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select

from compute_optimizer.model.outcome import Outcome
from compute_optimizer.store.bulk import insert_rows
from compute_optimizer.store.quality_tables import outcomes

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Outcome).decode


def replace_outcomes(connection: Connection, found: Sequence[Outcome], judged_at: datetime) -> None:
    """Store what came of all changes in the place of what was stored before."""
    connection.execute(delete(outcomes))
    rows = [
        {
            "recommendation_id": one.applied.recommendation_id,
            "applied_at": one.applied.applied_at,
            "account_id": one.applied.advice.account_id,
            "judged_at": judged_at,
            "body": _encode(one),
        }
        for one in found
    ]
    insert_rows(connection, outcomes, rows)


def stored_outcomes(
    connection: Connection, accounts: Collection[str]
) -> tuple[list[Outcome], datetime | None]:
    """Return what is stored of some accounts, and up to when it was judged; None for nothing."""
    wanted = outcomes.c.account_id.in_(sorted(accounts))
    rows = connection.execute(select(outcomes.c.body, outcomes.c.judged_at).where(wanted)).all()
    return [_decode(row.body) for row in rows], min((row.judged_at for row in rows), default=None)
