"""Signing in: rules, the sessions that they let in, and signatures that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "sign_in_rules",
        sa.Column("rule_id", sa.String(length=36), nullable=False),
        sa.Column("principal", sa.String(length=2048), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("longest_session_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_sign_in_rules")),
    )
    op.create_index(
        op.f("ix_sign_in_rules_account_id_principal"),
        "sign_in_rules",
        ["account_id", "principal"],
        unique=True,
    )
    op.create_table(
        "sign_in_signatures",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("good_until", moment, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_signatures")),
    )
    op.create_index(op.f("ix_sign_in_signatures_good_until"), "sign_in_signatures", ["good_until"])
    op.add_column("access_keys", sa.Column("signed_in_as", sa.String(length=2048), nullable=True))
    op.add_column("access_keys", sa.Column("sign_in_rule", sa.String(length=36), nullable=True))
    op.create_index(op.f("ix_access_keys_sign_in_rule"), "access_keys", ["sign_in_rule"])
