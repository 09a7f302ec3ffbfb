"""Billed usage, from which effective rates are told, and what idles by savings after them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "billed_usage",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("product", sa.String(length=8), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("hours", sa.Double(), nullable=False),
        sa.Column("list_usd", sa.Double(), nullable=False),
        sa.Column("effective_usd", sa.Double(), nullable=False),
        sa.Column("reserved_hours", sa.Double(), nullable=False),
        sa.Column("reserved_list_usd", sa.Double(), nullable=False),
        sa.Column("reserved_effective_usd", sa.Double(), nullable=False),
        sa.Column("planned_hours", sa.Double(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "product", "region", "platform", "name", name=op.f("pk_billed_usage")
        ),
    )
    after = "monthly_savings_after_discounts_usd"
    op.add_column("idle_recommendations", sa.Column(after, sa.Double()))
    idle = sa.table("idle_recommendations", sa.column("monthly_savings_usd"), sa.column(after))
    op.execute(sa.update(idle).values({after: idle.c.monthly_savings_usd}))
