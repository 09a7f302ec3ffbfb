"""What the CPU of DB instance classes would have shown, had each been used."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog.database_classes import DatabaseClasses
from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.engine.dimensions import CPU_PLACE
from compute_optimizer.engine.usage import CPU_METRIC
from compute_optimizer.model.metrics import Matrix, MetricKey, ShardSamples, Statistic
from compute_optimizer.resources.rds.dimensions import DIMENSIONS

SOURCES = {
    Statistic.MAXIMUM: (Statistic.MAXIMUM, Statistic.AVERAGE),
    Statistic.AVERAGE: (Statistic.AVERAGE,),
}
"""From which series the points of a statistic come, by preference: averages stand in for maxima
that nobody sent, as in the analysis, but not the other way round."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A series in periods; periods without a sample are left out."""

    starts: Integers
    """(points,): where each period begins, in seconds since 1970."""
    values: Floats
    """(points,): percent of the CPU of the current class."""


def wanted_series(statistic: Statistic) -> tuple[MetricKey, ...]:
    """Return the series of which the first one that is there tells the points."""
    return tuple(MetricKey(CPU_METRIC, source) for source in SOURCES[statistic])


def cpu_points(
    samples: ShardSamples, seconds: Integers, statistic: Statistic, period: int
) -> Points:
    """Return the CPU of the one instance of the samples, by periods of so many seconds.

    `seconds` (slots,) says when each slot begins; its samples belong to the period in which it
    lies. A period's point is the highest of its samples, or the mean of averages.
    """
    found = [samples.series[key] for key in wanted_series(statistic) if key in samples.series]
    row: Matrix = found[0][0] if found else np.full(len(seconds), np.nan, np.float32)
    known = np.isfinite(row)
    starts, places = np.unique(seconds[known] // period * period, return_inverse=True)
    values = row[known].astype(np.float64)
    points = np.full(len(starts), -np.inf)
    if statistic is Statistic.MAXIMUM:
        np.maximum.at(points, places, values)
        return Points(starts, points)
    total, count = (np.bincount(places, one, len(starts)) for one in (values, None))
    return Points(starts, total / count)


def cpu_ratios(current: str, options: Sequence[str], classes: DatabaseClasses) -> Floats:
    """Return by what the CPU use of a class becomes that of each option, (options,)."""
    compute = DIMENSIONS[CPU_PLACE].capacity(classes.types)
    places = [classes.types.index[name] for name in options]
    ratios: Floats = compute[classes.types.index[current]] / compute[places]
    return ratios
