"""Which grid points are simulated, and which values are refused."""

import pytest

from compute_optimizer.backtest.grid import BOTH, Grid, points_of
from compute_optimizer.errors import InvalidInput


@pytest.mark.parametrize(
    ("grid", "complaint"),
    [
        (Grid(percentiles=(101.0,)), "percentile 101 is out of range"),
        (Grid(cpu_headrooms=(20.0,)), "CPU headroom 20 is out of range"),
        (Grid(memory_headrooms=(-0.1,)), "memory headroom -0.1 is out of range"),
        (Grid(lookbacks=(0,)), "look-back 0 is out of range"),
        (Grid(includes=(("m5x",),)), "no instance type matches 'm5x'"),
    ],
)
def test_values_that_no_analysis_can_use_are_explained(grid: Grid, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        points_of([grid])


def test_a_value_given_twice_is_one_point() -> None:
    assert len(points_of([Grid(percentiles=(95.0, 95.0), architectures=(BOTH, BOTH))])) == 1


@pytest.mark.parametrize("grid", [Grid(risk_caps=(20.0,)), Grid(incidents_usd=(-1.0,))])
def test_impossible_risks_are_refused(grid: Grid) -> None:
    with pytest.raises(InvalidInput, match="out of range"):
        points_of([grid])
