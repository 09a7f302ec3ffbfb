"""Which resources have a facet, findings too, and which of the idle: of the runs that are there."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import uuid4
from zlib import crc32

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KEY = ("run_id", "account_id", "region", "resource_type")
VALUES = ("facet", "part", "resources", "beginning", "endings")
PART = 4_000
"""Rows that make a part, which is held in memory: as many as an analysis writes at once."""


class _Facets(msgspec.Struct, array_like=True):
    """What is read of the facets of all resource types."""

    finding: str
    reason_codes: tuple[str, ...]
    source_type: str
    workload_types: tuple[str, ...]
    tags: dict[str, str]
    marks: dict[str, tuple[str, ...]] = {}


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "idle_facet_holders",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
        sa.Column("facet", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.String(length=36), nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.Column("beginning", sa.String(length=512), nullable=False),
        sa.Column("endings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*KEY, "facet", "part", name=op.f("pk_idle_facet_holders")),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    # Those that revision 0019 filled once do not tell findings.
    connection.execute(sa.delete(sa.table("facet_holders")))
    _fill(connection, "facet_holders", "recommendations")
    _fill(connection, "idle_facet_holders", "idle_recommendations")


def _fill(connection: sa.Connection, name: str, source: str) -> None:
    table = sa.table(name, *map(sa.column, (*KEY, *VALUES)))
    for key, found in _parts(connection, source):
        if rows := [{**key, **row} for row in _rows(found)]:
            connection.execute(table.insert(), rows)


def _parts(
    connection: sa.Connection, source: str
) -> Iterator[tuple[dict[str, str], list[tuple[str, str]]]]:
    """Yield ARNs and facets, and whose they are."""
    table = sa.table(source, *map(sa.column, (*KEY, "resource_arn", "facets")))
    query = sa.select(table).order_by(*(table.c[one] for one in (*KEY, "resource_arn")))
    with connection.execute(query.execution_options(yield_per=PART)) as rows:
        for some in rows.partitions():
            for key, same in groupby(some, key=itemgetter(slice(0, len(KEY)))):
                yield dict(zip(KEY, key, strict=True)), [(one[-2], one[-1]) for one in same]


def _rows(found: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    part = str(uuid4())
    holders: dict[int, list[str]] = defaultdict(list)
    for arn, facets in found:
        for name in _names(facets):
            holders[crc32(name.encode())].append(arn)
    for number, endings in holders.items():
        yield {
            "facet": number,
            "part": part,
            "resources": len(endings),
            # ARNs whole: a run is there for some days, and this is the shorter way.
            "beginning": "",
            "endings": msgspec.json.encode(endings).decode(),
        }


def _names(text: str) -> set[str]:
    try:
        facets = msgspec.json.decode(text, type=_Facets)
    except msgspec.DecodeError:
        return set()  # It cannot be shown, so it need not be found; the rest must be.
    names = {
        f"finding:{facets.finding}",
        facets.source_type,
        *facets.reason_codes,
        *facets.workload_types,
    }
    for values in facets.marks.values():
        names.update(values)
    for key, value in facets.tags.items():
        names.update((f"tag-key:{key}", f"tag:{key}={value}"))
    return names
