"""Recommendation preferences."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "recommendation_preferences",
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
        sa.Column("scope_name", sa.String(length=16), nullable=False),
        sa.Column("scope_value", sa.String(length=512), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "owner_id",
            "region",
            "resource_type",
            "scope_name",
            "scope_value",
            name=op.f("pk_recommendation_preferences"),
        ),
    )
