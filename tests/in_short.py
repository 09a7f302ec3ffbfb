"""Samples cut into days and put together again in short, as the store does it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.engine.day_figures import SentRows, figures_of_day
from compute_optimizer.engine.digests import (
    ABSENT,
    DTYPES,
    DigestedSamples,
    KeptSeries,
    Wanted,
    Whole,
    WholeRows,
    shape_of,
)
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, MetricKey, ShardSamples


def digested(samples: ShardSamples, parts: Sequence[KeptSeries]) -> DigestedSamples:
    """Return the same in short, each day by itself; a series all of gaps on a day is not there."""
    shape = (len(samples.resource_arns), samples.window.days)
    figures: dict[str, NDArray[Any]] = {}
    for number in range(samples.window.days):
        slots = slice(number * SLOTS_PER_DAY, (number + 1) * SLOTS_PER_DAY)
        series = {key: matrix[:, slots].copy() for key, matrix in samples.series.items()}
        sent = {key: matrix for key, matrix in series.items() if np.isfinite(matrix).any()}
        of_day = figures_of_day(shape[0], list(sent), partial(block_of, sent), parts)
        for part in parts:
            for column, figure in part.columns.items():
                blank = np.full(shape_of(figure, *shape), ABSENT[figure], DTYPES[figure])
                target = figures.setdefault(column, blank)
                if column in of_day:
                    target[:, number] = of_day[column]
    return DigestedSamples(
        samples.resource_arns, samples.window, frozenset(samples.series), figures
    )


def block_of(series: Mapping[MetricKey, Matrix], first: int, rows: int) -> list[SentRows]:
    """Return what some rows sent of every series: a gap is NaN, all else a sample."""
    return [_sent(matrix[first : first + rows]) for matrix in series.values()]


def _sent(some: Matrix) -> SentRows:
    gaps = np.isnan(some)
    counts = np.count_nonzero(~gaps, axis=1)
    known = np.flatnonzero(counts)
    samples = np.where(gaps, np.float32(-np.inf), some)
    return SentRows(known, samples[known], counts[known])


class Reader:
    """Whole rows on demand, and what was asked for."""

    def __init__(self, samples: ShardSamples) -> None:
        self.samples = samples
        self.asked: list[Wanted] = []

    def __call__(self, wanted: Wanted) -> Whole:
        self.asked.append(wanted)
        return {
            key: WholeRows(rows, self.samples.series[key][rows]) for key, rows in wanted.items()
        }
