"""Samples on their way from files to tiles: added in any order, in bounded memory.

Samples are gathered as they come, by shard, day, block of resources and series; what exceeds the
memory is appended to one file. Tiles are made at the end, a block and a series at a time. Only then
are repeated samples told and the slots combined, so that neither the order of the samples nor the
memory shows in the tiles, but for repeated samples: of those the last one added stands.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    Matrix,
    MetricKey,
    Statistic,
)
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store.tile_files import Tile, no_samples

BUFFER_BYTES = 512 * 1024**2
"""Memory for samples: 33 million of them, 14 days of two series of one full shard."""

BLOCK_RESOURCES = 64
"""Resources combined at once: a day of samples at every second takes 90 MB then."""

DAY_SECONDS = 86_400
EPOCH = date(1970, 1, 1)

SAMPLE = np.dtype([("moment", np.int32), ("value", np.float32), ("origin", np.int64)])
"""`moment` is the second of the day, counted on from row to row of the block; two samples with the
same moment are the same sample sent twice (CloudWatch takes a series at most once a second)."""

Integers = NDArray[np.int64]
Records = NDArray[Any]
"""Of SAMPLE."""


class Combining(Enum):
    """How several samples in one slot become its value."""

    MEAN = "mean"
    HIGHEST = "highest"
    TOTAL = "total"


COMBINING = {
    Statistic.AVERAGE: Combining.MEAN,
    Statistic.MAXIMUM: Combining.HIGHEST,
    Statistic.SUM: Combining.TOTAL,
}
"""How samples that were measured over shorter intervals are combined."""

SeriesId = tuple[MetricKey, Combining]


@dataclass(frozen=True, slots=True)
class Places:
    """Where resources live: every array has an entry per resource."""

    shards: Sequence[ShardKey]
    arns: Mapping[ShardKey, tuple[str, ...]]
    """Of each shard, sorted: the rows of its tiles."""
    shard: Integers
    """Position in `shards`."""
    row: Integers


@dataclass(frozen=True, slots=True)
class Repeated:
    """Samples of one series that a later one with the same moment replaced."""

    metric: MetricKey
    seconds: Integers
    """Since 1970."""
    origins: Integers
    """As they were added."""


@dataclass(frozen=True, slots=True)
class FilledTile:
    """All samples of one shard on one day."""

    key: ShardKey
    day: date
    tile: Tile
    repeated: list[Repeated] = field(default_factory=list)


Group = tuple[int, int, int, int]
"""Position of the shard, day since 1970, block of the shard's rows, number of the series."""


