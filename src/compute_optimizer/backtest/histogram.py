"""Exponential histograms whose samples lose weight with age, as the Kubernetes VPA keeps them."""

from dataclasses import dataclass

import numpy as np

from compute_optimizer.engine.arrays import Floats
from compute_optimizer.model.metrics import Matrix

GROWTH = 1.05
"""Each bucket is so much wider than the one before (VPA recommender, aggregations config)."""

BUCKETS = 176
"""Their number, for CPU and memory alike (same source)."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """A histogram's buckets: the width of the first one decides them all."""

    first: float

    def starts(self) -> Floats:
        """Return where each bucket begins, and where the last one ends."""
        powers: Floats = np.power(GROWTH, np.arange(BUCKETS + 1, dtype=np.float64))
        return self.first * (powers - 1) / (GROWTH - 1)


def decayed_percentile(
    series: Matrix, half_life: float, percent: float, buckets: Buckets
) -> Floats:
    """Return for each row the end of the bucket that holds the percentile, NaN without samples.

    `half_life` is in columns of the series, counted back from the last one.
    """
    edges = buckets.starts()
    rows, columns = series.shape
    known = np.isfinite(series)
    places = np.clip(
        np.searchsorted(edges, np.where(known, series, 0), "right") - 1, 0, BUCKETS - 1
    )
    ages = columns - 1 - np.arange(columns)
    weights = np.where(known, 0.5 ** (ages / half_life), 0.0)
    cells = places + np.arange(rows)[:, None] * BUCKETS
    held = np.bincount(cells.ravel(), weights.ravel(), minlength=rows * BUCKETS)
    cumulative = np.cumsum(held.reshape(rows, BUCKETS), axis=1)
    reached = cumulative >= percent / 100 * cumulative[:, -1:]
    ends = edges[1:][reached.argmax(axis=1)]
    return np.where(known.any(axis=1), ends, np.nan)
