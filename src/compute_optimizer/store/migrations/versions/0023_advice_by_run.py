"""Advice is indexed by run and id: ids of all runs together lay on more pages with each run."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = ("recommendations", "idle_recommendations")
ADVISED = sa.text("recommendation_id IS NOT NULL")


def upgrade() -> None:
    """Apply the revision."""
    for table in TABLES:
        op.drop_index(f"ix_{table}_recommendation_id", table)
        op.create_index(
            f"ix_{table}_advice",
            table,
            ["run_id", "recommendation_id"],
            sqlite_where=ADVISED,
            postgresql_where=ADVISED,
        )
