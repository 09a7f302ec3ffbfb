"""Climatology and calibration against counting by hand."""

import numpy as np
import pytest

from compute_optimizer.backtest import climatology
from compute_optimizer.backtest.calibration import Forecast, calibration_of, reliability
from compute_optimizer.backtest.climatology import isotonic
from compute_optimizer.backtest.fleet import CPU
from compute_optimizer.backtest.options import capacity_steps
from compute_optimizer.backtest.trial import make_trial
from compute_optimizer.catalog import load_instance_types
from tests.backtest.fleets import fleet_of, levels

STEPS = capacity_steps(load_instance_types())


def test_pools_what_rises_and_smooths_each_block() -> None:
    # Tightness 1 to 4: hit, miss, hit, miss. The middle pair rises, so it is pooled.
    found = isotonic(np.array([1.0, 2, 3, 4]), np.array([True, False, True, False]))

    assert found.at(np.array([1.0, 2, 3.5, 4, 9])) == pytest.approx(
        [1.5 / 2, 1.5 / 3, 1.5 / 3, 0.5 / 2, 0.5 / 2]
    )
    assert found.base_rate == 0.5


def test_tighter_than_anything_seen_is_as_bad_as_the_tightest() -> None:
    found = isotonic(np.array([1.0, 2]), np.array([True, False]))

    assert found.at(np.array([0.1])) == found.at(np.array([1.0]))


def test_probability_never_rises_with_capacity() -> None:
    draw = np.random.default_rng(3)
    found = isotonic(draw.uniform(0.2, 3, 500), draw.random(500) < 0.3)

    assert (np.diff(found.at(np.linspace(0.1, 4, 300))) <= 0).all()


def test_options_no_smaller_than_today_have_no_tightness() -> None:
    trial = make_trial(fleet_of(levels([0.5], 28), [2]), STEPS, 14)

    (ratio,) = climatology.tightness(trial, CPU)

    # 0.25, 0.5 and 1 vCPU over a peak of half a vCPU; 2 vCPU are what it has.
    assert ratio[:3] == pytest.approx([0.5, 1, 2])
    assert np.isnan(ratio[3:]).all()


def test_fit_leaves_out_the_fold_and_the_clipped() -> None:
    cpu = levels([0.5, 0.5, 1.0], 28)
    trial = make_trial(fleet_of(cpu, [2, 2, 1]), STEPS, 14)

    found = climatology.fit([trial], np.array([0, 1, 1]), 0, CPU)

    # One resource is left, with one of its three smaller options violated.
    assert found.base_rate == pytest.approx(1 / 3)


FORECAST = Forecast(
    probability=np.array([[0.9, 0.2, 0.0], [0.5, 0.05, 0.0]]),
    violated=np.array([[True, True, False], [True, False, False]]),
    reference=np.full((2, 3), 0.5),
    judged=np.array([[True, True, False], [True, True, False]]),
)


def test_observed_and_expected_at_the_chosen_and_the_next_cheaper_option() -> None:
    found = calibration_of(FORECAST, np.array([1, 1]), {"first": np.array([True, False])})

    assert (found["observed"], found["next_observed"]) == (1, 2)
    assert (found["expected"], found["next_expected"]) == pytest.approx((0.25, 1.4))
    assert found["ratio"] == pytest.approx(4)
    assert found["groups"]["first"]["expected"] == pytest.approx(0.2)


def test_the_cheapest_option_has_no_next() -> None:
    found = calibration_of(FORECAST, np.array([0, 2]), {})

    assert found["next_resources"] == 1
    assert found["next_expected"] == pytest.approx(0.05)


def test_brier_and_log_scores_of_four_options() -> None:
    found = calibration_of(FORECAST, np.array([1, 1]), {})

    # Squares of .1, .8, .5, .05 over four; the base rate alone scores a quarter.
    assert found["brier"] == pytest.approx((0.01 + 0.64 + 0.25 + 0.0025) / 4)
    assert found["brier_skill"] == pytest.approx(1 - found["brier"] / 0.25)
    logs = -np.log([0.9, 0.2, 0.5, 0.95]).mean()
    assert found["log_score"] == pytest.approx(logs)
    assert found["log_skill"] == pytest.approx(1 - logs / np.log(2))


def test_reliability_by_bins_of_probability() -> None:
    rows = reliability(FORECAST)

    assert [(row["from"], row["to"], row["options"], row["observed"]) for row in rows] == [
        (0.03, 0.1, 1, 0),
        (0.1, 0.3, 1, 1),
        (0.3, 1.0, 2, 1),
    ]
