"""From samples to usage: for each dimension the upper tail, for each metric its highest value.

The same from days in short (engine/digests), for whose sake nothing above this asks for a whole
series: it asks what it wants to know, and for whole rows where only these tell it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.engine.arrays import Booleans, Integers, Singles
from compute_optimizer.engine.digests import (
    DEPTH,
    DigestedSamples,
    Figure,
    Wanted,
    Whole,
    column_of,
    daily_highest,
    merged_tail,
    part_of,
    tells_all,
    together,
)
from compute_optimizer.engine.dimensions import Dimension, combine
from compute_optimizer.engine.statistics import BLOCK_ROWS, highest, tail_depth, upper_tail
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
)

MINIMUM_SAMPLES = 360
"""Five-minute samples in the window: 30 hours, not necessarily in a row (spec 2.1)."""


CPU_METRIC = "CPUUtilization"

MEMORY_METRIC = "mem_used_percent"
"""Of the CloudWatch agent: AWS sees no memory from outside."""

AVERAGE_CPU = MetricKey(CPU_METRIC, Statistic.AVERAGE)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """One series per metric: of maxima where a resource has them, else of averages."""

    rows: int
    slots: int
    series: Mapping[str, Matrix]
    averaged: Mapping[str, Booleans]
    """Per metric, which rows hold averages for want of maxima."""
    average_cpu: Matrix | None
    """Averages of the CPU, where somebody sent them: what CPU credits are spent on."""
    digest: DigestedSamples | None = None
    """In place of the series, whose names are known but not their samples."""

    def parts(self, dimension: Dimension) -> list[Matrix]:
        """Return the series that tell the dimension's demand."""
        return [self.series[metric] for metric in dimension.metrics if metric in self.series]

    def tells(self, dimension: Dimension) -> bool:
        """Return whether anybody sent a metric of the dimension."""
        return any(metric in self.series for metric in dimension.metrics)

    def unread(self, wanted: Wanted) -> Wanted:
        """Return what of the wanted whole rows is not at hand."""
        return {} if self.digest is None else self.digest.unread(wanted)

    def with_whole(self, whole: Whole) -> "Chosen":
        """Return the same with whole rows that were wanted."""
        return self if self.digest is None else replace(self, digest=self.digest.with_whole(whole))


class Unread(Mapping[str, Matrix]):
    """Series of which only days in short are at hand."""

    def __init__(self, metrics: Sequence[str]) -> None:
        self._metrics = dict.fromkeys(metrics)

    def __getitem__(self, metric: str) -> Matrix:
        if metric in self._metrics:
            raise RuntimeError(f"the samples of {metric} were not read: ask for what is wanted")
        raise KeyError(metric)

    def __contains__(self, metric: object) -> bool:
        return metric in self._metrics

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)


@dataclass(frozen=True, slots=True, eq=False)
class DimensionUsage:
    """Use of one dimension in units of its samples: percent, or counts per slot."""

    tail: Singles
    """(resources, depth): the largest samples, descending; -inf where there are fewer."""
    counts: Integers
    """(resources,): samples present."""


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """What the window says about every resource."""

    dimensions: tuple[DimensionUsage, ...]
    peaks: Mapping[str, Singles]
    """Per metric the highest sample, (resources,); NaN where there is none."""


def choose_series(samples: ShardSamples | DigestedSamples, metrics: Sequence[str]) -> Chosen:
    """Return the series to analyze; averages stand in only where maxima are missing."""
    if isinstance(samples, DigestedSamples):
        return _choose_digested(samples, metrics)
    rows = len(samples.resource_arns)
    series: dict[str, Matrix] = {}
    averaged: dict[str, Booleans] = {}
    for metric in metrics:
        found = _chosen(samples, metric, rows)
        if found is not None:
            series[metric], averaged[metric] = found
    slots = next((matrix.shape[1] for matrix in samples.series.values()), 0)
    return Chosen(rows, slots, series, averaged, samples.series.get(AVERAGE_CPU))


def _chosen(samples: ShardSamples, metric: str, rows: int) -> tuple[Matrix, Booleans] | None:
    """Return the series of one metric and which rows of it are averages."""
    by_statistic = (
        samples.series.get(MetricKey(metric, statistic))
        for statistic in (Statistic.SUM, Statistic.MAXIMUM, Statistic.AVERAGE)
    )
    sums, maxima, averages = by_statistic
    exact = sums if sums is not None else maxima
    if exact is None:
        return None if averages is None else (averages, np.ones(rows, dtype=np.bool_))
    averaged = np.zeros(rows, dtype=np.bool_)
    if averages is not None:
        counts = count_samples(exact)
        short = np.flatnonzero(counts < MINIMUM_SAMPLES)
        averaged[short] = count_samples(averages[short]) > counts[short]
    if averages is not None and averaged.any():
        exact = np.where(averaged[:, None], averages, exact)
    return exact, averaged


