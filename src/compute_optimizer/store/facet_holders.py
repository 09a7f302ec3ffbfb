"""Which resources have a facet, by the parts in which a run was written: how filters find the few.

A filter that no index tells would look at each recommendation of a run. So each part of a run says
who of it has which facet; a facet is told by a number that is made of its name, and whoever is told
must be looked at, since names may share a number. What many have is found sooner by looking at one
recommendation after the other.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from zlib import crc32

import msgspec
from sqlalchemy import JSON, ColumnElement, Connection, FromClause, cast, func, select, true

from compute_optimizer.model.facets import Facets, names_of
from compute_optimizer.store.search_tables import facet_holders as table

MAX_NAMES = 100
"""Names of one filter that are looked up: each is a look at every part of a run."""

FETCHED = 1_000
"""ARNs fetched at once: a page, mostly."""

LISTED_PER_LOOK = 3
"""Holders that are unpacked and put in order in the time that looking at one row takes: 0.65 µs and
1.6 to 2.3 µs in SQLite, 2026-11-26 (docs/decisions/0058)."""

_encode = msgspec.json.Encoder().encode

Key = Mapping[str, Any]
"""Whose facets: run_id, account_id, region and resource_type."""


def facet_number(name: str) -> int:
    """Return what stands for the name of a facet: 32 bits, the same in every process."""
    return crc32(name.encode())


def shared_beginning(texts: Sequence[str]) -> str:
    """Return the longest text with which all begin."""
    first, last = min(texts, default=""), max(texts, default="")
    length = next((at for at, letter in enumerate(first) if last[at] != letter), len(first))
    return first[:length]


def holder_rows(named: Key, found: Sequence[tuple[str, Facets]]) -> list[dict[str, Any]]:
    """Return who has which facet, of the ARNs and facets of one part.

    `named` has the columns that all rows share: those of a Key, and the part.
    """
    beginning = shared_beginning([arn for arn, _ in found])
    named_holders: dict[str, list[str]] = defaultdict(list)
    for arn, facets in found:
        ending = arn[len(beginning) :]
        for name in names_of(facets):
            named_holders[name].append(ending)
    holders: dict[int, list[str]] = defaultdict(list)
    for name, endings in named_holders.items():
        holders[facet_number(name)] += endings
    common = {**named, "beginning": beginning}
    # In the order of the key, in which rows are written sooner.
    return [
        {**common, "facet": number, "resources": len(some), "endings": _encode(some).decode()}
        for number, some in sorted(holders.items())
    ]


def few_holders(
    connection: Connection,
    key: Key,
    sets: Sequence[Collection[str]],
    rows: int,
    limit: int,
    after: str,
) -> Iterator[str] | None:
    """Return the ARNs beyond `after`, in order, of those who have one facet of a set of names.

    All that is wanted has one of each of the sets; the set is taken of which there are fewest. None
    where looking at the rows of the run, of which there are `rows`, finds `limit` sooner.
    """
    numbered = [[facet_number(name) for name in names] for names in sets if len(names) <= MAX_NAMES]
    if not numbered:
        return None
    counts = _counts(connection, key, {number for some in numbered for number in some})
    fewest = min(numbered, key=lambda some: sum(counts.get(one, 0) for one in some))
    listed = sum(counts.get(one, 0) for one in fewest)
    # Of rows in no order, limit * rows / listed are looked at before so many are found.
    if listed * listed > LISTED_PER_LOOK * limit * rows:
        return None
    return _stream(connection, key, fewest, after)


def _counts(connection: Connection, key: Key, numbers: Collection[int]) -> dict[int, int]:
    counted = func.sum(table.c.resources).label("holders")
    query = select(table.c.facet, counted).where(*_of(key, numbers)).group_by(table.c.facet)
    return {row.facet: row.holders for row in connection.execute(query)}


def _stream(
    connection: Connection, key: Key, numbers: Collection[int], after: str
) -> Iterator[str]:
    unpacked = _unpacked(connection)
    arn = (table.c.beginning + unpacked.c.value).label("arn")
    query = select(arn).distinct().where(*_of(key, numbers), arn > after).order_by(arn)
    query = query.select_from(table.join(unpacked, onclause=true()))
    with connection.execute(query.execution_options(yield_per=FETCHED)) as rows:
        yield from rows.scalars()


def _unpacked(connection: Connection) -> FromClause:
    """Return the endings of a row as rows."""
    if connection.dialect.name == "sqlite":
        return func.json_each(table.c.endings).table_valued("value")
    texts = func.json_array_elements_text(cast(table.c.endings, JSON))
    return texts.table_valued("value").render_derived()


def _of(key: Key, numbers: Collection[int]) -> list[ColumnElement[bool]]:
    return [*(table.c[name] == value for name, value in key.items()), table.c.facet.in_(numbers)]
