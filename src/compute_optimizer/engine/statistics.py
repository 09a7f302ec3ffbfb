"""Upper tails of samples, and the percentiles and counts that can be read from them.

A percentile near the top needs only the largest few samples. So each row is partitioned once,
its largest `depth` samples are kept in order, and all further questions go to that tail.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.engine.arrays import Floats, Integers, Singles

NORMAL_95 = 1.959963984540054
"""Standard deviations: the two-sided 95 % quantile of the normal distribution."""

ABSENT_AS_INTEGER = np.float32(-np.inf).view(np.int32)
"""The bits of -inf: as integers, those of -0.0 and of all finite numbers below it are less."""

BLOCK_ROWS = 64
"""Rows at a time: 64 rows of 4,032 float32 samples are 1 MB and stay in a core's cache."""


def tail_depth(slots: int, percent: float) -> int:
    """Return how many of the largest samples tell a percentile of up to `slots` samples."""
    return max(1, min(slots, int((1 - percent / 100) * max(slots - 1, 0)) + 2))


def upper_tail(block: Singles, depth: int) -> tuple[Singles, Integers]:
    """Return the largest samples of each row, descending, and how many samples each row has.

    Samples that are not finite count as missing; the tail is filled up with -inf.
    """
    rows, slots = block.shape
    counts = np.full(rows, slots, dtype=np.int64)
    ordered = block.copy()
    present = np.isfinite(block)
    if not present.all():
        counts = np.count_nonzero(present, axis=1)
        np.copyto(ordered, -np.inf, where=~present)
    return largest(ordered, depth), counts


def largest(block: Singles, depth: int) -> Singles:
    """Return the largest of each row, descending; in place: rows lose their order."""
    first = block.shape[1] - depth
    _comparable(block).partition(first, axis=1)
    return np.sort(block[:, first:], axis=1)[:, ::-1]


def largest_of_alike(block: Singles, depth: int) -> Singles:
    """Return the same, sooner where rows are short and many of their samples are the same."""
    _comparable(block).sort(axis=1)
    return block[:, block.shape[1] - depth :][:, ::-1]


def _comparable(block: Singles) -> NDArray[Any]:
    """Return the same memory as integers in the same order, which are compared sooner.

    That is the order of floats unless one is below zero and finite.
    """
    numbers = block.view(np.int32)
    return numbers if block.size and numbers.min() >= ABSENT_AS_INTEGER else block


def percentile(tail: Singles, counts: Integers, percent: float) -> Floats:
    """Return a percentile per row by linear interpolation; NaN for a row without samples.

    The definition of numpy.quantile and of SQL's percentile_cont: the rank is percent/100 x
    (count - 1) from the lowest sample, and fractions lie on the line between two samples.
    """
    known = counts > 0
    rank = (1 - percent / 100) * np.maximum(counts - 1, 0)
    upper = np.floor(rank).astype(np.int64)
    lower = np.minimum(upper + 1, np.maximum(counts - 1, 0))
    places = np.stack([upper, lower], axis=1)
    pairs = np.take_along_axis(tail, places, axis=1).astype(np.float64)
    high, low = np.where(known[:, None], pairs, np.nan).T
    found: Floats = high + (low - high) * (rank - upper)
    return found


def count_above(tail: Singles, thresholds: Floats) -> Integers:
    """Return how many samples of the tail exceed each threshold, shape of `thresholds`.

    `thresholds` is (rows, choices); NaN thresholds are exceeded by nothing.
    """
    # Rank by rank, each a contiguous array: adding up short rows takes three times as long.
    ranks, limits = np.ascontiguousarray(tail.T), np.ascontiguousarray(thresholds.T, np.float32)
    counts = np.empty(limits.shape, dtype=np.int64)
    narrow = np.min_scalar_type(len(ranks))
    # Choice by choice: all at once would take (rows, choices, depth) at a time.
    for limit, count in zip(limits, counts, strict=True):
        count[:] = np.add.reduce((ranks > limit).view(np.uint8), axis=0, dtype=narrow)
    return counts.T


def highest(block: Singles) -> Singles:
    """Return the highest sample of each row, NaN where there is none."""
    peaks: Singles = np.fmax.reduce(block, axis=1)
    if np.isinf(peaks).any():
        peaks = np.fmax.reduce(np.where(np.isfinite(block), block, np.nan), axis=1)
    return peaks
