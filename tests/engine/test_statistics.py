from collections.abc import Callable

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute_optimizer.engine.arrays import Singles
from compute_optimizer.engine.statistics import (
    count_above,
    highest,
    largest,
    largest_of_alike,
    percentile,
    tail_depth,
    upper_tail,
)

PERCENTS = (90.0, 95.0, 99.5)

figures = st.floats(0, 1e6, width=32) | st.sampled_from([float("nan"), float("inf")])
rows_of_samples = st.integers(1, 400).flatmap(
    lambda slots: st.lists(
        st.lists(figures, min_size=slots, max_size=slots), min_size=1, max_size=2
    )
)


def tail_percentile(samples: Singles, percent: float) -> list[float]:
    depth = tail_depth(samples.shape[1], percent)
    found: list[float] = percentile(*upper_tail(samples, depth), percent).tolist()
    return found


@given(rows_of_samples, st.sampled_from(PERCENTS))
def test_percentile_is_numpys_over_the_finite_samples(
    rows: list[list[float]], percent: float
) -> None:
    samples = np.array(rows, np.float32)

    for row, found in zip(samples, tail_percentile(samples, percent), strict=True):
        finite = row[np.isfinite(row)].astype(np.float64)
        if len(finite):
            assert found == pytest.approx(np.quantile(finite, percent / 100), rel=1e-9)
        else:
            assert np.isnan(found)


def test_percentile_is_duckdbs_quantile_cont() -> None:
    samples = np.random.default_rng(7).gamma(1.5, 10, (1, 4032)).astype(np.float32)
    column = samples[0].tolist()
    with duckdb.connect() as connection:
        asked = connection.execute(
            "SELECT quantile_cont(value::DOUBLE, 0.995) FROM (SELECT unnest(?) AS value)", [column]
        ).fetchone()

    assert asked is not None
    assert tail_percentile(samples, 99.5) == [pytest.approx(asked[0], rel=1e-12)]


def test_percentile_of_a_hundred_samples_lies_between_the_two_highest() -> None:
    samples = np.arange(1, 101, dtype=np.float32)[None, :]

    # Rank from the top .005 x 99 = .495: between 100 and 99.
    assert tail_percentile(samples, 99.5) == [pytest.approx(100 - 0.495)]


def test_percentile_of_one_sample_is_that_sample() -> None:
    assert tail_percentile(np.array([[np.nan, 7.0, np.nan]], np.float32), 99.5) == [7.0]


def test_two_weeks_of_five_minutes_need_twenty_two_samples() -> None:
    # .005 x 4031 = 20.155: the samples at places 20 and 21 from the top, counted from 0.
    assert tail_depth(14 * 288, 99.5) == 22


def test_tail_is_descending_and_filled_up_where_samples_are_few() -> None:
    samples = np.array([[3, np.nan, 5, np.nan], [1, 2, 3, 4]], np.float32)

    tail, counts = upper_tail(samples, 3)

    assert tail.tolist() == [[5, 3, -np.inf], [4, 3, 2]]
    assert counts.tolist() == [2, 4]


def test_infinite_samples_count_as_missing() -> None:
    samples = np.array([[np.inf, 2, 1, -np.inf]], np.float32)

    tail, counts = upper_tail(samples, 2)

    assert (tail.tolist(), counts.tolist()) == ([[2, 1]], [2])


def test_count_above_compares_strictly_and_ignores_unknown_limits() -> None:
    tail = np.array([[5, 4, 4, 1]], np.float32)

    assert count_above(tail, np.array([[4.0, 0.0, np.nan]])).tolist() == [[1, 4, 0]]


def test_highest_ignores_what_is_not_finite() -> None:
    block = np.array([[1, np.inf, 2], [np.nan, 3, np.nan], [np.nan] * 3], np.float32)

    assert highest(block).tolist() == [2, 3, pytest.approx(np.nan, nan_ok=True)]


@pytest.mark.parametrize("find", [largest, largest_of_alike])
@given(
    rows=st.lists(
        st.lists(st.floats(allow_nan=False, width=32), min_size=9, max_size=9), max_size=4
    )
)
def test_largest_are_in_the_order_of_floats_also_below_zero(
    find: Callable[[Singles, int], Singles], rows: list[list[float]]
) -> None:
    samples = np.array(rows, np.float32).reshape(-1, 9)

    assert find(samples.copy(), 4).tolist() == [
        sorted(row, reverse=True)[:4] for row in samples.tolist()
    ]
