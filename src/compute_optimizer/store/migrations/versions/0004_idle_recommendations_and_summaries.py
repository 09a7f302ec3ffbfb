"""Idle recommendations, counts per run, and an index by finding."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FINDING_INDEX = ("run_id", "account_id", "region", "resource_type", "finding", "resource_arn")
SAVINGS_INDEX = ("run_id", "account_id", "region", "monthly_savings_usd", "resource_arn")


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "idle_recommendations",
        *_scope(),
        sa.Column("resource_arn", sa.String(length=512), nullable=False),
        sa.Column("resource_id", sa.String(length=256), nullable=False),
        sa.Column("finding", sa.String(length=32), nullable=False),
        sa.Column("facets", sa.Text(), nullable=False),
        sa.Column("monthly_savings_usd", sa.Double(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id",
            "account_id",
            "region",
            "resource_arn",
            name=op.f("pk_idle_recommendations"),
        ),
    )
    op.create_index("ix_idle_recommendations_savings", "idle_recommendations", SAVINGS_INDEX)
    op.create_table(
        "run_summaries",
        *_scope(),
        sa.Column("part", sa.String(length=36), nullable=False),
        sa.Column("topic", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.Column("monthly_savings_usd", sa.Double(), nullable=False),
        sa.Column("monthly_usd", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id",
            "account_id",
            "region",
            "resource_type",
            "part",
            "topic",
            "name",
            name=op.f("pk_run_summaries"),
        ),
    )
    op.create_index("ix_recommendations_finding", "recommendations", FINDING_INDEX)


def _scope() -> list[sa.Column[Any]]:
    return [
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
    ]
