"""What pages show of past backtests, and sessions that a provider of OpenID Connect has ended."""

import sqlalchemy as sa
from alembic import op

from compute_optimizer.store.schema import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.add_column("backtest_history", sa.Column("shown", sa.LargeBinary(), nullable=True))
    op.create_table(
        "ended_provider_sessions",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ended_provider_sessions")),
    )
    op.create_index(
        op.f("ix_ended_provider_sessions_expires_at"), "ended_provider_sessions", ["expires_at"]
    )