def count_samples(matrix: Matrix) -> Integers:
    """Return how many samples each row has."""
    counts: Integers = np.count_nonzero(np.isfinite(matrix), axis=1)
    return counts


def _choose_digested(samples: DigestedSamples, metrics: Sequence[str]) -> Chosen:
    rows, known = len(samples.resource_arns), []
    averaged: dict[str, Booleans] = {}
    for metric in metrics:
        exact, average = _told_by(samples.present, metric)
        if exact is None and average is None:
            continue
        known.append(metric)
        averaged[metric] = np.full(rows, exact is None)
        if exact is not None and average is not None:
            counts, others = (window_counts(samples, key.column) for key in (exact, average))
            averaged[metric] = (counts < MINIMUM_SAMPLES) & (others > counts)
    slots = samples.window.days * SLOTS_PER_DAY if samples.present else 0
    return Chosen(rows, slots, Unread(known), averaged, None, samples)


def _told_by(
    present: frozenset[MetricKey], metric: str
) -> tuple[MetricKey | None, MetricKey | None]:
    """Return the series of sums or maxima of a metric, and that of averages."""
    sums, maxima, averages = (
        key if (key := MetricKey(metric, statistic)) in present else None
        for statistic in (Statistic.SUM, Statistic.MAXIMUM, Statistic.AVERAGE)
    )
    return sums or maxima, averages


def window_counts(samples: DigestedSamples, name: str) -> Integers:
    """Return how many samples of a series the window has, (resources,)."""
    counts: Integers = samples.figure(name, Figure.COUNT).sum(axis=1, dtype=np.int64)
    return counts


def measure(chosen: Chosen, dimensions: Sequence[Dimension], percentiles: Sequence[float]) -> Usage:
    """Return tails deep enough for each dimension's percentile, and the peaks of all metrics."""
    peaks = {metric: np.empty(chosen.rows, np.float32) for metric in chosen.series}
    used = tuple(
        _measure_dimension(chosen, dimension, tail_depth(chosen.slots, percent), peaks)
        for dimension, percent in zip(dimensions, percentiles, strict=True)
    )
    return Usage(used, peaks)


