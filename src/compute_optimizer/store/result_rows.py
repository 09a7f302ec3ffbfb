"""The result of one shard as rows: made before the transaction that writes them.

Encoding and packing take longer than writing, and whoever writes keeps all others from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Table

from compute_optimizer.model.recommendation import (
    IdleRecommendation,
    Recommendation,
    RecommendationError,
)
from compute_optimizer.resources import idleness
from compute_optimizer.resources.advice import advice_id
from compute_optimizer.resources.counting import Read, read, tallies
from compute_optimizer.store.facet_holders import holder_rows
from compute_optimizer.store.packed_bodies import packed
from compute_optimizer.store.schema import (
    idle_recommendations,
    recommendation_errors,
    recommendations,
    run_summaries,
)
from compute_optimizer.store.search_tables import (
    facet_holders,
    idle_facet_holders,
    searched_recommendations,
    searched_rows,
)

Row = dict[str, Any]
RowsOfTable = tuple[Table, list[Row]]
"""At least one row, by the names of columns."""

_encode = msgspec.json.Encoder().encode


def rows_of_result(
    run_id: str,
    scope: Mapping[str, str],
    found: Sequence[Recommendation],
    errors: Sequence[RecommendationError],
    idle: Sequence[IdleRecommendation],
) -> list[RowsOfTable]:
    """Return what is stored of the result of one shard; tables without rows are left out.

    `scope` has the account, Region and resource type by the names of their columns.
    """
    named = {"run_id": run_id, **scope}
    looked_at = [read(one) for one in found]
    rows = [named | _recommendation_row(one) for one in looked_at]
    idle_rows = [named | _idle_row(one) for one in idle]
    refused = [named | asdict(one) for one in errors]
    part = {"part": str(uuid4())}
    counts = [named | part | asdict(one) for one in tallies(looked_at, idle)]
    facets = [(one.resource_arn, facets) for one, facets, _ in looked_at]
    idle_facets = [(one.resource_arn, idleness.facets_of(one)) for one in idle]
    tables = (
        (recommendations, rows),
        (recommendation_errors, refused),
        (idle_recommendations, idle_rows),
        (searched_recommendations, searched_rows(found, rows, idle=False)),
        (searched_recommendations, searched_rows(idle, idle_rows, idle=True)),
        (facet_holders, holder_rows(named | part, facets)),
        (idle_facet_holders, holder_rows(named | part, idle_facets)),
        (run_summaries, counts),
    )
    return [(table, some) for table, some in tables if some]


def as_text(value: Any) -> str:
    """Return a value as JSON, as facets are kept."""
    return msgspec.json.encode(value).decode()


def _recommendation_row(looked_at: Read) -> Row:
    one = looked_at.one
    return {
        "resource_arn": one.resource_arn,
        "finding": one.finding.value,
        "facets": as_text(looked_at.facets),
        "monthly_savings_usd": looked_at.savings,
        "body": packed(_encode(one)),
        "recommendation_id": advice_id(one),
    }


def _idle_row(one: IdleRecommendation) -> Row:
    return {
        "resource_arn": one.resource_arn,
        "resource_id": one.resource_id,
        "finding": one.finding.value,
        "facets": as_text(idleness.facets_of(one)),
        "monthly_savings_usd": idleness.counted_savings(one),
        "monthly_savings_after_discounts_usd": idleness.counted_after_discounts(one),
        "body": packed(_encode(one)),
        "recommendation_id": advice_id(one),
    }
