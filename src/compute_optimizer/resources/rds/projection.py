"""What the CPU of DB instance classes would have shown, had each been used."""

from collections.abc import Sequence

import numpy as np

from compute_optimizer.catalog.database_classes import DatabaseClasses
from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.engine.dimensions import CPU_PLACE
from compute_optimizer.engine.periods import first_sent, points_of
from compute_optimizer.engine.usage import CPU_METRIC
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.resources.rds.dimensions import DIMENSIONS

SOURCES = {
    Statistic.MAXIMUM: (Statistic.MAXIMUM, Statistic.AVERAGE),
    Statistic.AVERAGE: (Statistic.AVERAGE,),
}
"""From which series the points of a statistic come, by preference: averages stand in for maxima
that nobody sent, as in the analysis, but not the other way round."""


def wanted_series(statistic: Statistic) -> tuple[MetricKey, ...]:
    """Return the series of which the first one that is there tells the points."""
    return tuple(MetricKey(CPU_METRIC, source) for source in SOURCES[statistic])


def cpu_points(
    samples: ShardSamples, seconds: Integers, statistic: Statistic, period: int
) -> tuple[Integers, Floats]:
    """Return where periods of so many seconds begin, and the percent of CPU in each.

    Of the one instance of the samples; `seconds` (slots,) says when each slot begins.
    """
    row = first_sent(samples, wanted_series(statistic), len(seconds))
    return points_of(row, seconds, period, statistic)


def cpu_ratios(current: str, options: Sequence[str], classes: DatabaseClasses) -> Floats:
    """Return by what the CPU use of a class becomes that of each option, (options,).

    NaN where the catalog does not have one of both: an earlier one may have advised it.
    """
    places, compute = classes.types.index, DIMENSIONS[CPU_PLACE].capacity(classes.types)
    known = [compute[places[name]] if name in places else np.nan for name in (current, *options)]
    ratios: Floats = known[0] / np.array(known[1:])
    return ratios