class TileBuffer:
    """The samples of one import."""

    def __init__(self, places: Places, spill: Path, budget_bytes: int) -> None:
        self._places = places
        self._spill = spill
        self._budget = budget_bytes
        self._series: dict[SeriesId, int] = {}
        self._held: defaultdict[Group, list[Records]] = defaultdict(list)
        self._held_bytes = 0
        self._spilled: defaultdict[Group, list[tuple[int, int]]] = defaultdict(list)
        """Where each part begins in the file, and how many samples it has."""
        self._spilled_bytes = 0

    def add(
        self,
        series: SeriesId,
        places: Integers,
        seconds: Integers,
        values: Matrix,
        origins: Integers,
    ) -> None:
        """Add samples of one series.

        `places` are positions in `Places`, `seconds` are since 1970; `origins` are the caller's,
        who gets those of repeated samples back.
        """
        number = self._series.setdefault(series, len(self._series))
        shard = self._places.shard[places]
        block, row = np.divmod(self._places.row[places], BLOCK_RESOURCES)
        day, second = np.divmod(seconds, DAY_SECONDS)
        samples = np.empty(len(places), SAMPLE)
        samples["moment"] = row * DAY_SECONDS + second
        samples["value"] = values
        samples["origin"] = origins
        for start, part in _parts(shard, day, block, samples):
            self._held[int(shard[start]), int(day[start]), int(block[start]), number].append(part)
        self._held_bytes += samples.nbytes
        if self._held_bytes > self._budget:
            self._write_out()

    def tiles(self) -> Iterator[FilledTile]:
        """Yield every shard and day that has samples; the buffer is empty afterwards."""
        series = list(self._series)
        groups = sorted({*self._held, *self._spilled})
        for (shard, day), of_tile in groupby(groups, key=itemgetter(0, 1)):
            key = self._places.shards[shard]
            filled = FilledTile(key, EPOCH + timedelta(days=day), Tile(self._places.arns[key], {}))
            for group in of_tile:
                self._combine_into(filled, series[group[3]], group)
            yield filled
        self._spill.unlink(missing_ok=True)

    def _combine_into(self, filled: FilledTile, series: SeriesId, group: Group) -> None:
        """Put one block of one series into the tile; where a metric comes in two ways, the one
        that came first stands."""
        metric, combining = series
        resources = len(filled.tile.resource_arns)
        first_row = group[2] * BLOCK_RESOURCES
        rows = min(resources - first_row, BLOCK_RESOURCES)
        matrix, again = combined(self._taken(group), rows, combining)
        whole = filled.tile.series.setdefault(metric, no_samples(resources))
        target = whole[first_row : first_row + rows]
        target[...] = np.where(np.isnan(target), matrix, target)
        if len(again):
            seconds = group[1] * DAY_SECONDS + again["moment"].astype(np.int64) % DAY_SECONDS
            filled.repeated.append(Repeated(metric, seconds, again["origin"]))

    def _taken(self, group: Group) -> Records:
        """Return the samples of one group in the order in which they were added."""
        parts = [
            np.fromfile(self._spill, SAMPLE, count, offset=start)
            for start, count in self._spilled.pop(group, ())
        ]
        return np.concatenate([*parts, *self._held.pop(group, ())])

    def _write_out(self) -> None:
        self._spill.parent.mkdir(parents=True, exist_ok=True)
        with self._spill.open("ab") as file:
            for group, parts in self._held.items():
                samples = np.concatenate(parts)
                file.write(samples.tobytes())
                self._spilled[group].append((self._spilled_bytes, len(samples)))
                self._spilled_bytes += samples.nbytes
        self._held.clear()
        self._held_bytes = 0


def combined(samples: Records, rows: int, combining: Combining) -> tuple[Matrix, Records]:
    """Return the value of every slot, (rows, SLOTS_PER_DAY), and the samples that were replaced."""
    kept, replaced = samples, samples[:0]
    # What ascends, as most files do, needs neither sorting nor copies: nothing is repeated in it.
    if not _ascending(samples["moment"]):
        ordered = samples[np.argsort(samples["moment"], kind="stable")]
        final = np.append(np.diff(ordered["moment"]) != 0, True)
        kept, replaced = ordered[final], ordered[~final]
    slots, starts = np.unique(kept["moment"] // SLOT_SECONDS, return_index=True)
    # Twice the precision of samples, so that sums lose nothing that float32 shows.
    values = kept["value"].astype(np.float64)
    if combining is Combining.HIGHEST:
        found = np.maximum.reduceat(values, starts)
    else:
        found = np.add.reduceat(values, starts)
    if combining is Combining.MEAN:
        found /= np.diff(np.append(starts, len(values)))
    matrix = no_samples(rows)
    matrix.ravel()[slots] = np.minimum(found, np.finfo(np.float32).max)
    return matrix, replaced


def _ascending(moments: Integers) -> bool:
    return bool((np.diff(moments) > 0).all())


def _parts(
    shard: Integers, day: Integers, block: Integers, samples: Records
) -> Iterator[tuple[int, Records]]:
    """Yield the samples of each shard, day and block in their order, with the position of one."""
    place = (shard * 10**6 + day) * 10**5 + block
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    ordered = samples[order]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield int(order[start]), ordered[start:end]
