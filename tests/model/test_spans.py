"""Spans of time as people write and read them, and days of seconds."""

from datetime import date, timedelta

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.spans import day_of, shown_span, span_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("12h", 43_200), ("90d", 7_776_000)]
)
def test_a_span_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert span_of("--for", text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "12", "h", "-1h", "1.5h", "1w", "12 h", "9" * 20 + "d", "9" * 5_000 + "d"]
)
def test_anything_else_is_refused_by_the_name_of_the_option(text: str) -> None:
    with pytest.raises(InvalidInput, match=f"^--for '{text}': expected a time such as 90d"):
        span_of("--for", text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "120 min"),
        (7_200, "2 h"),
        (172_800, "2 d"),
    ],
)
def test_a_span_is_shown_in_the_largest_unit_of_which_it_has_two(seconds: int, shown: str) -> None:
    assert shown_span(timedelta(seconds=seconds)) == shown


def test_a_day_begins_at_midnight_utc() -> None:
    # 20,000 days after 1970 are 2024-10-04.
    assert day_of(20_000 * 86_400) == date(2024, 10, 4)
    assert day_of(20_000 * 86_400 - 1) == date(2024, 10, 3)
