"""What CPU credits are spent on: the mean use of the CPU, as far as it is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.engine.arrays import Booleans, Floats, Integers, Singles
from compute_optimizer.engine.digests import (
    Figure,
    Wanted,
    daily_totals,
    merged_tail,
    tells_all,
    together,
)
from compute_optimizer.engine.statistics import tail_depth, upper_tail
from compute_optimizer.engine.usage import (
    AVERAGE_CPU,
    CPU_METRIC,
    MINIMUM_SAMPLES,
    Chosen,
    count_samples,
    kept_of,
    rows_of_metric,
    whole_of_metric,
    window_counts,
)
from compute_optimizer.model.metrics import Matrix


def mean_use(chosen: Chosen, rows: Integers) -> Matrix:
    """Return the CPU series of some rows, ascending, that tells best what they use up.

    Averages, because credits pay for mean use; where there are too few, the series analyzed.
    """
    if chosen.digest is not None:
        return _mean_use_digested(chosen, rows)
    fallback = chosen.series[CPU_METRIC][rows]
    if chosen.average_cpu is None:
        return fallback
    averages = chosen.average_cpu[rows]
    sparse = count_samples(averages) < MINIMUM_SAMPLES
    return np.where(sparse[:, None], fallback, averages) if sparse.any() else averages


def _mean_use_digested(chosen: Chosen, rows: Integers) -> Matrix:
    assert chosen.digest is not None
    sparse = _sparse_averages(chosen, rows)
    if sparse.all():
        return whole_of_metric(chosen, CPU_METRIC, rows)
    found = np.empty((len(rows), chosen.slots), np.float32)
    found[sparse] = whole_of_metric(chosen, CPU_METRIC, rows[sparse])
    found[~sparse] = chosen.digest.whole[AVERAGE_CPU].take(rows[~sparse])
    return found


def _sparse_averages(chosen: Chosen, rows: Integers) -> Booleans:
    """Return which rows have too few averages of the CPU."""
    assert chosen.digest is not None
    if AVERAGE_CPU not in chosen.digest.present:
        return np.ones(len(rows), np.bool_)
    sparse: Booleans = window_counts(chosen.digest, AVERAGE_CPU.column)[rows] < MINIMUM_SAMPLES
    return sparse


def mean_use_wanted(chosen: Chosen, rows: Integers) -> Wanted:
    """Return the series that `mean_use` reads for some rows."""
    if chosen.digest is None:
        return {}
    sparse = _sparse_averages(chosen, rows)
    fallback = rows_of_metric(chosen, CPU_METRIC, rows[sparse])
    return together([fallback, {AVERAGE_CPU: rows[~sparse]}])


@dataclass(frozen=True, slots=True, eq=False)
class MeanUse:
    """What the series of `mean_use` says as a whole."""

    tail: Singles
    """(rows, depth): as in DimensionUsage."""
    counts: Integers
    """(rows,): samples present."""
    spent: Floats
    """(rows,): the sum of all samples."""
    told: Booleans
    """(rows,): False where only whole rows would tell."""


def mean_use_of(series: Matrix, percent: float) -> MeanUse:
    """Return what whole series say, deep enough for a percentile."""
    tail, counts = upper_tail(series, tail_depth(series.shape[1], percent))
    return MeanUse(tail, counts, daily_totals([series]).sum(axis=1), np.ones(len(tail), np.bool_))


def measured_mean_use(chosen: Chosen, rows: Integers, percent: float) -> MeanUse:
    """Return what the series of `mean_use` of some rows say, as far as it can be told."""
    if chosen.digest is None:
        return mean_use_of(mean_use(chosen, rows), percent)
    days, counts, totals = (
        _mean_figure(chosen, figure, rows) for figure in (Figure.TAIL, Figure.COUNT, Figure.TOTAL)
    )
    tail = merged_tail(days, tail_depth(chosen.slots, percent))
    told = tells_all(days, counts, tail)
    return MeanUse(tail, counts.sum(axis=1, dtype=np.int64), totals.sum(axis=1), told)


def _mean_figure(chosen: Chosen, figure: Figure, rows: Integers) -> NDArray[Any]:
    assert chosen.digest is not None
    fallback = kept_of(chosen, CPU_METRIC, figure)[rows]
    sparse = _sparse_averages(chosen, rows)
    if sparse.all():
        return fallback
    averages = chosen.digest.figure(AVERAGE_CPU.column, figure)[rows]
    return np.where(sparse.reshape(-1, *(1,) * (fallback.ndim - 1)), fallback, averages)
