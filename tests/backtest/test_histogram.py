"""The decaying histogram against arithmetic by hand."""

import numpy as np
import pytest

from compute_optimizer.backtest.histogram import Buckets, decayed_percentile

CPU = Buckets(0.01)


def test_buckets_begin_at_zero_and_grow_by_five_percent() -> None:
    starts = CPU.starts()

    # 0, 0.01, then 0.01 + 0.0105, then 0.0205 + 0.011025.
    assert starts[:4] == pytest.approx([0, 0.01, 0.0205, 0.031525])


def test_the_answer_is_the_end_of_the_bucket() -> None:
    series = np.full((1, 10), 0.02, np.float32)

    assert decayed_percentile(series, 5, 90, CPU) == pytest.approx([0.0205])


def test_old_samples_lose_half_their_weight_per_half_life() -> None:
    # The peak, a half-life old, weighs 1/2 beside 1 of the newest sample: a third of all.
    series = np.array([[0.03, np.nan, 0.005]], np.float32)

    at_two_thirds = decayed_percentile(series, 2, 66, CPU)
    above = decayed_percentile(series, 2, 67, CPU)

    assert at_two_thirds == pytest.approx([0.01])
    assert above == pytest.approx([0.031525])


def test_without_samples_there_is_no_answer() -> None:
    assert np.isnan(decayed_percentile(np.full((1, 3), np.nan, np.float32), 2, 90, CPU)).all()