def _measure_dimension(
    chosen: Chosen, dimension: Dimension, depth: int, peaks: Mapping[str, Singles]
) -> DimensionUsage:
    tail = np.full((chosen.rows, depth), -np.inf, np.float32)
    counts = np.zeros(chosen.rows, np.int64)
    known = [metric for metric in dimension.metrics if metric in chosen.series]
    if not known:
        return DimensionUsage(tail, counts)
    if chosen.digest is not None:
        return _measure_digested(chosen, dimension, depth, peaks)
    for start in range(0, chosen.rows, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        parts = [chosen.series[metric][rows] for metric in known]
        tail[rows], counts[rows] = upper_tail(combine(parts, dimension.combine), depth)
        for metric, part in zip(known, parts, strict=True):
            peaks[metric][rows] = tail[rows, 0] if len(known) == 1 else highest(part)
    for metric in known:
        peaks[metric][peaks[metric] == -np.inf] = np.nan
    return DimensionUsage(tail, counts)


def _measure_digested(
    chosen: Chosen, dimension: Dimension, depth: int, peaks: Mapping[str, Singles]
) -> DimensionUsage:
    days, counts = _kept(chosen, dimension, Figure.TAIL), _kept(chosen, dimension, Figure.COUNT)
    tail = merged_tail(days, depth)
    rows = np.flatnonzero(~tells_all(days, counts, tail))
    if len(rows):
        tail[rows] = upper_tail(dimension_rows(chosen, dimension, rows), depth)[0]
    for metric in dimension.metrics:
        if metric in chosen.series:
            peaks[metric][:] = peaks_of(chosen, metric, np.arange(chosen.rows))
    return DimensionUsage(tail, counts.sum(axis=1, dtype=np.int64))


def _none_as_nan(found: Singles) -> Singles:
    return np.where(found == -np.inf, np.float32(np.nan), found)


def _kept(chosen: Chosen, dimension: Dimension, figure: Figure) -> NDArray[Any]:
    """Return a figure of a dimension that somebody sent, by resource and day."""
    assert chosen.digest is not None
    if len(dimension.metrics) == 1:
        return kept_of(chosen, dimension.metrics[0], figure)
    return chosen.digest.figure(part_of(dimension).name, figure)


def kept_of(chosen: Chosen, metric: str, figure: Figure) -> NDArray[Any]:
    """Return a figure of a metric that somebody sent: each row's of the series chosen for it."""
    assert chosen.digest is not None
    exact, average = _told_by(chosen.digest.present, metric)
    averaged = chosen.averaged[metric]
    if exact is None:
        assert average is not None
        return chosen.digest.figure(average.column, figure)
    found = chosen.digest.figure(exact.column, figure)
    if average is None or not averaged.any():
        return found
    averages = chosen.digest.figure(average.column, figure)
    return np.where(averaged.reshape(-1, *(1,) * (found.ndim - 1)), averages, found)


def peaks_of(chosen: Chosen, metric: str, rows: Integers | Sequence[int]) -> Singles:
    """Return the highest sample of a metric that somebody sent, (rows,); NaN without any."""
    if chosen.digest is None:
        return highest(chosen.series[metric][rows])
    days = _highest_days(chosen, chosen.digest, metric)[rows]
    found: Singles = np.fmax.reduce(days, axis=1)
    return found


def _highest_days(chosen: Chosen, digest: DigestedSamples, metric: str) -> Singles:
    """Return the highest sample of each day, of whatever figure tells it."""
    keys = [key for key in _told_by(digest.present, metric) if key is not None]
    if all(column_of(key.column, Figure.HIGHEST) in digest.figures for key in keys):
        return kept_of(chosen, metric, Figure.HIGHEST)
    return _none_as_nan(kept_of(chosen, metric, Figure.TAIL)[:, :, 0])


def counts_by_day(chosen: Chosen, metric: str) -> Integers:
    """Return how many samples of a metric each day has, (resources, days)."""
    if chosen.digest is not None:
        found: Integers = kept_of(chosen, metric, Figure.COUNT).astype(np.int64)
        return found
    days = chosen.series[metric].reshape(chosen.rows, -1, SLOTS_PER_DAY)
    present: Integers = np.count_nonzero(np.isfinite(days), axis=2)
    return present


def highest_by_day(chosen: Chosen, dimension: Dimension) -> Singles:
    """Return the highest sample of each UTC day, (resources, days); NaN where there is none.

    The dimension has a metric.
    """
    if chosen.digest is None:
        return daily_highest(combine(chosen.parts(dimension), dimension.combine))
    return _none_as_nan(_kept(chosen, dimension, Figure.TAIL)[:, :, 0])


def tails_wanted(
    chosen: Chosen, dimensions: Sequence[Dimension], percentiles: Sequence[float]
) -> Wanted:
    """Return the whole rows without which `measure` cannot tell the percentiles."""
    found = []
    for dimension, percent in zip(dimensions, percentiles, strict=True):
        depth = tail_depth(chosen.slots, percent)
        if chosen.digest is None or depth <= DEPTH or not chosen.tells(dimension):
            continue
        days, counts = _kept(chosen, dimension, Figure.TAIL), _kept(chosen, dimension, Figure.COUNT)
        rows = np.flatnonzero(~tells_all(days, counts, merged_tail(days, depth)))
        found.append(rows_wanted(chosen, dimension, rows))
    return together(found)


def rows_wanted(chosen: Chosen, dimension: Dimension, rows: Integers) -> Wanted:
    """Return the series that `dimension_rows` reads for some rows."""
    if chosen.digest is None:
        return {}
    known = [metric for metric in dimension.metrics if metric in chosen.series]
    return together(rows_of_metric(chosen, metric, rows) for metric in known)


def rows_of_metric(chosen: Chosen, metric: str, rows: Integers) -> Wanted:
    """Return the series that `whole_of_metric` reads for some rows of days in short."""
    assert chosen.digest is not None
    exact, average = _told_by(chosen.digest.present, metric)
    averaged = chosen.averaged[metric][rows]
    of_series = ((exact, rows[~averaged]), (average, rows[averaged]))
    return {key: some for key, some in of_series if key is not None and len(some)}


def whole_of_metric(chosen: Chosen, metric: str, rows: Integers) -> Matrix:
    """Return the whole series of a metric for some rows."""
    if chosen.digest is None:
        return chosen.series[metric][rows]
    parts = rows_of_metric(chosen, metric, rows)
    if len(parts) == 1:
        ((key, some),) = parts.items()
        return chosen.digest.whole[key].take(some)
    found = np.empty((len(rows), chosen.slots), np.float32)
    for key, some in parts.items():
        found[np.isin(rows, some)] = chosen.digest.whole[key].take(some)
    return found


def dimension_rows(chosen: Chosen, dimension: Dimension, rows: Integers) -> Matrix:
    """Return the dimension's whole series of some rows, ascending; the dimension has a metric."""
    if chosen.digest is not None:
        known = [metric for metric in dimension.metrics if metric in chosen.series]
        return combine([whole_of_metric(chosen, m, rows) for m in known], dimension.combine)
    return combine([part[rows] for part in chosen.parts(dimension)], dimension.combine)


def known_above(
    chosen: Chosen, dimension: Dimension, rows: Integers, limits: Singles
) -> tuple[Integers, Booleans]:
    """Return how many samples of some rows exceed limits (rows, 1), and where that is all of them.

    Where a day has kept none that does not exceed the limit, there may be more.
    """
    if chosen.digest is None:
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
    days = _kept(chosen, dimension, Figure.TAIL)[rows]
    present = _kept(chosen, dimension, Figure.COUNT)[rows]
    above = days > limits[:, :, None]
    hides = above[:, :, -1] & (present > days.shape[2])
    return np.count_nonzero(above, axis=(1, 2)), ~hides.any(axis=1)
