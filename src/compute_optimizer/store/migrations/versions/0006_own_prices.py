"""Own prices: lists that were loaded, and sheets on top of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "own_prices",
        sa.Column("layer", sa.String(length=8), nullable=False),
        sa.Column("product", sa.String(length=8), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("hourly_usd", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=256), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint(
            "layer", "product", "region", "platform", "name", name=op.f("pk_own_prices")
        ),
    )
