"""From samples to usage: for each dimension the upper tail, for each metric its highest value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Integers, Singles
from compute_optimizer.engine.dimensions import Combine, Dimension
from compute_optimizer.engine.statistics import BLOCK_ROWS, highest, tail_depth, upper_tail
from compute_optimizer.model.metrics import Matrix, MetricKey, ShardSamples, Statistic

MINIMUM_SAMPLES = 360
"""Five-minute samples in the window: 30 hours, not necessarily in a row (spec 2.1)."""


CPU_METRIC = "CPUUtilization"
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

    def parts(self, dimension: Dimension) -> list[Matrix]:
        """Return the series that tell the dimension's demand."""
        return [self.series[metric] for metric in dimension.metrics if metric in self.series]


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


def choose_series(samples: ShardSamples, metrics: Sequence[str]) -> Chosen:
    """Return the series to analyze; averages stand in only where maxima are missing."""
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
    for start in range(0, chosen.rows, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        parts = [chosen.series[metric][rows] for metric in known]
        tail[rows], counts[rows] = upper_tail(combine(parts, dimension.combine), depth)
        for metric, part in zip(known, parts, strict=True):
            peaks[metric][rows] = tail[rows, 0] if len(known) == 1 else highest(part)
    for metric in known:
        peaks[metric][np.isneginf(peaks[metric])] = np.nan
    return DimensionUsage(tail, counts)


def combine(parts: Sequence[Matrix], how: Combine) -> Matrix:
    """Return one series from the parts; missing only where every part is missing."""
    if len(parts) == 1:
        return parts[0]
    first, second = parts
    larger: Matrix = np.fmax(first, second)
    if how is Combine.SUM:
        np.fmax(first + second, larger, out=larger)
    return larger


def dimension_rows(chosen: Chosen, dimension: Dimension, rows: Integers) -> Matrix:
    """Return the dimension's whole series of some rows; the dimension has a metric."""
    return combine([part[rows] for part in chosen.parts(dimension)], dimension.combine)


def mean_use(chosen: Chosen, rows: Integers) -> Matrix:
    """Return the CPU series of some rows that tells best what they use up.

    Averages, because credits pay for mean use; where there are too few, the series analyzed.
    """
    fallback = chosen.series[CPU_METRIC][rows]
    if chosen.average_cpu is None:
        return fallback
    averages = chosen.average_cpu[rows]
    sparse = count_samples(averages) < MINIMUM_SAMPLES
    return np.where(sparse[:, None], fallback, averages) if sparse.any() else averages
