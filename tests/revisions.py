"""A state of an earlier revision, made from one of the newest."""

from sqlalchemy import Connection, Index, Table, inspect, text

from compute_optimizer.store.schema import (
    billed_usage,
    export_jobs,
    idle_recommendations,
    own_prices,
    recommendation_preferences,
    recommendations,
    risk_models,
    risk_rules,
    run_summaries,
)

ADDED: dict[str, tuple[Table, ...]] = {
    "0002": (recommendation_preferences,),
    "0003": (export_jobs,),
    "0004": (idle_recommendations, run_summaries),
    "0005": (risk_models, risk_rules),
    "0006": (own_prices,),
    "0007": (billed_usage,),
}
"""The tables that each revision added."""

WIDENED = {"0007": (idle_recommendations, "monthly_savings_after_discounts_usd")}
"""Columns that a revision added to tables of earlier ones."""

INDEXED = {"0004": "ix_recommendations_finding"}
"""Indexes of recommendations that a revision added."""


def back_to(connection: Connection, revision: str) -> None:
    """Take away what revisions after the given one have added."""
    for added, tables in ADDED.items():
        if added > revision:
            for table in tables:
                table.drop(connection)
    known = inspect(connection).get_table_names()
    for added, (table, column) in WIDENED.items():
        if added > revision and table.name in known:
            connection.execute(text(f"ALTER TABLE {table.name} DROP COLUMN {column}"))
    indexes: dict[str | None, Index] = {str(one.name): one for one in recommendations.indexes}
    for added, name in INDEXED.items():
        if added > revision:
            indexes[name].drop(connection)
    connection.execute(text("UPDATE alembic_version SET version_num = :one"), {"one": revision})
