"""Own prices by the day from which they hold, also of rates; instance types that were described."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = ("layer", "product", "region", "platform", "date", "name")


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "dated_prices",
        sa.Column("layer", sa.String(length=8), nullable=False),
        sa.Column("product", sa.String(length=16), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("usd", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_dated_prices")),
    )
    former = sa.table("own_prices", *map(sa.column, (*KEY, "hourly_usd", "source")))
    prices = sa.table("dated_prices", *map(sa.column, (*KEY, "usd", "source")))
    rows = sa.select(*(former.c[one] for one in (*KEY, "hourly_usd", "source")))
    op.execute(sa.insert(prices).from_select([*KEY, "usd", "source"], rows))
    op.drop_table("own_prices")
    op.create_table(
        "described_types",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "region", name=op.f("pk_described_types")),
    )
