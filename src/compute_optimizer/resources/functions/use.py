"""What functions did in the look-back period: how often, how long and with how much memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Singles
from compute_optimizer.engine.statistics import BLOCK_ROWS, highest
from compute_optimizer.model.metrics import Matrix, MetricKey, ShardSamples, Statistic

INVOCATIONS = MetricKey("Invocations", Statistic.SUM)
MEAN_DURATION = MetricKey("Duration", Statistic.AVERAGE)
HIGHEST_DURATION = MetricKey("Duration", Statistic.MAXIMUM)
BILLED_DURATION = MetricKey("billed_duration", Statistic.SUM)
MEAN_MEMORY = MetricKey("used_memory_max", Statistic.AVERAGE)
HIGHEST_MEMORY = MetricKey("used_memory_max", Statistic.MAXIMUM)

METRICS = (
    INVOCATIONS,
    MEAN_DURATION,
    HIGHEST_DURATION,
    BILLED_DURATION,
    MEAN_MEMORY,
    HIGHEST_MEMORY,
)
"""Every series that the analysis wants from the tiles: of CloudWatch the first three, of Lambda
Insights the others. Durations are in milliseconds, memory is in MB."""


@dataclass(frozen=True, slots=True, eq=False)
class FunctionUse:
    """What the samples of functions say; every array is (functions,)."""

    invocations: Floats
    mean_ms: Floats
    """Over all invocations; NaN where unknown."""
    highest_ms: Floats
    """The mean where nobody sent maxima; NaN where unknown."""
    billed_ms: Floats
    """Of all invocations together; NaN where the durations are unknown."""
    mean_mb: Floats
    """NaN where nobody sent it."""
    highest_mb: Floats
    """NaN where unknown."""
    memory_share: Floats
    """Share of the slots with invocations that have a maximum of memory, 0 to 1."""


def use_of(samples: ShardSamples) -> FunctionUse:
    """Return what the samples say, a block of functions at a time: it stays in a core's cache."""
    rows = len(samples.resource_arns)
    found = np.full((7, rows), np.nan)
    for start in range(0, rows, BLOCK_ROWS):
        block = slice(start, min(start + BLOCK_ROWS, rows))
        found[:, block] = _figures(_Block(samples, block))
    return FunctionUse(*found)


class _Block:
    """The series of some functions; what nobody sent is None."""

    def __init__(self, samples: ShardSamples, rows: slice) -> None:
        self.rows = rows.stop - rows.start
        self._series = {key: matrix[rows] for key, matrix in samples.series.items()}

    def get(self, key: MetricKey) -> Matrix | None:
        return self._series.get(key)

    def highest(self, key: MetricKey) -> Floats:
        """Return the highest sample, NaN where there is none."""
        series = self.get(key)
        return self.unknown() if series is None else highest(series).astype(np.float64)

    def total(self, key: MetricKey) -> Floats:
        """Return the sum of all samples, 0 where there is none."""
        series = self.get(key)
        return np.zeros(self.rows) if series is None else _sum(series)

    def unknown(self) -> Floats:
        return np.full(self.rows, np.nan)


def _figures(block: _Block) -> Floats:
    """Return the figures in the order of FunctionUse, (figures, functions)."""
    invocations = block.total(INVOCATIONS)
    mean = _weighted(block, MEAN_DURATION)
    longest = block.highest(HIGHEST_DURATION)
    billed = block.total(BILLED_DURATION)
    # Lambda bills whole milliseconds: what was billed is not below the mean rounded up.
    told = np.where(billed > 0, billed, np.ceil(mean) * invocations)
    return np.stack(
        [
            invocations,
            mean,
            np.fmax(longest, mean),
            np.where(np.isnan(mean), np.nan, told),
            _weighted(block, MEAN_MEMORY),
            block.highest(HIGHEST_MEMORY),
            _known_share(block),
        ]
    )


def _weighted(block: _Block, key: MetricKey) -> Floats:
    """Return the mean over invocations of a series of means per slot; NaN without any."""
    means, counts = block.get(key), block.get(INVOCATIONS)
    if means is None or counts is None:
        return block.unknown()
    both = np.isfinite(means) & (counts > 0)
    weights = np.where(both, counts, 0).astype(np.float64)
    weight = weights.sum(axis=1)
    summed = (np.where(both, means, 0) * weights).sum(axis=1)
    mean: Floats = np.divide(summed, weight, out=block.unknown(), where=weight > 0)
    return mean


def _known_share(block: _Block) -> Floats:
    counts, memory = block.get(INVOCATIONS), block.get(HIGHEST_MEMORY)
    if counts is None or memory is None:
        return np.zeros(block.rows)
    ran: Booleans = counts > 0
    known = np.count_nonzero(ran & np.isfinite(memory), axis=1)
    share: Floats = known / np.maximum(np.count_nonzero(ran, axis=1), 1)
    return share


def _sum(series: Singles) -> Floats:
    total: Any = np.nansum(series, axis=1, dtype=np.float64)
    return np.asarray(total, np.float64)
