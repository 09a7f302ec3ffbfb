"""Figures of arrays as records have them."""

from math import inf, nan

import pytest

from compute_optimizer.engine.figures import known


@pytest.mark.parametrize("figure", [nan, inf, -inf])
def test_what_is_unknown_or_without_bound_is_no_figure(figure: float) -> None:
    assert known(figure) is None
    assert known(0.0) == 0.0
