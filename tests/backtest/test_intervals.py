"""Intervals against published values and plain counting."""

import numpy as np
import pytest

from compute_optimizer.backtest.intervals import middle_95, resample, wilson


def test_wilson_interval_of_five_in_a_hundred() -> None:
    # By hand: z = 1.96, centre (0.05 + 3.8415/200) / 1.038415 = 0.066647,
    # spread 1.96 sqrt(0.05 x 0.95 / 100 + 3.8415 / 40000) / 1.038415 = 0.045105.
    assert wilson(5, 100) == pytest.approx((0.021543, 0.111753), abs=1e-5)


def test_wilson_interval_of_none_begins_at_zero_and_of_nothing_is_everything() -> None:
    # z^2 / (n + z^2) = 3.8415 / 103.8415.
    assert wilson(0, 100) == pytest.approx((0, 0.036994), abs=1e-5)
    assert wilson(0, 0) == (0, 1)


def test_rows_of_one_resource_are_drawn_together() -> None:
    draws = resample(np.array([7, 3, 7]), seed=1)

    assert np.array_equal(draws.weights[:, 0], draws.weights[:, 2])
    # Two resources: every sample holds two draws.
    assert (draws.weights[:, 0] + draws.weights[:, 1] == 2).all()


def test_draws_repeat_with_their_seed() -> None:
    resources = np.arange(20)

    first, again = resample(resources, 5), resample(resources, 5)

    assert np.array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, resample(resources, 6).weights)


def test_middle_95_leaves_out_a_fortieth_on_each_side() -> None:
    assert middle_95(np.arange(1001.0)) == pytest.approx([25, 975])
