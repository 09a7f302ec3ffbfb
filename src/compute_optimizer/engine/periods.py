"""Samples of five minutes as points of longer periods, for those who draw them."""

import numpy as np

from compute_optimizer.engine.arrays import Floats, Integers, Singles
from compute_optimizer.model.metrics import Statistic


def points_of(
    samples: Singles, seconds: Integers, period: int, statistic: Statistic
) -> tuple[Integers, Floats]:
    """Return the starts of the periods that have samples, ascending, and the value of each.

    `samples` (slots,) begin at `seconds` (slots,) since 1970, ascending; `period` is in seconds and
    periods begin at its multiples. A value is the highest sample of its period or, for averages,
    their mean.
    """
    known = np.isfinite(samples)
    starts, first = np.unique(seconds[known] // period * period, return_index=True)
    if not len(starts):
        return starts, np.empty(0)
    values = samples[known].astype(np.float64)
    if statistic is Statistic.MAXIMUM:
        return starts, np.maximum.reduceat(values, first)
    counts = np.diff(np.append(first, len(values)))
    return starts, np.add.reduceat(values, first) / counts
