"""Changes that were advised and made, with what came of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from compute_optimizer.model.decision import Advice, Decision, Prediction
from compute_optimizer.model.outcome import ELAPSED, Outcome

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


def outcome(
    risk: float | None = None, *, kind: str = "Ec2Instance", idle: bool = False, **changes: Any
) -> Outcome:
    """Return a change that held for its 14 days, unless something else is said."""
    advice = Advice(
        recommendation_id="rec-1",
        account_id="111111111111",
        region="us-east-1",
        resource_type=kind,
        resource_arn="arn",
        name="one",
        finding="Overprovisioned",
        current={},
        advised={},
        current_text="",
        advised_text="",
        prediction=Prediction(MOMENT, violation_risk=risk),
        idle=idle,
    )
    applied = Decision(advice, applied_at=MOMENT)
    until = MOMENT + timedelta(days=14)
    held = Outcome(applied, until, 336.0, ELAPSED, None, None, violated=False, complete=True)
    return replace(held, **changes)
