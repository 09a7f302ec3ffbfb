"""The option --as-of: a past day or moment up to which samples are looked at."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock

AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="Day (to its end) or moment in UTC up to which samples are looked at."
    ),
]


def as_of_moment(given: str | None, clock: Clock, option: str = "--as-of") -> datetime | None:
    """Return the moment that --as-of, or another option, names; None when it was not given.

    A day means its end, or the present moment when it is today. Raises InvalidInput.
    """
    if given is None:
        return None
    try:
        return _moment(given, clock)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{option} {given!r} is no moment; expected a day such as 2026-01-31, or "
            "2026-01-31T06:00"
        ) from None


def _moment(given: str, clock: Clock) -> datetime:
    if _is_day(given):
        return _end_of_day(date.fromisoformat(given), clock)
    moment = datetime.fromisoformat(given)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _is_day(given: str) -> bool:
    try:
        date.fromisoformat(given)
    except ValueError:
        return False
    return True


def _end_of_day(day: date, clock: Clock) -> datetime:
    now = clock.now()
    return now if day == now.date() else datetime.combine(day, time(), UTC) + timedelta(days=1)
