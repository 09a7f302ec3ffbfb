"""What came of changes, as the worker last found it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, func, select

from compute_optimizer.model.outcome import Outcome, Verdict
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
            "resource_type": one.applied.advice.resource_type,
            "verdict": one.verdict.value,
            "violation_risk": one.violation_risk,
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


@dataclass(frozen=True, slots=True)
class Counted:
    """How many changes of one type have one verdict."""

    resource_type: str
    verdict: Verdict
    changes: int
    predicted: int
    """Of them, those whose risk was predicted."""
    expected_violations: float
    """Sum of the predicted probabilities."""


def counted_verdicts(connection: Connection) -> list[Counted]:
    """Return what is stored of all accounts, by type and verdict."""
    table = outcomes
    keys = (table.c.resource_type, table.c.verdict)
    risk = table.c.violation_risk
    figures = (func.count(), func.count(risk), func.coalesce(func.sum(risk), 0.0))
    rows = connection.execute(select(*keys, *figures).group_by(*keys).order_by(*keys))
    return [
        Counted(kind, Verdict(verdict), changes, predicted, float(expected))
        for kind, verdict, changes, predicted, expected in rows
    ]
