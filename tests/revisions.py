"""A state of an earlier revision, made from one of the newest."""

from sqlalchemy import Connection, Index, Table, inspect, text

from compute_optimizer.store.schema import (
    access_keys,
    billed_usage,
    export_jobs,
    forecasts,
    idle_recommendations,
    job_runs,
    own_prices,
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

ADDED: dict[str, tuple[Table, ...]] = {
    "0002": (recommendation_preferences,),
    "0003": (export_jobs,),
    "0004": (idle_recommendations, run_summaries),
    "0005": (risk_models, risk_rules),
    "0006": (own_prices,),
    "0007": (sign_in_rules, sign_in_signatures),
    "0008": (job_runs, source_files, forecasts, scores),
    "0009": (billed_usage,),
}
"""The tables that each revision added."""

INDEXED = {
    "0004": (recommendations, "ix_recommendations_finding"),
    "0007": (access_keys, "ix_access_keys_sign_in_rule"),
    "0010": (recommendations, "ix_recommendations_savings"),
}
"""The index of an older table that a revision added."""

WIDENED = {
    "0007": (access_keys, ("signed_in_as", "sign_in_rule")),
    "0009": (idle_recommendations, ("monthly_savings_after_discounts_usd",)),
}
"""The columns of an older table that a revision added."""


def back_to(connection: Connection, revision: str) -> None:
    """Take away what revisions after the given one have added."""
    for added, tables in ADDED.items():
        if added > revision:
            for table in tables:
                table.drop(connection)
    for added, (table, name) in INDEXED.items():
        if added > revision:
            indexes: dict[str | None, Index] = {str(one.name): one for one in table.indexes}
            indexes[name].drop(connection)
    known = inspect(connection).get_table_names()
    for added, (table, names) in WIDENED.items():
        for name in names if added > revision and table.name in known else ():
            connection.execute(text(f"ALTER TABLE {table.name} DROP COLUMN {name}"))
    connection.execute(text("UPDATE alembic_version SET version_num = :one"), {"one": revision})
