"""What lists search, backtests of fleets, and outcomes of changes."""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from compute_optimizer.store.schema import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SCOPE = ("account_id", "region", "resource_type")
COPIED = ("run_id", *SCOPE, "monthly_savings_usd", "resource_arn", "finding", "recommendation_id")
BATCH = 1_000
"""Rows in memory at once."""


class _Named(msgspec.Struct):
    """What all bodies have that lists search."""

    name: str = ""
    tags: dict[str, str] = {}


def upgrade() -> None:
    """Apply the revision."""
    _create_search()
    _create_quality()
    connection = op.get_bind()
    for table, idle in (("recommendations", False), ("idle_recommendations", True)):
        for rows in _searched(connection, table, idle):
            connection.execute(_table("searched_recommendations", tuple(rows[0])).insert(), rows)


def _create_search() -> None:
    op.create_table(
        "searched_recommendations",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
        sa.Column("idle", sa.Boolean(), nullable=False),
        sa.Column("monthly_savings_usd", sa.Double(), nullable=False),
        sa.Column("resource_arn", sa.String(length=512), nullable=False),
        sa.Column("finding", sa.String(length=32), nullable=False),
        sa.Column("recommendation_id", sa.String(length=32), nullable=True),
        sa.Column("facets", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id",
            *SCOPE,
            "idle",
            "monthly_savings_usd",
            "resource_arn",
            name=op.f("pk_searched_recommendations"),
        ),
        sqlite_with_rowid=False,
    )


def _create_quality() -> None:
    op.create_table(
        "backtests",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "resource_type", name=op.f("pk_backtests")),
    )
    op.create_table(
        "backtest_requests",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("requested_by", sa.String(length=2048), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_backtest_requests")),
    )
    op.create_table(
        "outcomes",
        sa.Column("recommendation_id", sa.String(length=32), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("judged_at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recommendation_id", "applied_at", name=op.f("pk_outcomes")),
    )
    op.create_index(op.f("ix_outcomes_account_id"), "outcomes", ["account_id"])


def _table(name: str, columns: tuple[str, ...]) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns))


def _searched(connection: sa.Connection, name: str, idle: bool) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of current runs, which are those that lists show."""
    table = _table(name, (*COPIED, "facets", "body"))
    scopes = _table("run_scopes", ("run_id", *SCOPE, "superseded_at"))
    same = [table.c[one] == scopes.c[one] for one in ("run_id", *SCOPE)]
    query = sa.select(table).join(scopes, sa.and_(*same)).where(scopes.c.superseded_at.is_(None))
    with connection.execute(query.execution_options(yield_per=BATCH)) as found:
        for some in found.mappings().partitions():
            yield [_row(one) | {"idle": idle} for one in some]


def _row(one: sa.RowMapping) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(one["body"], type=_Named)
    except msgspec.DecodeError:
        body = _Named()  # It cannot be shown, so it need not be found; the rest must be.
    words = "\n".join((body.name, one["resource_arn"], *body.tags, *body.tags.values()))
    searched = words.replace("\0", "").casefold()
    return {name: one[name] for name in COPIED} | {"facets": one["facets"], "words": searched}
