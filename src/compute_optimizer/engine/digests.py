"""Days in short: of every resource and day the few figures that a later analysis asks for.

Percentiles do not merge across days, but the largest samples of each day do: the largest DEPTH
samples of a window are among the largest DEPTH of its days. Beside them a day's count, highest
sample and sum are kept, of single series and of those that are formed slot by slot from two. A
figure of a window that is put together from days is the one that all of its samples give, bit for
bit; where days cannot tell it, whole rows of samples are asked for.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache, reduce
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.engine.arrays import Booleans, Floats, Integers, Singles
from compute_optimizer.engine.dimensions import Combine, Dimension
from compute_optimizer.engine.statistics import highest, largest, tail_depth
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    Statistic,
    Window,
)

DEPTH = tail_depth(14 * SLOTS_PER_DAY, 99.5)
"""Largest samples kept of a day, 22: what P99.5 over the default look-back period may need of one
day, if all of them lie there."""

JOINTS = {Combine.SUM: "+", Combine.LARGER: "|"}
"""Between the series of a name."""

Found = TypeVar("Found")


class Figure(Enum):
    """What is kept of a day."""

    COUNT = "count"
    """Samples present."""
    HIGHEST = "highest"
    """The highest sample; NaN where there is none."""
    TAIL = "tail"
    """The largest DEPTH samples, descending; -inf where there are fewer."""
    TOTAL = "total"
    """The sum of all samples of all series, float64; 0 where there is none."""


DTYPES: Mapping[Figure, Any] = {
    Figure.COUNT: np.uint16,
    Figure.HIGHEST: np.float32,
    Figure.TAIL: np.float32,
    Figure.TOTAL: np.float64,
}

ABSENT = {Figure.COUNT: 0, Figure.HIGHEST: np.nan, Figure.TAIL: -np.inf, Figure.TOTAL: 0.0}
"""What a day says of which there is no sample."""


@dataclass(frozen=True, slots=True)
class KeptSeries:
    """A series, or two that are formed into one slot by slot, and what is kept of its days."""

    keys: tuple[MetricKey, ...]
    figures: tuple[Figure, ...]
    combine: Combine = Combine.LARGER

    @property
    def name(self) -> str:
        """Return the series' names, such as NetworkIn_Sum|NetworkOut_Sum."""
        return JOINTS[self.combine].join(key.column for key in self.keys)

    @property
    def columns(self) -> Mapping[str, Figure]:
        """Return the figures by the names of their columns."""
        return _columns_of(self)


@cache
def _columns_of(part: KeptSeries) -> Mapping[str, Figure]:
    # Asked for of every day again.
    return {column_of(part.name, figure): figure for figure in part.figures}


def part_of(dimension: Dimension, *figures: Figure) -> KeptSeries:
    """Return the part that tells a dimension of several counters."""
    keys = tuple(MetricKey(metric, Statistic.SUM) for metric in dimension.metrics)
    return KeptSeries(keys, figures, dimension.combine)


def column_of(name: str, figure: Figure) -> str:
    """Return the name of the column that holds a figure of a part."""
    return f"{name}.{figure.value}"


def shape_of(figure: Figure, *before: int) -> tuple[int, ...]:
    """Return the shape of a figure of so many resources and, in a window, days."""
    return (*before, DEPTH) if figure is Figure.TAIL else before


def daily_totals(parts: Sequence[Matrix]) -> Floats:
    """Return the sum of all samples of each UTC day, (rows, days), of (rows, slots) each.

    The last day may be shorter. In twice the precision of samples, and day by day, so that it is
    the same however many days are read.
    """
    starts = range(0, parts[0].shape[1], SLOTS_PER_DAY)
    days = [
        totals_of_day([part[:, start : start + SLOTS_PER_DAY] for part in parts])
        for start in starts
    ]
    return np.stack(days, axis=1) if days else np.zeros((len(parts[0]), 0))


def totals_of_day(parts: Sequence[Matrix], without_gaps: bool = False) -> Floats:
    """Return the sum of all samples of one day, (rows,), of (rows, slots) each.

    `without_gaps` tells that every sample is there, so that none is looked for.
    """
    doubled = [part.astype(np.float64) if without_gaps else _absent_as_zero(part) for part in parts]
    summed: Floats = reduce(np.add, doubled).sum(axis=1)
    return summed


def _absent_as_zero(samples: Matrix) -> Floats:
    found: Floats = samples.astype(np.float64)
    if not (present := np.isfinite(samples)).all():
        np.copyto(found, 0.0, where=~present)
    return found


def daily_highest(series: Matrix) -> Singles:
    """Return the highest sample of each UTC day, (rows, days); NaN where there is none."""
    days = series.shape[1] // SLOTS_PER_DAY
    found: Singles = highest(series.reshape(len(series) * days, SLOTS_PER_DAY))
    return found.reshape(len(series), days)


