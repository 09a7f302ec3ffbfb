"""What lists search: short rows of recommendations without bodies, and who has which facet."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, String, Table, Text

from compute_optimizer.model.recommendation import IdleRecommendation, Recommendation
from compute_optimizer.store.schema import Arn, metadata

searched_recommendations = Table(
    "searched_recommendations",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("account_id", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("resource_type", String(32), primary_key=True),
    # Whether the row is one of idle_recommendations.
    Column("idle", Boolean, primary_key=True),
    # In the key, so that rows lie in the order in which lists show them.
    Column("monthly_savings_usd", Double, primary_key=True),
    Column("resource_arn", Arn, primary_key=True),
    Column("finding", String(32), nullable=False),
    Column("recommendation_id", String(32)),
    # As in recommendations.
    Column("facets", Text, nullable=False),
    # Name, ARN, keys and values of tags, case-folded, one in a line.
    Column("words", Text, nullable=False),
    sqlite_with_rowid=False,
)


def _holders(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("run_id", String(36), primary_key=True),
        Column("account_id", String(12), primary_key=True),
        Column("region", String(32), primary_key=True),
        Column("resource_type", String(32), primary_key=True),
        # Of its name (model.facets): store.facet_holders.facet_number.
        Column("facet", BigInteger, primary_key=True, autoincrement=False),
        # One for each write: a shard's, as in run_summaries.
        Column("part", String(36), primary_key=True),
        # How many of the part have the facet.
        Column("resources", Integer, nullable=False),
        # How the ARNs of all of the part begin, and how its holders' end, as a list in JSON.
        Column("beginning", String(512), nullable=False),
        Column("endings", Text, nullable=False),
        sqlite_with_rowid=False,
    )


facet_holders = _holders("facet_holders")
"""Of recommendations."""

idle_facet_holders = _holders("idle_facet_holders")
"""Of idle recommendations."""


SEARCHED = (
    "run_id",
    "account_id",
    "region",
    "resource_type",
    "monthly_savings_usd",
    "resource_arn",
    "finding",
    "recommendation_id",
    "facets",
)
"""Columns that are as in the rows of the recommendations."""


def searched_rows(
    found: Sequence[Recommendation] | Sequence[IdleRecommendation],
    rows: Sequence[dict[str, Any]],
    *,
    idle: bool,
) -> list[dict[str, Any]]:
    """Return what lists search of recommendations whose own rows are made."""
    return [
        {name: row[name] for name in SEARCHED} | {"idle": idle, "words": words_of(one)}
        for one, row in zip(found, rows, strict=True)
    ]


def words_of(one: Recommendation | IdleRecommendation) -> str:
    """Return what a text is searched in: one word in a line, whatever its case."""
    words = "\n".join((one.name, one.resource_arn, *one.tags, *one.tags.values()))
    # PostgreSQL keeps no NUL.
    return words.replace("\0", "").casefold()
