"""Decisions on advice, their log and owners, what was applied, and the outbox of webhooks."""

import sqlalchemy as sa
from alembic import op

from compute_optimizer.store.schema import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WIDENED = ("recommendations", "idle_recommendations")


def upgrade() -> None:
    """Apply the revision."""
    for table in WIDENED:
        op.add_column(table, sa.Column("recommendation_id", sa.String(length=32)))
        index = op.f(f"ix_{table}_recommendation_id")
        op.create_index(index, table, ["recommendation_id"], unique=False)
    _create_decisions()
    _create_outbox()


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("recommendation_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("resource_arn", sa.String(length=512), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recommendation_id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_resource_arn"), "decisions", ["resource_arn"])
    op.create_index(op.f("ix_decisions_account_id_state"), "decisions", ["account_id", "state"])
    op.create_table(
        "decision_log",
        sa.Column("recommendation_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recommendation_id", "number", name=op.f("pk_decision_log")),
    )
    op.create_index(op.f("ix_decision_log_account_id"), "decision_log", ["account_id"])
    op.create_table(
        "applied_changes",
        sa.Column("recommendation_id", sa.String(length=32), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recommendation_id", "applied_at", name=op.f("pk_applied_changes")),
    )
    op.create_index(op.f("ix_applied_changes_account_id"), "applied_changes", ["account_id"])
    op.create_table(
        "resource_owners",
        sa.Column("resource_arn", sa.String(length=512), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("resource_arn", name=op.f("pk_resource_owners")),
    )
    op.create_index(op.f("ix_resource_owners_account_id"), "resource_owners", ["account_id"])


def _create_outbox() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("addressed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_webhook_events")),
    )
    for column in ("account_id", "addressed", "occurred_at"):
        op.create_index(op.f(f"ix_webhook_events_{column}"), "webhook_events", [column])
    op.create_table(
        "webhook_deliveries",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("webhook", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", "webhook", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index(
        op.f("ix_webhook_deliveries_state_due_at"), "webhook_deliveries", ["state", "due_at"]
    )
