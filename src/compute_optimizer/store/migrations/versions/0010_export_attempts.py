"""How often an export was begun, so that an interrupted one can be written anew."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision: a job that is being written was begun once."""
    attempts = sa.Column("attempts", sa.Integer(), nullable=False, server_default="0")
    op.add_column("export_jobs", attempts)
    jobs = sa.table("export_jobs", sa.column("status"), sa.column("attempts"))
    op.execute(sa.update(jobs).where(jobs.c.status != "Queued").values(attempts=1))
