"""The figures of one day, made block by block."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from compute_optimizer.engine.day_figures import BLOCK_ROWS, figures_of_day
from compute_optimizer.engine.digests import DEPTH, Figure, KeptSeries
from compute_optimizer.engine.dimensions import Combine
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, MetricKey, Statistic
from tests.in_short import block_of

READ, WRITTEN = (MetricKey(f"Volume{one}Bytes", Statistic.SUM) for one in ("Read", "Write"))
EVERY = (Figure.COUNT, Figure.HIGHEST, Figure.TAIL, Figure.TOTAL)


def day(rows: int) -> Matrix:
    """Return 0, 1, 2 ... 287 on each row."""
    return np.tile(np.arange(SLOTS_PER_DAY, dtype=np.float32), (rows, 1))


def figures(series: Mapping[MetricKey, Matrix], part: KeptSeries) -> dict[str, list[Any]]:
    """Return the figures of a part by their names."""
    rows = len(next(iter(series.values())))
    found = figures_of_day(rows, list(series), partial(block_of, series), [part])
    return {name.rpartition(".")[2]: figure.tolist() for name, figure in found.items()}


def test_rows_of_every_block_find_their_place() -> None:
    samples = day(BLOCK_ROWS + 2)
    samples[BLOCK_ROWS] = np.nan
    samples[BLOCK_ROWS + 1] += 1

    found = figures({READ: samples}, KeptSeries((READ,), EVERY))

    assert found["count"][BLOCK_ROWS - 1 :] == [288, 0, 288]
    assert found["tail"][BLOCK_ROWS - 1] == list(range(287, 287 - DEPTH, -1))
    assert found["tail"][BLOCK_ROWS] == [-np.inf] * DEPTH
    assert found["tail"][BLOCK_ROWS + 1] == list(range(288, 288 - DEPTH, -1))
    # 0 + 1 + ... + 287 is 41,328; a sample is one more each in the last row.
    assert found["total"][BLOCK_ROWS - 1 :] == [41_328.0, 0.0, 41_616.0]


def test_what_is_not_finite_counts_as_missing() -> None:
    samples = day(1)
    samples[0, -2:] = np.inf
    samples[0, 0] = np.nan

    found = figures({READ: samples}, KeptSeries((READ,), EVERY))

    # Samples 1 to 285 are left, which add up to 285 x 286 / 2.
    assert found["count"] == [285]
    assert found["highest"] == [285.0]
    assert found["tail"] == [list(range(285, 285 - DEPTH, -1))]
    assert found["total"] == [40_755.0]


def test_a_sum_that_becomes_infinite_counts_as_missing() -> None:
    read, written = day(1), day(1)
    # Twice this is more than a float32 holds.
    read[0, 287] = written[0, 287] = 3e38

    formed = KeptSeries((READ, WRITTEN), (Figure.COUNT, Figure.TAIL), Combine.SUM)
    with np.errstate(over="ignore"):
        found = figures({READ: read, WRITTEN: written}, formed)

    assert found["count"] == [287]
    assert found["tail"] == [list(range(2 * 286, 2 * (286 - DEPTH), -2))]


def test_series_of_different_rows_are_formed_into_one() -> None:
    read, written = day(3), day(3)
    read[1], written[0] = np.nan, np.nan
    read[2, :2] = written[2, :1] = np.nan

    formed = KeptSeries((READ, WRITTEN), (Figure.COUNT, Figure.TAIL, Figure.TOTAL), Combine.SUM)
    found = figures({READ: read, WRITTEN: written}, formed)

    # Row 0 has reads only, row 1 writes only; of row 2 both miss the first slot, reads the second.
    assert found["count"] == [288, 288, 287]
    assert [tail[0] for tail in found["tail"]] == [287.0, 287.0, 574.0]
    # 41,328 each; the reads that row 2 misses are 0 and 1, the write is 0.
    assert found["total"] == [41_328.0, 41_328.0, 2 * 41_328.0 - 1]
