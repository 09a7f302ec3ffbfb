"""PostgreSQL does not try to pack bodies again: they are packed, and that was half of writing them.

What is stored stays as it is.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = ("recommendations", "idle_recommendations")


def upgrade() -> None:
    """Apply the revision: a word in PostgreSQL's catalog, nothing on SQLite."""
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.execute(sa.text(f"ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL"))
