"""ARNs are ordered by their bytes on PostgreSQL too, whatever the locale of the database."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ARN = 'VARCHAR(512) COLLATE "C"'

COLUMNS = (
    ("resources", "arn"),
    ("recommendations", "resource_arn"),
    ("idle_recommendations", "resource_arn"),
    ("recommendation_errors", "resource_arn"),
    ("searched_recommendations", "resource_arn"),
    ("decisions", "resource_arn"),
    ("resource_owners", "resource_arn"),
)
"""No other column has an ARN alone: two of one statement must be ordered alike."""


def upgrade() -> None:
    """Apply the revision: PostgreSQL builds the indexes anew and leaves the rows as they are."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column in COLUMNS:
            op.execute(sa.text(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {ARN}"))
            # What was known of the column is gone with its former order.
            op.execute(sa.text(f"ANALYZE {table} ({column})"))
