"""Which resources have a facet, by the parts in which a run was written: how filters find the few.

A filter that no index tells would look at each recommendation of a run. So each part of a run says
who of it has which facet; a facet is told by a number that is made of its name, and whoever is told
must be looked at, since names may share a number. What many have is found sooner by looking at one
recommendation after the other, unless they lie together far away: that is told by the lists, too.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, islice
from typing import Any
from zlib import crc32

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, func, select

from compute_optimizer.model.facets import Facets, names_of

MAX_NAMES = 100
"""Names of one filter that are looked up: each is a look at every part of a run."""

MAX_PARTS = 1_000
"""Parts that one statement names: below every database's limit, and some millions of resources."""

LOOKS_PER_EXPECTED = 2
"""Rows looked at, for each that would be were candidates spread evenly, before those further on are
told by the lists: what sorts together may lie at the end of all ARNs."""

SHORTFALL = 16
"""Fewer found than half of what was expected, at which that is no chance: of 16 that were expected
nobody is found once in e**16 times."""

LISTED_PER_LOOK = 15
"""Holders that are unpacked and put in order in the time that looking at one row takes: 0.11 µs and
1.6 on SQLite (docs/decisions/0064)."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[str]).decode

PartKey = tuple[str, str]
"""Its id, and how the ARNs of all in it begin."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Where it is told who has a facet."""

    connection: Connection
    table: Table
    """One of store.search_tables."""
    here: Sequence[ColumnElement[bool]]
    """The conditions of rows of the runs and places that are meant."""

    def of(self, numbers: Collection[int]) -> list[ColumnElement[bool]]:
        """Return the conditions of rows of some facets."""
        return [*self.here, self.table.c.facet.in_(numbers)]


def facet_number(name: str) -> int:
    """Return what stands for the name of a facet: 32 bits, the same in every process."""
    return crc32(name.encode())


def shared_beginning(texts: Sequence[str]) -> str:
    """Return the longest text with which all begin."""
    first, last = min(texts, default=""), max(texts, default="")
    length = next((at for at, letter in enumerate(first) if last[at] != letter), len(first))
    return first[:length]


