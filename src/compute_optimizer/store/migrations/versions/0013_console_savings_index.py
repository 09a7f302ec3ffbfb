"""An index of recommendations by savings, for lists that begin with the largest."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_index(
        "ix_recommendations_savings",
        "recommendations",
        [
            "run_id",
            "account_id",
            "region",
            "resource_type",
            "monthly_savings_usd",
            "resource_arn",
            "finding",
        ],
    )
