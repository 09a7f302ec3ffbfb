"""A state of an earlier revision, made from one of the newest."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Double,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
    literal,
    select,
    text,
    update,
)

from compute_optimizer.store.decision_tables import (
    applied_changes,
    decision_log,
    decisions,
    resource_owners,
    webhook_deliveries,
    webhook_events,
)
from compute_optimizer.store.quality_tables import (
    backtest_history,
    backtest_requests,
    backtests,
    outcomes,
)
from compute_optimizer.store.schema import (
    UtcDateTime,
    access_keys,
    billed_usage,
    dated_prices,
    described_types,
    ended_provider_sessions,
    export_jobs,
    forecasts,
    idle_recommendations,
    job_runs,
    metadata,
    recommendation_preferences,
    recommendations,
    risk_models,
    risk_rules,
    run_summaries,
    scores,
    sign_in_rules,
    sign_in_signatures,
    source_files,
)
from compute_optimizer.store.search_tables import (
    facet_holders,
    idle_facet_holders,
    searched_recommendations,
)
from compute_optimizer.store.what_if_tables import what_ifs

T = TypeVar("T")

ADDED: dict[str, tuple[Table, ...]] = {
    "0002": (recommendation_preferences,),
    "0003": (export_jobs,),
    "0004": (idle_recommendations, run_summaries),
    "0005": (risk_models, risk_rules),
    "0007": (sign_in_rules, sign_in_signatures),
    "0008": (job_runs, source_files, forecasts, scores),
    "0009": (billed_usage,),
    "0011": (
        decisions,
        decision_log,
        applied_changes,
        resource_owners,
        webhook_events,
        webhook_deliveries,
    ),
    "0012": (dated_prices, described_types),
    "0015": (searched_recommendations, backtests, backtest_requests),
    "0016": (backtest_history, outcomes),
    "0017": (what_ifs,),
    "0018": (ended_provider_sessions,),
    "0019": (facet_holders,),
    "0021": (idle_facet_holders,),
}
"""The tables that each revision added."""

INDEXED = {
    "0004": ((recommendations, "ix_recommendations_finding"),),
    "0007": ((access_keys, "ix_access_keys_sign_in_rule"),),
    "0013": ((recommendations, "ix_recommendations_savings"),),
    "0017": (
        (access_keys, "ix_access_keys_provider_session"),
        (access_keys, "ix_access_keys_provider_subject"),
    ),
}
"""The indexes of older tables that a revision added, but those of advice."""

WIDENED = {
    "0007": ((access_keys, ("signed_in_as", "sign_in_rule")),),
    "0009": ((idle_recommendations, ("monthly_savings_after_discounts_usd",)),),
    "0010": ((export_jobs, ("attempts",)),),
    "0011": (
        (recommendations, ("recommendation_id",)),
        (idle_recommendations, ("recommendation_id",)),
    ),
    "0014": ((access_keys, ("sealed_person",)),),
    "0016": ((backtest_requests, ("doing", "done", "total")),),
    "0017": ((access_keys, ("provider_session", "provider_subject", "checked_at")),),
    "0018": ((backtest_history, ("shown",)),),
}
"""The columns of older tables that a revision added."""


OWN_PRICES = Table(
    "own_prices",
    MetaData(),
    *(Column(name, String(64), primary_key=True) for name in ("layer", "product", "region")),
    *(Column(name, String(64), primary_key=True) for name in ("platform", "name")),
    Column("hourly_usd", Double),
    Column("source", String(256)),
    Column("date", Date),
)
"""The table of revisions 0006 to 0011."""

OUTCOMES = Table(
    "outcomes",
    MetaData(),
    Column("recommendation_id", String(32), primary_key=True),
    Column("applied_at", UtcDateTime, primary_key=True),
    Column("account_id", String(12), nullable=False, index=True),
    Column("judged_at", UtcDateTime, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""The table of revision 0015."""


def back_to(connection: Connection, revision: str) -> None:
    """Take away what revisions after the given one have added."""
    _pack_bodies_again(connection, revision)
    _unpack_bodies(connection, revision)
    _order_by_locale(connection, revision)
    _index_advice_by_less(connection, revision)
    for added, tables in ADDED.items():
        if added > revision:
            for table in tables:
                table.drop(connection)
    known = inspect(connection).get_table_names()
    for table, name in _after(revision, INDEXED):
        indexes: dict[str | None, Index] = {str(one.name): one for one in table.indexes}
        if table.name in known:
            indexes[name].drop(connection)
    for table, names in _after(revision, WIDENED):
        for name in names if table.name in known else ():
            connection.execute(text(f"ALTER TABLE {table.name} DROP COLUMN {name}"))
    if "0006" <= revision < "0012":
        OWN_PRICES.create(connection)
    if revision == "0015":
        OUTCOMES.create(connection)
    connection.execute(text("UPDATE alembic_version SET version_num = :one"), {"one": revision})


def _pack_bodies_again(connection: Connection, revision: str) -> None:
    """Let PostgreSQL pack bodies by its own means, as it does with any bytes."""
    if connection.dialect.name == "postgresql" and revision < "0024":
        for table in (recommendations, idle_recommendations):
            change = f"ALTER TABLE {table.name} ALTER COLUMN body SET STORAGE EXTENDED"
            connection.execute(text(change))


def _unpack_bodies(connection: Connection, revision: str) -> None:
    for table in (recommendations, idle_recommendations) if revision < "0022" else ():
        key = table.primary_key.columns
        for *values, body in connection.execute(select(*key, table.c.body)).all():
            same = (column == value for column, value in zip(key, values, strict=True))
            plain = literal(body, LargeBinary)
            connection.execute(update(table).where(*same).values(body=plain))


def _index_advice_by_less(connection: Connection, revision: str) -> None:
    """Take the indexes of revision 0025 away, and bring back those of 0011 to 0024."""
    for table in (recommendations, idle_recommendations) if revision < "0025" else ():
        connection.execute(text(f"DROP INDEX ix_{table.name}_advice"))
        if revision >= "0023":
            some = f"{table.name} (run_id, recommendation_id) WHERE recommendation_id IS NOT NULL"
            connection.execute(text(f"CREATE INDEX ix_{table.name}_advice ON {some}"))
        elif revision >= "0011":
            name = f"ix_{table.name}_recommendation_id"
            connection.execute(text(f"CREATE INDEX {name} ON {table.name} (recommendation_id)"))


def _order_by_locale(connection: Connection, revision: str) -> None:
    if connection.dialect.name == "postgresql" and revision < "0020":
        for column in arn_columns():
            kind = 'VARCHAR(512) COLLATE "default"'
            change = f"ALTER TABLE {column.table.name} ALTER COLUMN {column.name} TYPE {kind}"
            connection.execute(text(change))


def arn_columns() -> Iterator[Column[Any]]:
    """Yield the columns that hold an ARN."""
    names = ("arn", "resource_arn")
    return (table.c[one] for table in metadata.sorted_tables for one in names if one in table.c)


def _after(
    revision: str, changes: Mapping[str, tuple[tuple[Table, T], ...]]
) -> Iterator[tuple[Table, T]]:
    """Yield the changes of every later revision."""
    return (one for added, some in changes.items() if added > revision for one in some)
