"""Spans of time as people write and read them, and days of seconds."""

import re
from datetime import UTC, date, datetime, timedelta

from compute_optimizer.errors import InvalidInput

CENTURY_DAYS = 36_525
"""The longest that anything is kept or asked for: for ever, and still within the calendar."""

CENTURY_HOURS = CENTURY_DAYS * 24

_SPAN = re.compile(r"(\d{1,15})([smhd])", re.ASCII)
"""More digits are no span that a timedelta can hold."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
"""Seconds of each unit that people read, and its sign."""


def span_of(option: str, text: str) -> timedelta:
    """Return a span of time such as 90d, 12h, 30m or 45s; raise InvalidInput for another."""
    found = _SPAN.fullmatch(text)
    try:
        if found is not None:
            return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        pass
    raise InvalidInput(f"{option} {text!r}: expected a time such as 90d, 12h, 30m or 45s")


def shown_span(span: timedelta) -> str:
    """Return a span in the largest unit of which it has two, such as 90 min; none is below 0 s."""
    seconds = max(0.0, span.total_seconds())
    size, unit = next((one for one in _UNITS if seconds >= 2 * one[0]), _UNITS[-1])
    return f"{seconds / size:.0f} {unit}"


def day_of(seconds: int) -> date:
    """Return the UTC day in which so many seconds after 1970 lie."""
    return datetime.fromtimestamp(seconds, UTC).date()
