"""What services ask for, in CPU units and MiB of a task, and how many tasks of them run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import CPU, FIT_TOLERANCE, MEMORY, OTHER_PERCENTILE
from compute_optimizer.engine.dimensions import Dimension
from compute_optimizer.engine.risk import overall, scores
from compute_optimizer.engine.running_time import slots_seen
from compute_optimizer.engine.statistics import percentile
from compute_optimizer.engine.usage import (
    CPU_METRIC,
    MEMORY_METRIC,
    Chosen,
    Usage,
    choose_series,
    measure,
)
from compute_optimizer.model.ecs_service import EcsService
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.model.preferences import Preferences

MINIMUM_SAMPLES = 288
"""Five-minute samples: 24 hours in the look-back period (spec 2.1)."""

IDLE_PEAK = 1.0
"""Percent, of CPU and of memory: both peaks lie below (spec 5.1, published)."""

FULL = 100.0
"""Percent: the metrics show no more, so a sample of that much counts as a shortage (assumed)."""

TASKS = MetricKey("RunningTaskCount", Statistic.AVERAGE)

METRICS = (
    *(
        MetricKey(metric, statistic)
        for metric in (CPU_METRIC, MEMORY_METRIC)
        for statistic in (Statistic.MAXIMUM, Statistic.AVERAGE)
    ),
    TASKS,
)
"""Every series that the analysis wants from the tiles; the last one is of Container Insights."""


def _by_task(types: InstanceTypes) -> Floats:
    # What a task can do follows from its own size, not from a type.
    return np.full(len(types.names), np.nan)


DIMENSIONS = (
    Dimension(CPU, "CPU units", (CPU_METRIC,), _by_task, percentage=True),
    Dimension(MEMORY, "MiB", (MEMORY_METRIC,), _by_task, percentage=True),
)


@dataclass(frozen=True, slots=True, eq=False)
class ServiceDemand:
    """What services ask for; arrays are (services,) or (services, dimensions)."""

    peaks: Floats
    """(services, dimensions): percent of the task; NaN where nobody sent any."""
    required: Floats
    """(services, dimensions): CPU units and MiB with the headroom; NaN where unknown."""
    counts: Integers
    """(services, dimensions): samples."""
    usage: Usage
    chosen: Chosen
    risks: Floats
    """(services, dimensions): 0 to 4, as the tasks are; NaN where not judged."""
    risk: Floats
    """(services,): the highest of them."""
    running_share: Floats
    """(services,): of the slots that were looked at, 0 to 1."""
    tasks: Floats
    """(services,): mean number while running."""

    @property
    def idle(self) -> Booleans:
        """Return which services hardly do anything, (services,)."""
        quiet = (self.counts >= MINIMUM_SAMPLES) & (self.peaks < IDLE_PEAK)
        return np.asarray(quiet.all(axis=1))


def demand_of(
    services: Sequence[EcsService],
    samples: ShardSamples,
    as_of: datetime,
    preferences: Preferences,
) -> ServiceDemand:
    """Return the demand of the services of a shard, at the threshold and headroom of all others."""
    chosen = choose_series(samples, (CPU_METRIC, MEMORY_METRIC))
    usage = measure(chosen, DIMENSIONS, [OTHER_PERCENTILE] * len(DIMENSIONS))
    tails = [percentile(used.tail, used.counts, OTHER_PERCENTILE) for used in usage.dimensions]
    counts = np.stack([used.counts for used in usage.dimensions], axis=1)
    used = np.where(counts >= MINIMUM_SAMPLES, np.stack(tails, axis=1), np.nan)
    size = np.array([(one.cpu_units, one.task_memory) for one in services], np.float64)
    headroom = preferences.other_headroom
    risks = _risks(chosen, counts, headroom)
    return ServiceDemand(
        peaks=_peaks(usage, chosen.rows),
        required=used / 100 * size / (1 - headroom),
        counts=counts,
        usage=usage,
        chosen=chosen,
        risks=risks,
        risk=overall(risks),
        running_share=counts[:, 0] / slots_seen(samples.window, as_of),
        tasks=_tasks(services, samples, chosen),
    )


def _peaks(usage: Usage, rows: int) -> Floats:
    unknown = np.full(rows, np.nan, np.float32)
    found = [usage.peaks.get(metric, unknown) for metric in (CPU_METRIC, MEMORY_METRIC)]
    return np.stack(found, axis=1).astype(np.float64)


def _risks(chosen: Chosen, counts: Integers, headroom: float) -> Floats:
    """Return the risk of the tasks as they are, (services, dimensions)."""
    found = []
    spare = np.float32(FULL * (1 - headroom) * (1 + FIT_TOLERANCE))
    for place, dimension in enumerate(DIMENSIONS):
        shortage = tight = np.zeros(chosen.rows, np.int64)
        for series in chosen.parts(dimension):
            shortage = np.count_nonzero(series >= FULL, axis=1)
            tight = np.count_nonzero(series > spare, axis=1)
        found.append(scores(shortage, tight, counts[:, place], OTHER_PERCENTILE))
    return np.stack(found, axis=1)


def _tasks(services: Sequence[EcsService], samples: ShardSamples, chosen: Chosen) -> Floats:
    """Return how many tasks run while any does: as measured, else as desired."""
    desired = np.array([float(one.desired_count) for one in services])
    counted, cpu = samples.series.get(TASKS), chosen.series.get(CPU_METRIC)
    if counted is None or cpu is None:
        return desired
    both = np.isfinite(counted) & np.isfinite(cpu)
    slots = np.count_nonzero(both, axis=1)
    total = np.where(both, counted, 0).sum(axis=1, dtype=np.float64)
    return np.where(slots > 0, total / np.maximum(slots, 1), desired)
