import numpy as np
import pytest

from compute_optimizer.engine.savings import monthly_savings, savings_of
from compute_optimizer.model.recommendation import Savings


def test_savings_are_the_price_difference_of_730_hours() -> None:
    monthly, percentage = monthly_savings(np.array([0.192]), np.array([0.0832]))

    assert monthly.tolist() == [pytest.approx((0.192 - 0.0832) * 730)]
    assert percentage.tolist() == [pytest.approx(100 * (1 - 0.0832 / 0.192))]


def test_published_sample_is_reproduced() -> None:
    # 1 vCPU and 3 GB to 0.25 vCPU and 0.5 GB on Fargate in us-east-1 (spec 3.9), in USD to a cent's
    # tenth.
    before = 0.04048 * 1 + 0.004445 * 3
    after = 0.04048 * 0.25 + 0.004445 * 0.5

    assert monthly_savings(np.array([before]), np.array([after]))[0] == pytest.approx(
        30.275, abs=5e-4
    )


def test_what_costs_more_saves_nothing() -> None:
    monthly, percentage = monthly_savings(np.array([1.0]), np.array([2.0]))

    assert (monthly.tolist(), percentage.tolist()) == ([0.0], [0.0])


def test_unknown_prices_have_unknown_savings() -> None:
    current, option = np.array([np.nan, 1.0]), np.array([1.0, np.nan])

    assert np.isnan(monthly_savings(current, option)).all()


def test_savings_are_a_share_of_the_price_and_count_as_often_as_it() -> None:
    # 0.125 of 0.5 USD an hour, 730 hours.
    assert savings_of(0.5, 0.375, 730.0) == Savings(25.0, 91.25)


def test_one_option_that_costs_more_saves_nothing() -> None:
    assert savings_of(1.0, 2.0) == Savings(0.0, 0.0)
    assert savings_of(0.0, 2.0) == Savings(0.0, 0.0)


def test_nothing_is_said_of_unknown_prices() -> None:
    assert savings_of(None, 2.0) is None
    assert savings_of(1.0, None) is None
