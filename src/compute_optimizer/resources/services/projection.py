"""What an option would have shown at every moment, had the tasks had its size."""

from dataclasses import dataclass

import numpy as np

from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.model.ecs_service import EcsServiceRecommendation, TaskSizeOption
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.resources.services.demand import CPU_METRIC, MEMORY_METRIC

LOWER, UPPER = 0.9, 1.1
"""Bounds of projected use, for Fargate's hardware varies (spec 15, question 40; a proposal)."""


@dataclass(frozen=True, slots=True, eq=False)
class ProjectedSeries:
    """The points of one metric; arrays are (points,)."""

    name: str
    """Cpu or Memory."""
    starts: Integers
    """Seconds since 1970, ascending: where the periods begin that have a sample."""
    lower: Floats
    """Percent of the option; over 100 it does not fit."""
    upper: Floats


def projected_series(
    one: EcsServiceRecommendation,
    option: TaskSizeOption,
    samples: ShardSamples,
    seconds: Integers,
    *,
    period: int,
    statistic: Statistic,
) -> list[ProjectedSeries]:
    """Return the points of CPU and memory for the one service that `samples` hold.

    `seconds` (slots,) says where the slots begin, since 1970; `period` is in seconds. Maximum is
    the highest sample of a period, Average the mean of its averages.
    """
    told = (
        ("Cpu", CPU_METRIC, one.cpu_units / option.cpu_units),
        ("Memory", MEMORY_METRIC, one.memory / option.memory),
    )
    found = []
    for name, metric, factor in told:
        starts, values = _points(_row(samples, metric, statistic), seconds, period, statistic)
        used = values * factor
        found.append(ProjectedSeries(name, starts, used * LOWER, used * UPPER))
    return found


def _row(samples: ShardSamples, metric: str, statistic: Statistic) -> Floats:
    """Return the samples of the service, NaN where there is none.

    Where nobody sent maxima the recommendation was made from averages, and so are its points.
    """
    rows = [
        samples.series[key][0]
        for key in (MetricKey(metric, statistic), MetricKey(metric, Statistic.AVERAGE))
        if key in samples.series
    ]
    known = next((row for row in rows if np.isfinite(row).any()), np.zeros(0, np.float32))
    return known.astype(np.float64)


def _points(
    row: Floats, seconds: Integers, period: int, statistic: Statistic
) -> tuple[Integers, Floats]:
    """Return where the periods with samples begin, and their values."""
    known = np.flatnonzero(np.isfinite(row))
    starts, first, counts = np.unique(
        seconds[known] // period * period, return_index=True, return_counts=True
    )
    if not len(known):
        return starts, np.zeros(0)
    if statistic is Statistic.AVERAGE:
        return starts, np.add.reduceat(row[known], first) / counts
    return starts, np.maximum.reduceat(row[known], first)
