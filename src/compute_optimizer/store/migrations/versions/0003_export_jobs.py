"""Export jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "export_jobs",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("unfinished", sa.String(length=128), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("claim", sa.String(length=36), nullable=True),
        sa.Column("heartbeat_at", moment, nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_export_jobs")),
    )
    op.create_index(op.f("ix_export_jobs_unfinished"), "export_jobs", ["unfinished"], unique=True)
    op.create_index(
        op.f("ix_export_jobs_account_id_region_created_at_job_id"),
        "export_jobs",
        ["account_id", "region", "created_at", "job_id"],
    )
