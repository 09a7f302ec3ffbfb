"""Risk: the fleet's own model, and rules of how much of it is taken."""

import sqlalchemy as sa
from alembic import op

import compute_optimizer.store.schema

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "risk_models",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("fitted_at", compute_optimizer.store.schema.UtcDateTime(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_risk_models")),
    )
    op.create_table(
        "risk_rules",
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=512), nullable=False),
        sa.Column("cap", sa.Double(), nullable=True),
        sa.Column("incident_usd", sa.Double(), nullable=True),
        sa.Column("profile", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("scope", "value", name=op.f("pk_risk_rules")),
    )
