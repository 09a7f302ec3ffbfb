"""Samples on their way from files to tiles: added in any order, in bounded memory.

Each day of a block of resources is one buffer of what was added to its slots. Buffers that nobody
added to for longest are spilled to the disk, and read back when more arrives, so that a slot's
average or sum is exact whatever the order of the samples. Blocks are much smaller than shards, so
that files in the order of time and files in the order of resources both go from buffer to buffer
and come back to few.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
)
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store.tile_files import Tile

BUFFER_BYTES = 1024**3
"""Memory for buffers: 14 days of four series of one full shard."""

BLOCK_RESOURCES = 64
"""Resources in one buffer: 290 kB a series, so that the fixed cost of a group does not show."""

BUCKET_SECONDS = 5
"""Samples of one series closer than this count as the same one: 60 buckets fit in 64 bits, and
metrics are sent once a minute or, as high-resolution metrics, every 5 seconds or more."""

DAY_SECONDS = 86_400
EPOCH = date(1970, 1, 1)

Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]


class Combining(Enum):
    """How several samples in one slot become its value."""

    MEAN = "mean"
    HIGHEST = "highest"
    TOTAL = "total"


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


class _SlotSeries:
    """What was added to the slots of one series: (resources x slots,) each."""

    def __init__(self, cells: int, combining: Combining) -> None:
        start = -np.inf if combining is Combining.HIGHEST else 0.0
        self.combining = combining
        # Sums in twice the precision of samples, so that the order of samples does not show.
        kind = np.float32 if combining is Combining.HIGHEST else np.float64
        self.values: NDArray[np.floating] = np.full(cells, start, kind)
        self.seen: NDArray[np.uint64] = np.zeros(cells, np.uint64)
        """One bit per bucket of the slot that has a sample."""

    def add(self, cells: Integers, buckets: Integers, values: Matrix) -> Flags:
        """Add samples and return which of them had been there before, and were left out."""
        fresh = np.ones(len(cells), np.bool_)
        ascending = len(cells) < 2 or bool((np.diff(cells) > 0).all())
        if not ascending:
            fresh[:] = False
            fresh[np.unique(cells * (SLOT_SECONDS // BUCKET_SECONDS) + buckets, True)[1]] = True
        bits = np.left_shift(np.uint64(1), buckets.astype(np.uint64))
        fresh &= self.seen[cells] & bits == 0
        combine = np.maximum if self.combining is Combining.HIGHEST else np.add
        cells, bits, values = cells[fresh], bits[fresh], values[fresh]
        if ascending:
            self.values[cells] = combine(self.values[cells], values)
            self.seen[cells] |= bits
        else:
            combine.at(self.values, cells, values)
            np.bitwise_or.at(self.seen, cells, bits)
        return ~fresh

    def matrix(self) -> Matrix:
        """Return the value of every slot, (resources, slots); NaN where nothing was added."""
        counts = np.bitwise_count(self.seen)
        shares = np.maximum(counts, 1) if self.combining is Combining.MEAN else np.uint8(1)
        values = np.minimum(self.values / shares, np.finfo(np.float32).max)
        found: Matrix = np.where(counts > 0, values, np.nan).astype(np.float32)
        return found.reshape(-1, SLOTS_PER_DAY)


class _BlockBuffer:
    """The series of one block of resources on one day."""

    def __init__(self, resources: int) -> None:
        self.cells = resources * SLOTS_PER_DAY
        self.series: dict[SeriesId, _SlotSeries] = {}

    def add(self, series: SeriesId, cells: Integers, buckets: Integers, values: Matrix) -> Flags:
        """Add samples of one series; as `_SlotSeries.add`."""
        if series not in self.series:
            self.series[series] = _SlotSeries(self.cells, series[1])
        return self.series[series].add(cells, buckets, values)

    @property
    def bytes(self) -> int:
        """Memory in use."""
        return sum(one.values.nbytes + one.seen.nbytes for one in self.series.values())

    def matrices(self) -> dict[MetricKey, Matrix]:
        """Return the series; where a metric came in two ways, the first one stands."""
        found: dict[MetricKey, Matrix] = {}
        for (key, _), series in self.series.items():
            matrix = series.matrix()
            first = found.get(key)
            found[key] = matrix if first is None else np.where(np.isnan(first), matrix, first)
        return found


BlockId = tuple[int, int, int]
"""Position of the shard, day since 1970, and which block of the shard's rows."""


