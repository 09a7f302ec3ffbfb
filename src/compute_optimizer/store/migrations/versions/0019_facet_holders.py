"""Which resources have a facet; revision 0021 fills it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEY = ("run_id", "account_id", "region", "resource_type")


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "facet_holders",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
        sa.Column("facet", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.String(length=36), nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.Column("beginning", sa.String(length=512), nullable=False),
        sa.Column("endings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*KEY, "facet", "part", name=op.f("pk_facet_holders")),
        sqlite_with_rowid=False,
    )
