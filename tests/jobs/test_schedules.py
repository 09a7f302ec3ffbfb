"""Schedules as settings spell them."""

from datetime import UTC, datetime

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.schedules import parse_schedule

SUNDAY = datetime(2026, 3, 15, 4, tzinfo=UTC)
"""15 March 2026, 04:00."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", datetime(2026, 3, 15, 4, 0, 30, tzinfo=UTC)),
        ("15m", datetime(2026, 3, 15, 4, 15, tzinfo=UTC)),
        (" 6H ", datetime(2026, 3, 15, 10, tzinfo=UTC)),
        ("1d", datetime(2026, 3, 16, 4, tzinfo=UTC)),
        # The moment itself is not after the moment.
        ("0 4 * * *", datetime(2026, 3, 16, 4, tzinfo=UTC)),
        ("*/20  * * * *", datetime(2026, 3, 15, 4, 20, tzinfo=UTC)),
        # Cron's 0 and 7 are Sunday, 1 is Monday.
        ("0 5 * * 0", datetime(2026, 3, 15, 5, tzinfo=UTC)),
        ("0 3 * * 7", datetime(2026, 3, 22, 3, tzinfo=UTC)),
        ("0 3 * * 1-5", datetime(2026, 3, 16, 3, tzinfo=UTC)),
        ("0 3 * * wed", datetime(2026, 3, 18, 3, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_the_next_moment_follows_the_schedule(text: str, expected: datetime) -> None:
    schedule = parse_schedule(text)

    assert schedule is not None
    assert schedule.next_after(SUNDAY) == expected


def test_off_is_no_schedule() -> None:
    assert parse_schedule("off") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected an interval such as"),
        ("daily", "expected an interval such as"),
        ("0s", "expected an interval such as"),
        ("1\u0665m", "expected an interval such as"),
        ("99 * * * *", "last value .99. is higher than the maximum"),
        ("0 0 1 * 1", "leave one of them"),
        ("0 0 30 2 *", "never comes"),
    ],
)
def test_a_wrong_schedule_is_named_with_what_was_expected(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        parse_schedule(text)
