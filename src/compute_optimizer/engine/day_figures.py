"""The figures of one day (engine/digests), made of its samples block by block.

Of a block only the rows that sent a series are looked at: many a machine sends no memory and no
network. How many samples a row has is known beforehand, so that no sample is asked whether it is
there; only what is not finite, which no tile should hold, is looked for and counted again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.engine.arrays import Integers, Singles
from compute_optimizer.engine.digests import (
    ABSENT,
    DEPTH,
    DTYPES,
    Figure,
    KeptSeries,
    shape_of,
    totals_of_day,
)
from compute_optimizer.engine.dimensions import Combine, combine
from compute_optimizer.engine.statistics import largest, largest_of_alike
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, MetricKey

BLOCK_ROWS = 256
"""Rows at a time: 256 rows of a day are 0.3 MB, so that what is made of them stays in a core's
cache."""


@dataclass(frozen=True, slots=True, eq=False)
class SentRows:
    """Those rows of a block that sent a series."""

    rows: Integers
    """(rows,): their places in the block, ascending."""
    samples: Matrix
    """(rows, SLOTS_PER_DAY), not to be written on; -inf where there is none."""
    counts: Integers
    """(rows,): samples of each, at least one."""

    @property
    def without_gaps(self) -> bool:
        """Return whether each row has a sample in each slot."""
        return bool((self.counts == SLOTS_PER_DAY).all())


@dataclass(frozen=True, eq=False)
class _Formed:
    """The series of a part, and the one that they form."""

    some: Sequence[SentRows]
    """All with the same rows."""
    how: Combine

    @cached_property
    def together(self) -> SentRows:
        """The one series; of a sum that became infinite there may be no sample in a row."""
        return self.some[0] if len(self.some) == 1 else _combined(self.some, self.how)


def figures_of_day(
    rows: int,
    sent: Sequence[MetricKey],
    block_of: Callable[[int, int], Sequence[SentRows]],
    parts: Sequence[KeptSeries],
) -> dict[str, NDArray[Any]]:
    """Return the figures of one day by column, from the series that were sent.

    (rows,) each, tails (rows, DEPTH); a part without any series is left out. `block_of` a first
    row and a number of rows, at most BLOCK_ROWS, returns what they sent, in the order of `sent`.
    """
    # By place: the hash of a key is made anew each time.
    place_of = {key: place for place, key in enumerate(sent)}
    every = [(part, [place_of[key] for key in part.keys if key in place_of]) for part in parts]
    told = [(part.combine, _tail_last(part.columns), places) for part, places in every if places]
    found = {
        column: np.full(shape_of(figure, rows), ABSENT[figure], DTYPES[figure])
        for _, columns, _ in told
        for column, figure in columns
    }
    for start in range(0, rows, BLOCK_ROWS):
        block = [_finite(one) for one in block_of(start, min(BLOCK_ROWS, rows - start))]
        for how, columns, places in told:
            some = _alike([block[place] for place in places])
            if len(some[0].rows):
                formed, target = _Formed(some, how), _places_of(some[0].rows, start)
                for column, figure in columns:
                    found[column][target] = _MEASURED[figure](formed)
    return found


def _tail_last(columns: Mapping[str, Figure]) -> list[tuple[str, Figure]]:
    """Return the columns of a part with the tail at the end, which puts samples in order."""
    return sorted(columns.items(), key=lambda named: named[1] is Figure.TAIL)


def _places_of(rows: Integers, start: int) -> Integers | slice:
    """Return where rows of a block stand, at best as a slice, which is written sooner."""
    first, end = int(rows[0]), int(rows[-1]) + 1
    return slice(start + first, start + end) if end - first == len(rows) else start + rows


def counted(rows: Integers, samples: Matrix) -> SentRows:
    """Return those of some rows that have a finite sample; what is not finite becomes -inf."""
    present = np.isfinite(samples)
    counts: Integers = np.count_nonzero(present, axis=1)
    there = counts > 0
    blanked = np.where(present, samples, np.float32(-np.inf))
    return SentRows(rows[there], blanked[there], counts[there])


def _finite(one: SentRows) -> SentRows:
    """Return the same rows with finite samples only, as nearly all are."""
    samples = one.samples
    if not samples.size:
        return one
    if np.count_nonzero(np.isfinite(samples)) == one.counts.sum():
        return one
    return counted(one.rows, samples)


def _combined(some: Sequence[SentRows], how: Combine) -> SentRows:
    """Return the series that some with the same rows form."""
    together = combine([one.samples for one in some], how)
    counts = np.maximum.reduce([one.counts for one in some])
    # Sums may have become infinite.
    overflown = bool(together.size) and not together.max() < np.inf
    if overflown:
        together = np.where(np.isfinite(together), together, np.float32(-np.inf))
    open_rows = np.flatnonzero((counts < SLOTS_PER_DAY) | overflown)
    counts[open_rows] = np.count_nonzero(together[open_rows] > -np.inf, axis=1)
    return SentRows(some[0].rows, together, counts)


def _alike(some: Sequence[SentRows]) -> Sequence[SentRows]:
    """Return the series with the same rows: of what any has, -inf where another has none."""
    if all(np.array_equal(one.rows, some[0].rows) for one in some[1:]):
        return some
    rows = np.unique(np.concatenate([one.rows for one in some]))
    found = []
    for one in some:
        places = np.searchsorted(rows, one.rows)
        samples = np.full((len(rows), SLOTS_PER_DAY), -np.inf, np.float32)
        counts = np.zeros(len(rows), np.int64)
        samples[places], counts[places] = one.samples, one.counts
        found.append(SentRows(rows, samples, counts))
    return found


def _tail(formed: _Formed) -> Singles:
    samples = formed.together.samples
    if len(formed.some) == 1:
        return largest(samples.copy(), DEPTH)
    # Made for this part alone. Two counters show long stretches of the same, mostly nothing.
    return largest_of_alike(samples, DEPTH)


_MEASURED: Mapping[Figure, Callable[[_Formed], Any]] = {
    Figure.COUNT: lambda formed: formed.together.counts,
    Figure.HIGHEST: lambda formed: formed.together.samples.max(axis=1),
    Figure.TAIL: _tail,
    Figure.TOTAL: lambda formed: totals_of_day(
        [one.samples for one in formed.some], all(one.without_gaps for one in formed.some)
    ),
}
