"""The tables of what was measured on the fleet itself: backtests, and outcomes of changes."""

from sqlalchemy import Column, Double, Integer, LargeBinary, String, Table

from compute_optimizer.store.schema import UtcDateTime, metadata

backtests = Table(
    "backtests",
    metadata,
    # Whose fleet it is: all that this account sees.
    Column("account_id", String(12), primary_key=True),
    Column("resource_type", String(32), primary_key=True),
    Column("made_at", UtcDateTime, nullable=False),
    # The whole model.backtested.Backtested as JSON (msgspec), compressed.
    Column("body", LargeBinary, nullable=False),
)

backtest_history = Table(
    "backtest_history",
    metadata,
    Column("account_id", String(12), primary_key=True),
    Column("resource_type", String(32), primary_key=True),
    Column("made_at", UtcDateTime, primary_key=True),
    # The whole model.backtested.Milestone as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
    # A model.backtested.Backtested as backtest.shown cuts it down, as JSON (msgspec), compressed.
    # Null where an earlier release made it.
    Column("shown", LargeBinary),
)

backtest_requests = Table(
    "backtest_requests",
    metadata,
    Column("account_id", String(12), primary_key=True),
    Column("requested_at", UtcDateTime, nullable=False),
    # ARN of who asked.
    Column("requested_by", String(2048), nullable=False),
    # What is being done for it, and how far that is; null while it waits.
    Column("doing", String(64)),
    Column("done", Integer),
    Column("total", Integer),
)

outcomes = Table(
    "outcomes",
    metadata,
    # Of the change, as in applied_changes.
    Column("recommendation_id", String(32), primary_key=True),
    Column("applied_at", UtcDateTime, primary_key=True),
    Column("account_id", String(12), nullable=False, index=True),
    # Of the advice, as the next two tell of model.outcome.Outcome: what metrics add up.
    Column("resource_type", String(32), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("violation_risk", Double),
    # Up to which samples were looked at.
    Column("judged_at", UtcDateTime, nullable=False),
    # The whole model.outcome.Outcome as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
)