class TileBuffer:
    """The buffers of one import."""

    def __init__(self, places: Places, spill: Path, budget_bytes: int) -> None:
        self._places = places
        self._spill = spill
        self._budget = budget_bytes
        self._open: OrderedDict[BlockId, _BlockBuffer] = OrderedDict()
        self._used = 0
        self._spilled: dict[BlockId, tuple[SeriesId, ...]] = {}

    def add(self, series: SeriesId, places: Integers, seconds: Integers, values: Matrix) -> Flags:
        """Add samples of one series and return which are repetitions, which are left out.

        `places` are positions in `Places`, `seconds` are since 1970.
        """
        shard = self._places.shard[places]
        block, row = np.divmod(self._places.row[places], BLOCK_RESOURCES)
        day, second = np.divmod(seconds, DAY_SECONDS)
        cells = row * SLOTS_PER_DAY + second // SLOT_SECONDS
        buckets = second % SLOT_SECONDS // BUCKET_SECONDS
        repeated = np.zeros(len(places), np.bool_)
        for where in _groups(shard, day, block):
            one = where[0]
            buffer = self._buffer((int(shard[one]), int(day[one]), int(block[one])))
            before = buffer.bytes
            repeated[where] = buffer.add(series, cells[where], buckets[where], values[where])
            self._used += buffer.bytes - before
            self._keep_within_budget()
        return repeated

    def tiles(self) -> Iterator[tuple[ShardKey, date, Tile]]:
        """Yield every shard and day that has samples, and forget it."""
        blocks = sorted({*self._open, *self._spilled})
        for (shard, day), of_day in groupby(blocks, key=itemgetter(0, 1)):
            key = self._places.shards[shard]
            arns = self._places.arns[key]
            series: dict[MetricKey, Matrix] = {}
            for place in of_day:
                start = place[2] * BLOCK_RESOURCES
                for metric, matrix in self._taken(place).matrices().items():
                    whole = series.setdefault(metric, _gaps(len(arns)))
                    whole[start : start + len(matrix)] = matrix
            yield key, EPOCH + timedelta(days=day), Tile(arns, series)

    def _taken(self, place: BlockId) -> _BlockBuffer:
        buffer = self._buffer(place)
        del self._open[place]
        self._used -= buffer.bytes
        return buffer

    def _buffer(self, place: BlockId) -> _BlockBuffer:
        if place not in self._open:
            shard, _, block = place
            resources = len(self._places.arns[self._places.shards[shard]])
            rows = min(resources - block * BLOCK_RESOURCES, BLOCK_RESOURCES)
            self._open[place] = self._read_back(place, _BlockBuffer(rows))
            self._used += self._open[place].bytes
        self._open.move_to_end(place)
        return self._open[place]

    def _keep_within_budget(self) -> None:
        while self._used > self._budget and len(self._open) > 1:
            place, buffer = self._open.popitem(last=False)
            self._used -= buffer.bytes
            self._write_out(place, buffer)

    def _write_out(self, place: BlockId, buffer: _BlockBuffer) -> None:
        self._spill.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {}
        for number, series in enumerate(buffer.series.values()):
            arrays |= {f"values{number}": series.values, f"seen{number}": series.seen}
        np.savez(self._file(place), **arrays)
        self._spilled[place] = tuple(buffer.series)

    def _read_back(self, place: BlockId, buffer: _BlockBuffer) -> _BlockBuffer:
        if place not in self._spilled:
            return buffer
        with np.load(self._file(place)) as stored:
            for number, identity in enumerate(self._spilled.pop(place)):
                series = buffer.series[identity] = _SlotSeries(0, identity[1])
                series.values, series.seen = stored[f"values{number}"], stored[f"seen{number}"]
        self._file(place).unlink()
        return buffer

    def _file(self, place: BlockId) -> Path:
        return self._spill / "{}.{}.{}.npz".format(*place)


def _gaps(resources: int) -> Matrix:
    return np.full((resources, SLOTS_PER_DAY), np.nan, np.float32)


def _groups(shard: Integers, day: Integers, block: Integers) -> Iterator[Integers]:
    """Yield the positions of samples that belong to the same buffer, in their order."""
    place = (shard * 10**6 + day) * 10**5 + block
    order = np.argsort(place, kind="stable")
    cuts = np.flatnonzero(np.diff(place[order])) + 1
    yield from (group for group in np.split(order, cuts) if len(group))
