"""What an option would have shown at every moment, had the tasks had its size."""

from dataclasses import dataclass

from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.engine.periods import first_sent, points_of
from compute_optimizer.engine.usage import CPU_METRIC, MEMORY_METRIC
from compute_optimizer.model.ecs_service import EcsServiceRecommendation, TaskSizeOption
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic

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
        row = first_sent(samples, _sources(metric, statistic), len(seconds))
        starts, values = points_of(row, seconds, period, statistic)
        used = values * factor
        found.append(ProjectedSeries(name, starts, used * LOWER, used * UPPER))
    return found


def _sources(metric: str, statistic: Statistic) -> tuple[MetricKey, ...]:
    """Return the series that tell the points of a metric, the preferred one first.

    Where nobody sent maxima the recommendation was made from averages, and so are its points.
    """
    return MetricKey(metric, statistic), MetricKey(metric, Statistic.AVERAGE)
