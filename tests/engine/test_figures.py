"""Figures of arrays as records have them."""

from math import inf, nan

import pytest

from compute_optimizer.engine.figures import known, savings
from compute_optimizer.model.recommendation import Savings


@pytest.mark.parametrize("figure", [nan, inf, -inf])
def test_what_is_unknown_or_without_bound_is_no_figure(figure: float) -> None:
    assert known(figure) is None
    assert known(0.0) == 0.0


def test_savings_are_a_share_of_the_price_and_count_as_often_as_it() -> None:
    # 0.125 of 0.5 USD an hour, 730 hours.
    assert savings(0.5, 0.375, 730.0) == Savings(25.0, 91.25)


def test_what_costs_more_saves_nothing() -> None:
    assert savings(1.0, 2.0) == Savings(0.0, 0.0)
    assert savings(0.0, 2.0) == Savings(0.0, 0.0)


def test_nothing_is_said_of_unknown_prices() -> None:
    assert savings(None, 2.0) is None
    assert savings(1.0, None) is None
