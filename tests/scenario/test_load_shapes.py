from datetime import date

import numpy as np
import pytest

from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, Window
from compute_optimizer.scenario.load_shapes import (
    BURST_HOURS,
    BURSTS_PER_DAY,
    LoadShape,
    generate_load,
    times_of,
)

TWO_WEEKS = Window(date(2026, 3, 2), date(2026, 3, 15))
"""Monday to Sunday."""

ROWS = 40


def load_of(shape: LoadShape, seed: int = 7) -> Matrix:
    return generate_load(shape, ROWS, TWO_WEEKS, np.random.default_rng(seed))


def days_of(load: Matrix) -> Matrix:
    return load.reshape(ROWS, TWO_WEEKS.days, SLOTS_PER_DAY)


@pytest.mark.parametrize("shape", LoadShape)
def test_load_is_one_row_per_machine_and_never_negative(shape: LoadShape) -> None:
    load = load_of(shape)

    assert load.shape == (ROWS, 14 * 288)
    assert load.dtype == np.float32
    assert load.min() >= 0


@pytest.mark.parametrize("shape", LoadShape)
def test_load_is_the_same_for_the_same_seed_only(shape: LoadShape) -> None:
    np.testing.assert_array_equal(load_of(shape), load_of(shape))
    assert not np.array_equal(load_of(shape), load_of(shape, seed=8))


def test_times_know_the_hour_and_the_weekend() -> None:
    times = times_of(TWO_WEEKS)

    assert times.hour_of_day[12] == 1.0  # twelve slots of five minutes
    assert not times.weekend[: 5 * SLOTS_PER_DAY].any()
    assert times.weekend[5 * SLOTS_PER_DAY : 7 * SLOTS_PER_DAY].all()
    assert (times.progress[0], times.progress[-1]) == (0.0, 1.0)


def test_steady_load_is_alike_at_all_hours() -> None:
    by_hour = days_of(load_of(LoadShape.STEADY)).mean(axis=(0, 1)).reshape(24, 12).mean(axis=1)

    # 40 machines x 14 days x 12 slots leave nothing of a 4 % jitter.
    assert by_hour.max() - by_hour.min() < 0.01


def test_diurnal_load_falls_to_a_quarter_at_night() -> None:
    by_hour = days_of(load_of(LoadShape.DIURNAL)).mean(axis=(0, 1)).reshape(24, 12).mean(axis=1)

    # Busiest at 14:00 on average, so quietest at 02:00; the machines differ by an hour or two.
    assert by_hour.argmin() in (1, 2)
    assert by_hour.min() / by_hour.max() == pytest.approx(0.25, abs=0.06)


def test_weekly_load_rests_at_the_weekend() -> None:
    by_day = days_of(load_of(LoadShape.WEEKLY)).mean(axis=(0, 2))

    assert by_day[5:7].mean() / by_day[:5].mean() == pytest.approx(0.30, abs=0.01)


def test_bursty_load_bursts_for_a_small_share_of_the_time() -> None:
    share = (load_of(LoadShape.BURSTY) > 0.5).mean()

    # 3 bursts of 0.75 h a day are 9.4 % of it, a little less where they overlap and a little more
    # because a length is rounded up to whole slots (half a slot: 0.5 %).
    assert share == pytest.approx(BURSTS_PER_DAY * BURST_HOURS / 24, abs=0.02)


def test_growing_load_grows_from_day_to_day() -> None:
    by_day = days_of(load_of(LoadShape.GROWING)).mean(axis=(0, 2))

    assert (np.diff(by_day) > 0).all()
    # 0.35 at the start and 1.0 at the end; half a day from each: 0.373 / 0.977.
    assert by_day[0] / by_day[-1] == pytest.approx(0.38, abs=0.02)


def test_saturated_load_stays_at_its_level() -> None:
    assert load_of(LoadShape.SATURATED).mean() == pytest.approx(1.0, abs=0.001)
