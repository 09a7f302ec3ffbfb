"""Who a session of the console was opened for, as a provider of OpenID Connect told."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.add_column("access_keys", sa.Column("sealed_person", sa.LargeBinary(), nullable=True))
