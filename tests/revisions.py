"""A state of an earlier revision, made from one of the newest."""

from sqlalchemy import Connection, Index, Table, text

from compute_optimizer.store.schema import (
    export_jobs,
    forecasts,
    idle_recommendations,
    job_runs,
    recommendation_preferences,
    recommendations,
    risk_models,
    risk_rules,
    run_summaries,
    scores,
    source_files,
)

ADDED: dict[str, tuple[Table, ...]] = {
    "0002": (recommendation_preferences,),
    "0003": (export_jobs,),
    "0004": (idle_recommendations, run_summaries),
    "0005": (risk_models, risk_rules),
    "0006": (job_runs, source_files, forecasts, scores),
}
"""The tables that each revision added."""

INDEXED = {"0004": "ix_recommendations_finding"}
"""Indexes of recommendations that a revision added."""


def back_to(connection: Connection, revision: str) -> None:
    """Take away what revisions after the given one have added."""
    for added, tables in ADDED.items():
        if added > revision:
            for table in tables:
                table.drop(connection)
    indexes: dict[str | None, Index] = {str(one.name): one for one in recommendations.indexes}
    for added, name in INDEXED.items():
        if added > revision:
            indexes[name].drop(connection)
    connection.execute(text("UPDATE alembic_version SET version_num = :one"), {"one": revision})
