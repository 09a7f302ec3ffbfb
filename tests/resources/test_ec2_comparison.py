"""Two moments of one instance: the input that is exchanged alone is the one that is blamed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from numpy.typing import ArrayLike

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.comparison import Comparison, Exchange, Moment
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Window
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.resources.comparison import ENTERED, LEFT
from compute_optimizer.resources.ec2_instance import compare
from tests.fleets import CPU, MEMORY, instance

XLARGE = instance(1, "m5.xlarge")
DAY = 288
FIRST = date(2026, 1, 1)


def known(series: Mapping[MetricKey, ArrayLike], start: int) -> Moment:
    """Return the 14 days from the given day on, as seen at their end."""
    first = FIRST + timedelta(days=start)
    window = Window(first, first + timedelta(days=13))
    slots = slice(start * DAY, (start + 14) * DAY)
    cut = {
        key: np.array(np.broadcast_to(values, (1, 60 * DAY)), np.float32)[:, slots]
        for key, values in series.items()
    }
    as_of = datetime.combine(window.last, time(), UTC) + timedelta(days=1)
    return Moment(as_of, ShardSamples((XLARGE.arn,), window, cut))


def compared(series: Mapping[MetricKey, ArrayLike], start: int = 0, later: int = 3) -> Comparison:
    return compare(
        XLARGE,
        (known(series, start), known(series, later)),
        load_instance_types(),
        preferences=DEFAULT_PREFERENCES,
    )


def exchanges(found: Comparison) -> dict[str, Exchange]:
    return {one.input: one for one in found.exchanges}


def busy_from(day: int, low: float = 10, high: float = 95) -> ArrayLike:
    return np.where(np.arange(60 * DAY) >= day * DAY, high, low)


def test_the_dimension_that_grew_is_blamed_and_the_other_is_not() -> None:
    wavy = 20 + np.arange(60 * DAY) % 7  # differs between the windows, never by much
    found = compared({CPU: busy_from(15), MEMORY: wavy})

    assert found.changes == ("finding", "first_option")
    assert found.before.answer.finding == "Overprovisioned"
    assert found.after.answer.finding == "Underprovisioned"
    by_input = exchanges(found)
    assert by_input["CPU samples"].forward == found.after.answer
    assert by_input["CPU samples"].backward == found.before.answer
    assert by_input["Memory samples"].changes == by_input["Memory samples"].undoes == ()
    assert found.decisive == ("CPU samples", ENTERED)


def test_what_entered_is_told_from_what_left() -> None:
    falling = busy_from(2, low=95, high=10)
    by_input = exchanges(compared({CPU: falling, MEMORY: 20.0}))

    # Two busy days leave. With all 17 days in view, those two would still be more than the
    # 0.5 % that is forgiven; and without the three quiet ones that enter, nothing is busy either.
    assert by_input[LEFT].changes == ("finding", "first_option")
    assert by_input[ENTERED].changes == ()
    assert by_input[ENTERED].undoes == ()


def test_a_change_that_takes_two_inputs_has_no_decisive_one() -> None:
    # More CPU alone and more memory alone each lead to a third answer.
    found = compared({CPU: busy_from(15, 10, 60), MEMORY: busy_from(15, 10, 75)})

    by_input = exchanges(found)
    assert found.changes
    dimensions = ("CPU samples", "Memory samples")
    assert not {*dimensions} & {*found.decisive}
    for name in dimensions:
        assert by_input[name].forward not in (found.before.answer, found.after.answer)
    assert ENTERED in found.decisive


def test_windows_apart_are_compared_by_dimension_only() -> None:
    found = compared({CPU: busy_from(15), MEMORY: 20.0}, later=30)

    assert [one.input for one in found.exchanges] == ["CPU samples"]
    assert found.decisive == ("CPU samples",)


def test_equal_samples_differ_in_nothing() -> None:
    found = compared({CPU: 10.0, MEMORY: 20.0})

    assert found.changes == found.decisive == ()
    assert {one.input: one.changes for one in found.exchanges} == {ENTERED: (), LEFT: ()}


def test_a_metric_that_began_in_between_is_an_input() -> None:
    memory = np.where(np.arange(60 * DAY) >= 14 * DAY, 20.0, np.nan)
    found = compared({CPU: 10.0, MEMORY: memory}, later=20)

    (before,) = [one for one in found.before.dimensions if one.dimension == "Memory"]
    (after,) = [one for one in found.after.dimensions if one.dimension == "Memory"]
    assert (before.demand, before.samples, after.samples) == (None, 0, 4032)
    assert after.demand == pytest.approx(0.2 * 16_384)
    assert found.decisive == ("Memory samples",)


def test_the_order_in_which_the_moments_are_given_does_not_matter() -> None:
    series = {CPU: busy_from(15), MEMORY: 20.0}

    assert compared(series, 0, 3) == compared(series, 3, 0)


def test_too_little_history_on_one_side_is_an_answer_too() -> None:
    cpu = np.where(np.arange(60 * DAY) >= 13 * DAY, 10.0, np.nan)
    found = compared({CPU: cpu})

    assert found.before.answer.finding == "INSUFFICIENT_METRIC_DATA"
    assert found.before.answer.first_option is None
    assert found.before.first_option_hourly_usd is None
    assert found.changes == ("finding", "first_option")
    # A day of CPU alone, then four.
    assert (found.before.history.samples, found.after.history.samples) == (288, 4 * 288)


def test_prices_stand_beside_the_answers() -> None:
    found = compared({CPU: 10.0, MEMORY: 20.0})

    assert found.before.current_hourly_usd == found.after.current_hourly_usd == 0.192
    assert found.before.price_date is not None
    option = found.before.first_option_hourly_usd
    assert option is not None and option < 0.192
