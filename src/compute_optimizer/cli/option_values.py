"""What people write behind an option: shares, days and moments."""

from datetime import UTC, date, datetime

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.spans import span_of
from compute_optimizer.model.written_numbers import number_of


def share_of(option: str, text: str) -> float:
    """Return a share that is written as 0.01 or as 1%; raise InvalidInput for another text."""
    written, percent, rest = text.strip().partition("%")
    number = number_of(written.strip())
    if number is None or rest:
        raise InvalidInput(f"{option} {text!r} is no share; expected 0.01 or 1%")
    return number / (100 if percent else 1)


def day_of(option: str, text: str) -> date:
    """Return a day; raise InvalidInput for another text."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{option} {text!r} is no day; expected one such as 2026-01-31"
        ) from None


def moment_of(option: str, text: str, also: str = "") -> datetime:
    """Return a moment, in UTC where it names no zone, a day's beginning where it is a day.

    Raises InvalidInput, with what the option takes `also`, such as ", or a time such as 14d".
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{option} {text!r} is no moment; expected one in UTC such as 2026-01-31T06:00, or a "
            f"day such as 2026-01-31, which means its beginning{also}"
        ) from None


def moment_after(now: datetime, option: str, text: str) -> datetime:
    """Return the moment that a span such as 14d leads to from now; raise InvalidInput for none."""
    try:
        return now + span_of(option, text)
    except OverflowError:
        raise InvalidInput(
            f"{option} {text!r} lies beyond the calendar; expected a time such as 90d"
        ) from None
