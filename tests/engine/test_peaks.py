"""The coming peak: what a history says, what a fit learns, and the laws of every risk."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute_optimizer.engine import peaks
from compute_optimizer.engine.arrays import Floats, Singles
from compute_optimizer.engine.peaks import FORGIVEN, Lesson, PeakHistory
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from compute_optimizer.model.risk import PeakModel

DAYS = 14


def flat(level: float, rows: int = 1, days: int = DAYS) -> Singles:
    return np.full((rows, days * SLOTS_PER_DAY), level, np.float32)


def history(series: Singles, capacity: float = 4.0) -> PeakHistory:
    own = np.full(len(series), capacity)
    return peaks.history_of(series, peaks.peak_of(series, FORGIVEN), own)


def lessons_of(moves: Floats, seed: int = 5) -> Lesson:
    """Return machines of a load of 1 whose daily maxima spread, and whose peak moves as given."""
    draw = np.random.default_rng(seed)
    series = flat(1.0, len(moves))
    series[:, :: SLOTS_PER_DAY // 2] += draw.uniform(0, 1, (len(moves), 2 * DAYS)).astype(
        np.float32
    )
    return Lesson(history(series), moves, {})


def fitted(*lessons: Lesson) -> PeakModel:
    model = peaks.fit(lessons)
    assert model is not None
    return model


MODEL = fitted(lessons_of(np.random.default_rng(1).normal(0, 0.3, 400)))


def test_a_peak_forgives_one_sample_in_a_thousand() -> None:
    series = flat(1.0)
    # 0.1 % of 4,032 samples are 4.
    series[0, :4] = 3.0
    assert peaks.peak_of(series, FORGIVEN)[0] == 1.0
    series[0, 4] = 2.0
    assert peaks.peak_of(series, FORGIVEN)[0] == 2.0
    assert peaks.peak_of(series, 0.0)[0] == 3.0


def test_a_row_without_samples_has_no_peak_and_is_not_judged() -> None:
    nothing = flat(np.nan)

    assert np.isnan(peaks.peak_of(nothing, FORGIVEN)[0])
    assert not peaks.judged(history(nothing))[0]
    assert np.isnan(peaks.exceedance(MODEL, history(nothing), np.array([1.0]))).all()


@pytest.mark.parametrize(("days", "known"), [(2, False), (3, True)])
def test_three_days_with_samples_are_needed(days: int, known: bool) -> None:
    series = flat(1.0)
    series[:, : (DAYS - days) * SLOTS_PER_DAY] = np.nan

    assert peaks.judged(history(series)).tolist() == [known]


def test_features_of_equal_days_are_all_zero() -> None:
    assert history(flat(2.0)).features.tolist() == [[0.0] * len(peaks.FEATURES)]


def test_features_are_logarithms_of_daily_maxima_over_the_peak() -> None:
    series = flat(1.0)
    # On 13 of 14 days 5 samples of 2; 65 in all, so the peak is 2.
    for day in range(13):
        series[0, day * SLOTS_PER_DAY : day * SLOTS_PER_DAY + 5] = 2.0

    found = history(series).features[0]

    # Daily P100 to P50 are 2 and the lowest day has 1; deviation of 13 zeros and one log(1/2).
    deviation = np.log(2) * np.sqrt(13) / 14
    assert found == pytest.approx([0, 0, 0, 0, -np.log(2), deviation], abs=1e-6)


def test_peaks_below_two_percent_of_the_machine_count_as_two_percent() -> None:
    assert history(flat(0.001), capacity=4.0).peak.tolist() == pytest.approx([0.08])


def test_a_fit_returns_the_shares_that_it_was_shown() -> None:
    # Peaks that moved by a normal log ratio: of machines like these 16 % move up by more than one
    # standard deviation, and 2.3 % by more than two.
    moves = np.random.default_rng(2).normal(0, 0.3, 4_000)
    model = fitted(lessons_of(moves))
    seen = lessons_of(moves).history

    levels = seen.peak[:, None] * np.exp([[0.3, 0.6]])
    found = peaks.exceedance(model, seen, levels).mean(axis=0)

    rates = [float(np.mean(moves > further)) for further in (0.3, 0.6)]
    assert found == pytest.approx(rates, abs=0.01)


def test_machines_of_restless_days_get_a_wider_distribution() -> None:
    draw = np.random.default_rng(3)
    series = flat(1.0, 400)
    restless = np.arange(400) % 2 == 0
    series[restless, ::SLOTS_PER_DAY] = draw.uniform(1, 4, (200, DAYS))
    moves = np.where(restless, draw.normal(0, 0.8, 400), draw.normal(0, 0.1, 400))
    seen = history(series)
    model = fitted(Lesson(seen, moves, {}))

    scale = peaks.scales(model, seen)

    assert scale[restless].mean() > 2 * scale[~restless].mean()


def test_less_history_is_never_narrower() -> None:
    moves = np.random.default_rng(4).normal(0, 0.2, 300)
    full = lessons_of(moves)
    # From three days the same machines were seen to move three times as far.
    few = (replace(full.history, days=np.full(300, 3)), 3 * moves)
    model = fitted(replace(full, shorter={3: few}))

    widths = dict(model.widths)
    assert widths[14.0] == 1.0
    # NOISE dampens the ratio of three.
    assert 2 < widths[3.0] <= 3
    scale = [
        peaks.scales(model, replace(full.history, days=np.full(300, days))).mean()
        for days in (3, 5, 8, 14, 30)
    ]
    assert scale == sorted(scale, reverse=True)


@pytest.mark.parametrize(("known", "fits"), [(29, False), (30, True)])
def test_nothing_is_fitted_on_fewer_than_thirty(known: int, fits: bool) -> None:
    moves = np.full(40, np.nan)
    moves[:known] = 0.1

    assert (peaks.fit([lessons_of(moves)]) is not None) == fits
    assert peaks.fit([]) is None


@given(
    level=st.floats(0.01, 4),
    capacities=st.lists(st.floats(0.01, 64), min_size=2, max_size=8),
)
def test_more_capacity_never_means_more_risk(level: float, capacities: list[float]) -> None:
    risk = peaks.exceedance(MODEL, history(flat(level)), np.array(sorted(capacities)))[0]

    assert ((risk >= 0) & (risk <= 1)).all()
    assert (np.diff(risk) <= 0).all()


@given(share=st.floats(0.01, 0.99))
def test_predicted_peaks_and_risks_are_two_sides_of_one_distribution(share: float) -> None:
    seen = history(flat(1.0) + np.linspace(0, 1, DAYS * SLOTS_PER_DAY, dtype=np.float32))

    level = peaks.coming_peaks(MODEL, seen, [share])[0]
    risk = peaks.exceedance(MODEL, seen, level)[0, 0]

    # Between two knots both are straight lines, so they agree to rounding.
    assert risk == pytest.approx(1 - share, abs=1e-6)


def test_allowing_for_a_shift_raises_small_risks_most() -> None:
    before = np.array([0.0, 0.01, 0.1, 0.5, 1.0])

    after = peaks.allowed(before, 0.0, 1.5)

    assert after[[0, 3, 4]] == pytest.approx([0, 0.5, 1])
    assert (after[1] / 0.01, after[2] / 0.1) > (2, 1.3)


def test_without_shift_and_selection_nothing_changes() -> None:
    before = np.array([0.001, 0.2, 0.9])

    assert peaks.allowed(before, 0.0, 0.0) == pytest.approx(before)


def test_selection_multiplies_the_odds() -> None:
    # Odds of 1 to 9, twice as high: 2 to 9.
    assert peaks.allowed(np.array([0.1]), np.log(2), 0.0) == pytest.approx([2 / 11])


def test_joint_risk_is_that_of_any_dimension() -> None:
    cpu, memory = np.array([[0.1, 0.5]]), np.array([[0.2, np.nan]])

    # 1 - 0.9 x 0.8; what is not judged does not count.
    assert peaks.joint([cpu, memory]) == pytest.approx(np.array([[0.28, 0.5]]))


def test_a_model_survives_being_written_down() -> None:
    again = msgspec.json.decode(msgspec.json.encode(MODEL), type=PeakModel)

    assert again == MODEL
