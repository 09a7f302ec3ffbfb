"""Points of longer periods: which samples they hold, and what is left out."""

import numpy as np
import pytest

from compute_optimizer.engine.periods import points_of
from compute_optimizer.model.metrics import Statistic

NAN = np.nan


@pytest.mark.parametrize(
    ("statistic", "values"), [(Statistic.MAXIMUM, [3, 5]), (Statistic.AVERAGE, [2, 5])]
)
def test_a_period_is_its_highest_sample_or_the_mean_of_those_that_are_there(
    statistic: Statistic, values: list[float]
) -> None:
    # Periods of 900 s begin at 0, 900 and 1800; the second one has no sample.
    samples = np.array([1, NAN, 3, NAN, NAN, NAN, 5], np.float32)

    starts, found = points_of(samples, np.arange(7) * 300, 900, statistic)

    assert starts.tolist() == [0, 1800]
    assert found.tolist() == values


def test_periods_begin_at_their_multiples_not_at_the_first_sample() -> None:
    samples = np.array([1, 2, 3], np.float32)

    starts, found = points_of(samples, np.array([600, 900, 1200]), 900, Statistic.MAXIMUM)

    assert starts.tolist() == [0, 900]
    assert found.tolist() == [1, 3]


def test_no_sample_is_no_point() -> None:
    starts, found = points_of(np.array([NAN], np.float32), np.array([0]), 300, Statistic.AVERAGE)

    assert (starts.tolist(), found.tolist()) == ([], [])
