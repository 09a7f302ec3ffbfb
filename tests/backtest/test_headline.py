"""The few figures of a backtest that are followed over time."""

from datetime import UTC, datetime

import pytest

from compute_optimizer.backtest.headline import headline_of, milestone_of
from compute_optimizer.model.backtested import Backtested

INTERVALS = {"violations_interval": [0.01, 0.06], "savings_interval": [0.3, 0.5]}
TOLD = {"violations": 0.03, "savings": 0.4, **INTERVALS}
FLEET = {"first_day": "2026-01-01", "days": 42}


def compared(*origins: tuple[int, float | None, int, float]) -> dict[str, object]:
    """Return a report of instances: reductions, their precision, violations, expected ones."""
    return {
        "fleet": FLEET,
        "overall": {"policies": {"default": {"deployed": {"0.05": TOLD}}}},
        "origins": [
            {
                "policies": {
                    "default": {
                        "deployed": {"0.05": {"downsized": number, "downsizing_precision": share}}
                    }
                },
                "calibration": {
                    "cpu": {"resources": 50, "observed": 99, "expected": 99.0},
                    "joint": {"resources": 50, "observed": observed, "expected": expected},
                },
            }
            for number, share, observed, expected in origins
        ],
    }


def test_of_instances_all_origins_count_together_over_all_dimensions() -> None:
    found = headline_of(compared((30, 0.9, 3, 2.0), (10, 0.5, 5, 2.0)))

    # 27 of 30 and 5 of 10 reductions did no harm: 32 of 40.
    assert found.hit_rate == pytest.approx(0.8)
    assert (found.observed, found.expected, found.ratio) == (8, 4.0, 2.0)
    # Wilson of 8 in 100 is 0.0411 to 0.1500, over 4 expected of 100.
    assert found.ratio_interval == pytest.approx((1.03, 3.75), abs=0.01)
    assert (found.violations, found.savings) == (0.03, 0.4)


def test_without_any_reduction_there_is_no_hit_rate() -> None:
    assert headline_of(compared((0, None, 0, 0.0))).hit_rate is None
    assert headline_of(compared((0, None, 0, 0.0))).ratio is None


def test_of_other_types_no_risk_is_predicted() -> None:
    report = {"overall": TOLD | {"violations_of_reduced": 0.1}}

    found = headline_of(report)

    assert found.hit_rate == pytest.approx(0.9)
    assert (found.observed, found.ratio, found.ratio_interval) == (None, None, None)


def test_too_little_data_leaves_nothing_to_remember() -> None:
    made_at = datetime(2026, 2, 12, tzinfo=UTC)
    empty = Backtested("111111111111", "Ec2Instance", made_at, 1, 5, 5, {}, "too little")

    assert milestone_of(empty) is None
    full = Backtested("111111111111", "Ec2Instance", made_at, 1, 5, 5, compared((1, 1.0, 0, 1.0)))
    found = milestone_of(full)
    assert found is not None
    # 42 days from the first of January.
    assert (found.first_day, found.last_day, found.origins) == ("2026-01-01", "2026-02-11", 1)
