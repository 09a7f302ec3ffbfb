import numpy as np
import pytest

from compute_optimizer.engine.risk import RISK_NAMES, overall, scores
from compute_optimizer.model.recommendation import PerformanceRisk
from tests.fleets import CPU, instance, recommended

# Of 1,000 samples P99.5 forgives five.
GRADES = [
    (0, 0, 0.0),
    (5, 5, 0.0),
    (0, 6, 1.0),
    (1, 6, 2.0),
    (5, 6, 2.0),
    (6, 6, 3.0),
    (50, 60, 3.0),
    (51, 60, 4.0),
]


@pytest.mark.parametrize(("shortage", "tight", "grade"), GRADES)
def test_scores_follow_the_table(shortage: int, tight: int, grade: float) -> None:
    found = scores(np.array([shortage]), np.array([tight]), np.array([1000]), 99.5)

    assert found.tolist() == [grade]


def test_without_samples_nothing_is_judged() -> None:
    none = np.array([0])

    assert np.isnan(scores(none, none, none, 99.5)).all()


def test_overall_risk_is_the_highest_of_the_judged_dimensions() -> None:
    assert overall(np.array([[1.0, np.nan, 3.0], [np.nan] * 3])).tolist() == [3, 0]


def test_current_risk_knows_no_very_high() -> None:
    assert RISK_NAMES[4] is PerformanceRisk.HIGH


@pytest.mark.parametrize(
    ("busy_slots", "use", "risk"),
    [
        # Of 4,032 samples 20 may lie above 80 %.
        (20, 99.0, PerformanceRisk.VERY_LOW),
        (21, 99.0, PerformanceRisk.LOW),
        (4032, 99.0, PerformanceRisk.LOW),
        # Over 100 % of the type, as stated capacities allow: 21 of 4,032 are 0.52 %.
        (21, 101.0, PerformanceRisk.HIGH),
    ],
)
def test_risk_of_the_current_type_counts_the_whole_series(
    busy_slots: int, use: float, risk: PerformanceRisk
) -> None:
    cpu = np.full(4032, 10.0)
    cpu[:busy_slots] = use

    assert recommended(instance(1, "m5.xlarge"), {CPU: cpu}).current_performance_risk is risk
