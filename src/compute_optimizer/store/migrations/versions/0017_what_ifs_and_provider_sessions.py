"""What-ifs that all processes see, and by what a provider of OpenID Connect ends sessions."""

import sqlalchemy as sa
from alembic import op

from compute_optimizer.store.schema import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

DIGESTS = ("provider_session", "provider_subject")


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "what_ifs",
        sa.Column("what_if_id", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("what_if_id", name=op.f("pk_what_ifs")),
    )
    for name in ("owner", "expires_at", "phase"):
        op.create_index(op.f(f"ix_what_ifs_{name}"), "what_ifs", [name])
    for name in DIGESTS:
        op.add_column("access_keys", sa.Column(name, sa.LargeBinary(), nullable=True))
        op.create_index(op.f(f"ix_access_keys_{name}"), "access_keys", [name])
    op.add_column("access_keys", sa.Column("checked_at", UtcDateTime(), nullable=True))
