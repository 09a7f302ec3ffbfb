"""Advice is indexed behind its scope: among ids of a whole run each lay on a page of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLES = ("recommendations", "idle_recommendations")
COLUMNS = ("run_id", "account_id", "region", "resource_type", "recommendation_id")
ADVISED = sa.text("recommendation_id IS NOT NULL")


def upgrade() -> None:
    """Apply the revision."""
    for table in TABLES:
        name = f"ix_{table}_advice"
        op.drop_index(name, table)
        op.create_index(name, table, list(COLUMNS), sqlite_where=ADVISED, postgresql_where=ADVISED)
