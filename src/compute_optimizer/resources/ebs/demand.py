"""From the samples of a shard of volumes to what each asks for."""

from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.demand import OTHER_PERCENTILE
from compute_optimizer.engine.dimensions import Combine, Dimension, combine
from compute_optimizer.engine.savings import SLOTS_PER_MONTH
from compute_optimizer.engine.statistics import BLOCK_ROWS, percentile
from compute_optimizer.engine.usage import MINIMUM_SAMPLES, Chosen, Usage, choose_series, measure
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
)
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.units import BYTES_PER_MIB

CHECKS = {"iops": "VolumeIOPSExceededCheck", "throughput": "VolumeThroughputExceededCheck"}
"""Metrics that say 1 where a volume was asked for more than it can do (spec 2.4)."""

WIRE_NAMES = {
    "VolumeReadOps": "VolumeReadOpsPerSecond",
    "VolumeWriteOps": "VolumeWriteOpsPerSecond",
    "VolumeReadBytes": "VolumeReadBytesPerSecond",
    "VolumeWriteBytes": "VolumeWriteBytesPerSecond",
    CHECKS["iops"]: "VolumeIOPSExceeded",
    CHECKS["throughput"]: "VolumeThroughputExceeded",
}
"""The metrics by their name in enum EBSMetricName, in its order."""

METRICS = tuple(
    MetricKey(metric, Statistic.MAXIMUM if metric in CHECKS.values() else Statistic.SUM)
    for metric in WIRE_NAMES
)
"""Every series that the analysis wants from the tiles."""


def _by_configuration(types: InstanceTypes) -> Floats:
    # What a volume can do follows from its configuration, not from a type alone.
    return np.full(len(types.names), np.nan)


DIMENSIONS = (
    Dimension(
        "IOPS", "operations/s", ("VolumeReadOps", "VolumeWriteOps"), _by_configuration, Combine.SUM
    ),
    Dimension(
        "Throughput",
        "MiB/s",
        ("VolumeReadBytes", "VolumeWriteBytes"),
        _by_configuration,
        Combine.SUM,
    ),
)
"""Reads and writes share one limit."""

SCALES = np.array([1 / SLOT_SECONDS, 1 / SLOT_SECONDS / BYTES_PER_MIB])
"""(dimensions,): a dimension's unit per unit of a sample."""


@dataclass(frozen=True, slots=True, eq=False)
class VolumeDemand:
    """What volumes ask for; arrays are (volumes,) or (volumes, dimensions)."""

    chosen: Chosen
    usage: Usage
    used: Floats
    """(volumes, dimensions) at the percentile; NaN where no metric tells."""
    required: Floats
    """(volumes, dimensions): with the headroom; NaN as `used`."""
    exceeded: Booleans
    """(volumes, dimensions): the checks say so more often than the percentile forgives."""
    monthly_operations: Floats
    """(volumes,): at the mean of the window; 0 without samples."""
    mean_operation_bytes: Floats
    """(volumes,): size of a read or write; NaN where there were none."""
    longest_run: Floats
    """(volumes,): most slots in a row with a sample of operations."""
    quiet: Booleans
    """(volumes,): every UTC day has less than one operation."""


def demand_of(samples: ShardSamples, preferences: Preferences) -> VolumeDemand:
    """Return the demand of the volumes of a shard, at the threshold and headroom of all others."""
    chosen = choose_series(samples, tuple(WIRE_NAMES))
    usage = measure(chosen, DIMENSIONS, [OTHER_PERCENTILE] * len(DIMENSIONS))
    tails = [percentile(used.tail, used.counts, OTHER_PERCENTILE) for used in usage.dimensions]
    used = np.stack(tails, axis=1) * SCALES
    counts = usage.dimensions[0].counts
    activity = _activity(chosen)
    total, moved = activity.operations, activity.transferred
    return VolumeDemand(
        chosen=chosen,
        usage=usage,
        used=used,
        required=used / (1 - preferences.other_headroom),
        exceeded=np.stack([_exceeded(chosen, metric) for metric in CHECKS.values()], axis=1),
        monthly_operations=total / np.maximum(counts, 1) * SLOTS_PER_MONTH,
        mean_operation_bytes=np.divide(
            moved, total, out=np.full(chosen.rows, np.nan), where=(total > 0) & (moved > 0)
        ),
        longest_run=activity.longest_run,
        quiet=activity.quiet & (counts >= MINIMUM_SAMPLES),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Activity:
    """What the whole series say, (volumes,) each."""

    operations: Floats
    """In the window."""
    transferred: Floats
    """Bytes in the window."""
    longest_run: Floats
    quiet: Booleans


def _activity(chosen: Chosen) -> _Activity:
    """Return the activity, a block of volumes at a time: it stays in a core's cache."""
    rows = chosen.rows
    found = _Activity(np.zeros(rows), np.zeros(rows), np.zeros(rows), np.zeros(rows, np.bool_))
    for start in range(0, rows, BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        operations, transferred = (_series(chosen, one, block) for one in DIMENSIONS)
        if operations is not None:
            found.operations[block] = np.nansum(operations, axis=1, dtype=np.float64)
            found.longest_run[block] = _longest_run(operations)
            found.quiet[block] = (_daily_sums(operations) < 1).all(axis=1)
        if transferred is not None:
            found.transferred[block] = np.nansum(transferred, axis=1, dtype=np.float64)
    return found


def _series(chosen: Chosen, dimension: Dimension, block: slice) -> Matrix | None:
    """Return the dimension's series of some volumes; None where nobody sent one."""
    parts = [part[block] for part in chosen.parts(dimension)]
    return combine(parts, dimension.combine) if parts else None


def _exceeded(chosen: Chosen, metric: str) -> Booleans:
    found = chosen.series.get(metric)
    if found is None:
        return np.zeros(chosen.rows, dtype=np.bool_)
    counts = np.count_nonzero(np.isfinite(found), axis=1)
    exceeded: Booleans = np.count_nonzero(found > 0, axis=1) > counts * (1 - OTHER_PERCENTILE / 100)
    return exceeded


def _longest_run(series: Matrix) -> Floats:
    """Return the most samples in a row, (volumes,)."""
    slots = np.arange(series.shape[1], dtype=np.int32)
    last_gap = np.maximum.accumulate(np.where(np.isfinite(series), np.int32(-1), slots), axis=1)
    longest: Floats = (slots - last_gap).max(axis=1, initial=0).astype(np.float64)
    return longest


def _daily_sums(series: Matrix) -> Floats:
    days = series.reshape(len(series), -1, SLOTS_PER_DAY)
    sums: Floats = np.nansum(days, axis=2, dtype=np.float64)
    return sums