def holder_rows(
    named: Mapping[str, Any], found: Sequence[tuple[str, Facets]]
) -> list[dict[str, Any]]:
    """Return who has which facet, of the ARNs and facets of one part.

    `named` has the columns that all rows share: of a run and a scope, and the part.
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


@dataclass(frozen=True, slots=True)
class Candidates:
    """All of a run who have one facet of each of some sets of names."""

    numbers: tuple[tuple[int, ...], ...]
    """Of the names of each set; the set comes first of which there are fewest."""
    counts: tuple[int, ...]
    """How many have one of each set, some of them told twice where they have several."""

    @property
    def listed(self) -> int:
        """How many are told of the first set."""
        return self.counts[0]

    @property
    def at_least(self) -> int:
        """How many there are for certain; who meets several sets only the lists tell."""
        return self.listed // max(len(self.numbers[0]), 1) if len(self.numbers) == 1 else 0

    def are_few(self, rows: int, limit: int) -> bool:
        """Return whether unpacking them is sooner done than looking for `limit` row by row.

        Of `rows` in no order, limit * rows / listed are looked at before so many are found.
        """
        return self.listed * self.listed <= LISTED_PER_LOOK * limit * rows

    def looks(self, rows: int, limit: int) -> int:
        """Return after how many rows they are not spread as it was expected."""
        return LOOKS_PER_EXPECTED * limit * rows // self.listed

    def are_rarer(self, rows: int, looked: int, found: int) -> bool:
        """Return whether fewer meet all sets than as many looks find, were all spread evenly."""
        expected = float(looked)
        for count in self.counts:
            expected *= count / max(rows, 1)
        return expected - LOOKS_PER_EXPECTED * found >= SHORTFALL

    def tries(self, rows: int, limit: int) -> int:
        """Return after how many of the first set the others do not meet it as it was expected."""
        expected = limit
        for count in self.counts[1:]:
            expected = max(expected, expected * rows // max(count, 1))
        return LOOKS_PER_EXPECTED * expected


def fewest_candidates(lists: Lists, sets: Sequence[Collection[str]]) -> Candidates | None:
    """Return who has one facet of each set of names; None where no set tells.

    Sets are left out that so many have that looking at all of the fewest is sooner done.
    """
    numbered = [
        tuple(facet_number(name) for name in names) for names in sets if len(names) <= MAX_NAMES
    ]
    counts = _counts(lists, {number for some in numbered for number in some})
    found = sorted((sum(counts.get(one, 0) for one in some), some) for some in numbered)
    if not found:
        return None
    fewest, _ = found[0]
    short = [(count, some) for count, some in found if count <= LISTED_PER_LOOK * fewest]
    counted, numbers = zip(*short, strict=True)
    return Candidates(numbers, counted)


def stream_candidates(
    lists: Lists, candidates: Candidates, after: str, tries: int
) -> Iterator[str]:
    """Yield the ARNs of candidates beyond `after`, each once, in order.

    The first `tries` have a facet of the first set; those beyond them have one of each set. Whoever
    finds what is wanted among the former is spared the lists of what is more common.
    """
    first, *others = candidates.numbers
    listed = list(_beyond(_told(lists, first), after))
    holders = _in_order(listed)
    if others:
        for after in islice(holders, tries):
            yield after
        holders = _in_order(_beyond(_also_in(lists, listed, others).items(), after))
    yield from holders


def _counts(lists: Lists, numbers: Collection[int]) -> dict[int, int]:
    table = lists.table
    counted = func.sum(table.c.resources).label("holders")
    query = select(table.c.facet, counted).where(*lists.of(numbers)).group_by(table.c.facet)
    return {row.facet: row.holders for row in lists.connection.execute(query)}


def _told(
    lists: Lists, numbers: Collection[int], parts: Collection[PartKey] | None = None
) -> Iterator[tuple[PartKey, list[str]]]:
    """Yield what each part, or each of some parts, says of each of some facets."""
    table = lists.table
    query = select(table.c.part, table.c.beginning, table.c.endings).where(*lists.of(numbers))
    if parts is not None and len(parts) <= MAX_PARTS:
        query = query.where(table.c.part.in_([part for part, _ in parts]))
    for part, beginning, endings in lists.connection.execute(query):
        if parts is None or (part, beginning) in parts:
            yield (part, beginning), _decode(endings)


def _also_in(
    lists: Lists, listed: Iterable[tuple[PartKey, Collection[str]]], sets: Sequence[Collection[int]]
) -> dict[PartKey, set[str]]:
    """Return the endings of those listed who have one facet of each set: a resource is in one
    part."""
    kept: dict[PartKey, set[str]] = defaultdict(set)
    for part, endings in listed:
        kept[part].update(endings)
    for numbers in sets:
        having: dict[PartKey, set[str]] = defaultdict(set)
        # What is common is listed by parts that have nobody of the rarer, too: left packed.
        for part, endings in _told(lists, numbers, kept):
            having[part].update(kept[part].intersection(endings))
        kept = {part: some for part, some in having.items() if some}
    return kept


def _beyond(
    told: Iterable[tuple[PartKey, Collection[str]]], after: str
) -> Iterator[tuple[PartKey, Sequence[str]]]:
    """Yield what of each list comes after a text, in order; nothing of a list that ends before."""
    for part, endings in told:
        ordered = sorted(endings)
        _, beginning = part
        if rest := ordered[_first_beyond(beginning, ordered, after) :]:
            yield part, rest


def _in_order(listed: Iterable[tuple[PartKey, Sequence[str]]]) -> Iterator[str]:
    """Yield the ARNs of all lists, merged: databases order them as Python does."""
    parts = [map(beginning.__add__, ordered) for (_, beginning), ordered in listed]
    yield from (arn for arn, _ in groupby(merge(*parts)))


def _first_beyond(beginning: str, ordered: Sequence[str], after: str) -> int:
    """Return the place of the first ending whose whole ARN comes after a text."""
    if after.startswith(beginning):
        return bisect_right(ordered, after[len(beginning) :])
    return 0 if beginning > after else len(ordered)
