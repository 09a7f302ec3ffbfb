"""Loads in words and as samples."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compute_optimizer.emulator.loads import Load, is_idle, parse_load, percent_of, period_before
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from compute_optimizer.scenario.load_shapes import LoadShape

NOW = datetime(2026, 3, 15, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "load"),
    [
        ("diurnal, 40 % peak", Load(LoadShape.DIURNAL, 40)),
        ("steady, 3 %", Load(LoadShape.STEADY, 3)),
        ("bursty 80% peak", Load(LoadShape.BURSTY, 80)),
        ("Weekly, 12.5 % at peak", Load(LoadShape.WEEKLY, 12.5)),
        ("  growing ,  90 %  ", Load(LoadShape.GROWING, 90)),
        ("40 %", Load(LoadShape.STEADY, 40)),
        ("idle", Load(LoadShape.IDLE, 0.5)),
        ("idle, 2 %", Load(LoadShape.IDLE, 2)),
        ("saturated", Load(LoadShape.SATURATED, 100)),
    ],
)
def test_reads_a_load_in_words(text: str, load: Load) -> None:
    assert parse_load(text) == load


@pytest.mark.parametrize(
    "text", ["", "busy, 40 %", "diurnal, forty", "steady, -3 %", "steady, \u0664 %", "%", "peak"]
)
def test_refuses_what_is_no_load_and_names_the_shapes(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_load(text)

    assert repr(text) in str(refused.value)
    assert "'diurnal, 40 % peak'" in str(refused.value)
    assert "steady, diurnal, weekly, bursty, growing, idle, saturated" in str(refused.value)


def test_wants_a_level_where_the_shape_says_none() -> None:
    with pytest.raises(InvalidInput, match="write 'bursty, 40 % peak'"):
        parse_load("bursty")


def test_refuses_more_than_all() -> None:
    with pytest.raises(InvalidInput, match="expected 0 to 100 %, got 140 %"):
        parse_load("steady, 140 %")


def test_tells_idle_loads() -> None:
    assert is_idle("idle, 2 %")
    assert not is_idle("steady, 2 %")
    assert not is_idle([(NOW, 0.0)])


def test_a_period_ends_before_the_moment_and_has_its_length() -> None:
    period = period_before(NOW, 14)

    # The day of NOW and the 14 before it, of which the first counts from 10:20 on.
    assert (period.window.first, period.window.last) == (date(2026, 3, 1), date(2026, 3, 15))
    assert period.end - period.first == 14 * SLOTS_PER_DAY
    # 10:20 is 124 slots of five minutes into the day: the last slot begins at 10:15.
    assert period.end == 14 * SLOTS_PER_DAY + 124


def test_a_period_that_ends_at_midnight_has_nothing_of_the_new_day() -> None:
    period = period_before(datetime(2026, 3, 15, tzinfo=UTC), 2)

    assert period.window.last == date(2026, 3, 14)
    assert period.end == 3 * SLOTS_PER_DAY


@settings(deadline=None)  # it generates days of samples, also on a busy machine
@given(
    shape=st.sampled_from(LoadShape),
    level=st.integers(1, 100),
    minutes=st.integers(0, 3000),
    days=st.integers(1, 5),
)
def test_the_highest_sample_is_the_stated_one_and_nothing_comes_from_the_future(
    shape: LoadShape, level: int, minutes: int, days: int
) -> None:
    period = period_before(NOW + timedelta(minutes=minutes), days)

    found = percent_of(f"{shape}, {level} %", period, 3, seed=7)

    assert np.nanmax(found, axis=1) == pytest.approx([level] * 3, rel=1e-6)
    assert np.nanmin(found) >= 0
    sent = ~np.isnan(found)
    assert sent[:, period.first : period.end].all()
    assert sent.sum() == 3 * days * SLOTS_PER_DAY


def test_is_the_same_for_the_same_seed() -> None:
    period = period_before(NOW, 2)
    one, same, other = (percent_of("bursty, 50 %", period, 1, seed) for seed in (1, 1, 2))

    assert np.array_equal(one, same, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)


def test_takes_samples_as_they_are() -> None:
    period = period_before(NOW, 1)
    noon = datetime(2026, 3, 14, 12, tzinfo=UTC)

    found = percent_of([(noon, 20), (noon + timedelta(minutes=2), 30), (NOW, 0)][:2], period, 2, 1)

    # Noon of the first day is slot 144; both samples lie in it, and the highest stands.
    assert found[:, 144] == pytest.approx([30, 30])
    assert np.isnan(found).sum() == found.size - 2


@pytest.mark.parametrize(
    ("sample", "problem"),
    [
        ((NOW, 10), "lies outside"),
        ((NOW - timedelta(days=3), 10), "lies outside"),
        ((datetime(2026, 3, 14), 10), "no time zone"),
        ((NOW - timedelta(hours=1), 101), "expected 0 to 100"),
    ],
)
def test_refuses_samples_that_cannot_be(sample: Any, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        percent_of([sample], period_before(NOW, 1), 1, 1)
