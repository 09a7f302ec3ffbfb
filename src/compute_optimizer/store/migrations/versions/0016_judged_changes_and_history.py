"""What was judged of changes as columns, the history of backtests, and how far a wanted one is."""

import sqlalchemy as sa
from alembic import op

from compute_optimizer.store.schema import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    # What came of changes is judged anew from what is stored, and now of every type.
    op.drop_index(op.f("ix_outcomes_account_id"), "outcomes")
    op.drop_table("outcomes")
    op.create_table(
        "outcomes",
        sa.Column("recommendation_id", sa.String(length=32), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("violation_risk", sa.Double(), nullable=True),
        sa.Column("judged_at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recommendation_id", "applied_at", name=op.f("pk_outcomes")),
    )
    op.create_index(op.f("ix_outcomes_account_id"), "outcomes", ["account_id"])
    op.create_table(
        "backtest_history",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "resource_type", "made_at", name=op.f("pk_backtest_history")
        ),
    )
    op.add_column("backtest_requests", sa.Column("doing", sa.String(length=64), nullable=True))
    for name in ("done", "total"):
        op.add_column("backtest_requests", sa.Column(name, sa.Integer(), nullable=True))
