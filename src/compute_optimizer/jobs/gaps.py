"""Which samples are missing: what a source is asked for, by resource and series."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.model.collection import Seconds, Wanted
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, Matrix, MetricKey, Window
from compute_optimizer.model.resource import Resource, ShardKey
from compute_optimizer.model.spans import day_of
from compute_optimizer.store.tiles import TileStore, read_samples


@dataclass(frozen=True, slots=True)
class Range:
    """The time that is collected, on the grid of slots."""

    start: int
    """Seconds since 1970, as is the end, which lies outside."""
    end: int
    overlap: int
    """Seconds before the newest stored sample that are read again: sources correct late."""
    again: bool = False
    """Read everything, also what is stored."""

    @property
    def days(self) -> list[date]:
        """Return the UTC days that the range touches."""
        first, last = day_of(self.start), day_of(self.end - 1)
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def range_until(
    end: datetime, start: datetime, overlap: timedelta, *, again: bool = False
) -> Range:
    """Return the whole slots between two moments; a slot that has not ended is left out."""
    seconds = [int(one.timestamp()) // SLOT_SECONDS * SLOT_SECONDS for one in (start, end)]
    return Range(seconds[0], seconds[1], int(overlap.total_seconds()), again)


def missing(
    connection: Connection,
    tiles: TileStore,
    shard: ShardKey,
    resources: Sequence[Resource],
    keys: Sequence[MetricKey],
    asked: Range,
) -> Wanted:
    """Return what is wanted of some resources of a shard: from the newest sample of each series on.

    A series that has no sample in the range is wanted from its start. Raises StoreUnavailable for
    a tile that cannot be read.
    """
    since = {key: np.full(len(resources), asked.start, np.int64) for key in keys}
    if not asked.again:
        arns = [one.arn for one in resources]
        for day in asked.days:
            found = read_samples(connection, tiles, shard, Window(day, day), keys, arns)
            for key, matrix in found.series.items():
                _move(since[key], matrix, day, asked)
    return Wanted(resources, since, asked.end)


def _move(since: Seconds, matrix: Matrix, day: date, asked: Range) -> None:
    """Move, in place, the moments of the resources that have samples on a day."""
    known = ~np.isnan(matrix)
    slots = SLOTS_PER_DAY - np.argmax(known[:, ::-1], axis=1)
    midnight = int(datetime.combine(day, time(), UTC).timestamp())
    ends = midnight + slots * SLOT_SECONDS - asked.overlap
    ends = ends // SLOT_SECONDS * SLOT_SECONDS
    np.copyto(since, np.clip(ends, asked.start, asked.end), where=known.any(axis=1))
