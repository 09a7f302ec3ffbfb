"""What is extrapolated to a month is extrapolated from the time that was looked at."""

from datetime import UTC, date, datetime

import pytest

from compute_optimizer.engine.running_time import slots_seen
from compute_optimizer.model.metrics import Window

WEEK = Window(date(2026, 3, 2), date(2026, 3, 8))


@pytest.mark.parametrize(
    ("as_of", "slots"),
    [
        (datetime(2026, 3, 9, tzinfo=UTC), 7 * 288),
        (datetime(2026, 3, 8, 12, tzinfo=UTC), 6 * 288 + 144),
        # The slot that has begun counts: it is not blanked either.
        (datetime(2026, 3, 8, 12, 1, tzinfo=UTC), 6 * 288 + 145),
        (datetime(2026, 4, 1, tzinfo=UTC), 7 * 288),
        (datetime(2026, 3, 2, tzinfo=UTC), 1),
    ],
)
def test_slots_count_until_the_moment_of_the_analysis(as_of: datetime, slots: int) -> None:
    assert slots_seen(WEEK, as_of) == slots
