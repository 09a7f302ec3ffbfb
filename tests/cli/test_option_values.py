from datetime import UTC, date, datetime

import pytest

from compute_optimizer.cli.option_values import day_of, moment_after, moment_of, share_of
from compute_optimizer.errors import InvalidInput


@pytest.mark.parametrize("text", ["0.05", "5%", " 5 % "])
def test_a_share_is_written_as_a_number_or_in_percent(text: str) -> None:
    assert share_of("--cap", text) == 0.05


@pytest.mark.parametrize("text", ["", "%", "much", "5%5", "five %", "1_0%", "\u0665%", "nan"])
def test_what_is_no_share_is_named_with_its_option(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        share_of("--cap", text)
    assert str(refused.value) == f"--cap {text!r} is no share; expected 0.01 or 1%"


def test_a_day_is_one_of_the_calendar() -> None:
    assert day_of("--origin", "2026-01-31") == date(2026, 1, 31)
    with pytest.raises(InvalidInput, match="--origin '2026-02-31' is no day"):
        day_of("--origin", "2026-02-31")


@pytest.mark.parametrize(
    "text", ["2026-01-31T06:00", "2026-01-31T06:00Z", "2026-01-31T08:00+02:00"]
)
def test_a_moment_is_in_utc_whatever_its_zone(text: str) -> None:
    assert moment_of("--clock", text) == datetime(2026, 1, 31, 6, tzinfo=UTC)


def test_a_day_as_a_moment_is_its_beginning() -> None:
    assert moment_of("--clock", "2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "0001-01-01T00:00+02:00"])
def test_what_is_no_moment_or_beyond_the_calendar_is_named_with_its_option(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^--clock '.*' is no moment; expected one in UTC"):
        moment_of("--clock", text)


def test_a_span_leads_to_a_moment_unless_that_lies_beyond_the_calendar() -> None:
    now = datetime(2026, 1, 31, 6, tzinfo=UTC)

    assert moment_after(now, "--until", "14d") == datetime(2026, 2, 14, 6, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="--until '9999999d' lies beyond the calendar; expected"):
        moment_after(now, "--until", "9999999d")