@dataclass(frozen=True, slots=True, eq=False)
class WholeRows:
    """All samples of some rows of one series."""

    rows: Integers
    """Ascending."""
    samples: Matrix
    """(rows, slots)."""

    def take(self, rows: Integers) -> Matrix:
        """Return the samples of some of the rows, each of which is here; all of them uncopied."""
        if np.array_equal(rows, self.rows):
            return self.samples
        places = np.minimum(np.searchsorted(self.rows, rows), max(len(self.rows) - 1, 0))
        assert len(rows) == 0 or (self.rows[places] == rows).all(), "rows that were not asked for"
        return self.samples[places]

    def joined(self, other: "WholeRows") -> "WholeRows":
        """Return the rows of both."""
        new = ~np.isin(other.rows, self.rows)
        rows = np.concatenate([self.rows, other.rows[new]])
        samples = np.concatenate([self.samples, other.samples[new]])
        order = np.argsort(rows)
        return WholeRows(rows[order], samples[order])


Wanted = Mapping[MetricKey, Integers]
"""Rows of which all samples are wanted, ascending, by series."""

Whole = Mapping[MetricKey, WholeRows]

Steps = Generator[Wanted, Whole, Found]
"""What asks for whole rows where it needs them, is sent them, and returns what it found."""


@dataclass(frozen=True, slots=True, eq=False)
class DigestedSamples:
    """The days of one shard in short over one window; in place of `ShardSamples`."""

    resource_arns: tuple[str, ...]
    """Row order of every array."""
    window: Window
    present: frozenset[MetricKey]
    """The series that somebody sent."""
    figures: Mapping[str, NDArray[Any]]
    """By column, (resources, days), tails (resources, days, DEPTH)."""
    whole: Whole = field(default_factory=dict)
    """What was asked for besides."""

    def rows(self, places: Sequence[int]) -> "DigestedSamples":
        """Return the batch that holds only the given rows, in their order, without whole ones."""
        some = {name: figures[list(places)] for name, figures in self.figures.items()}
        arns = tuple(self.resource_arns[place] for place in places)
        return DigestedSamples(arns, self.window, self.present, some)

    def with_whole(self, whole: Whole) -> "DigestedSamples":
        """Return the same with more whole rows."""
        both = {
            key: self.whole[key].joined(rows) if key in self.whole else rows
            for key, rows in whole.items()
        }
        return replace(self, whole={**self.whole, **both})

    def unread(self, wanted: Wanted) -> Wanted:
        """Return what of the wanted whole rows is not at hand."""
        none: Integers = np.zeros(0, np.int64)
        found = {
            key: np.setdiff1d(rows, self.whole[key].rows if key in self.whole else none)
            for key, rows in wanted.items()
        }
        return {key: rows for key, rows in found.items() if len(rows)}

    def figure(self, name: str, figure: Figure) -> NDArray[Any]:
        """Return a figure of a part that somebody sent."""
        return self.figures[column_of(name, figure)]


def together(wanted: Iterable[Wanted]) -> dict[MetricKey, Integers]:
    """Return what is wanted by any."""
    found: dict[MetricKey, Integers] = {}
    for one in wanted:
        for key, rows in one.items():
            found[key] = np.union1d(found[key], rows) if key in found else np.unique(rows)
    return {key: rows for key, rows in found.items() if len(rows)}


def merged_tail(days: Singles, depth: int) -> Singles:
    """Return the largest `depth` of what is kept of (resources, days, DEPTH), descending."""
    kept = days.reshape(len(days), -1)
    short = depth - kept.shape[1]
    if short > 0:
        kept = np.pad(kept, ((0, 0), (0, short)), constant_values=-np.inf)
    return largest(kept.copy(), depth)


def tells_all(days: Singles, counts: Integers, tail: Singles) -> Booleans:
    """Return of which rows the merged tail is that of all samples, (resources,).

    `counts` are (resources, days). What a day left out is no larger than the least that it kept, so
    that it changes nothing if that is no larger than the least of the tail.
    """
    if tail.shape[1] <= DEPTH:
        return np.ones(len(tail), np.bool_)
    hides = (counts > DEPTH) & (days[:, :, -1] > tail[:, -1:])
    found: Booleans = ~np.any(hides, axis=1, keepdims=False)
    return found


def completed(steps: Steps[Found], read: Callable[[Wanted], Whole]) -> Found:
    """Return what the steps find, with whatever rows they ask for read."""
    try:
        wanted = next(steps)
        while True:
            wanted = steps.send(read(wanted))
    except StopIteration as end:
        found: Found = end.value
        return found
