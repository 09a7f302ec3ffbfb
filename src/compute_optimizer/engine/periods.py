"""Samples of five minutes as points of longer periods, for those who draw them."""

from collections.abc import Iterable

import numpy as np

from compute_optimizer.engine.arrays import Floats, Integers, Singles
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic


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


def first_sent(samples: ShardSamples, keys: Iterable[MetricKey], slots: int) -> Singles:
    """Return the series of a batch of one that has a sample, (slots,): the first of some.

    All NaN where none has; a series may be there because others of the shard sent it.
    """
    rows = (samples.series[key][0] for key in keys if key in samples.series)
    nothing: Singles = np.full(slots, np.nan, np.float32)
    return next((row for row in rows if np.isfinite(row).any()), nothing)
