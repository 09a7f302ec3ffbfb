"""When jobs are due: a cron expression or an interval, as a setting spells it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.job_run import NextAfter

OFF = "off"

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

DAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Of cron's numbers 0 to 7. The scheduler's library counts from Monday, so that numbers would mean
other days than in every crontab."""

EXPECTED = (
    "expected an interval such as 30s, 15m, 6h or 1d, a cron expression of five fields such as "
    f"'0 4 * * *' (UTC), or {OFF}"
)

_INTERVAL = re.compile(r"([1-9]\d{0,5})([smhd])", re.ASCII)
_DAY_NUMBER = re.compile(r"(?<![/\d#])[0-7](?!\d)")
_TICK = timedelta(microseconds=1)
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job is due."""

    text: str
    """As it was given."""
    next_after: NextAfter


def parse_schedule(text: str) -> Schedule | None:
    """Return the schedule that a setting spells; None for `off`. Raises InvalidInput."""
    word = " ".join(text.lower().split())
    if word == OFF:
        return None
    if found := _INTERVAL.fullmatch(word):
        every = timedelta(**{UNITS[found[2]]: int(found[1])})
        return Schedule(word, lambda moment: moment + every)
    return Schedule(word, _next_by_cron(text, word))


def _next_by_cron(text: str, word: str) -> NextAfter:
    # Imported here: it takes as long as a short command, and only worker and status need it.
    from apscheduler.triggers.cron import CronTrigger

    fields = word.split(" ")
    if len(fields) != 5:
        raise InvalidInput(f"{text!r} is no schedule; {EXPECTED}")
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        raise InvalidInput(
            f"{text!r} names days of the month and of the week, which programs understand "
            "differently; leave one of them *"
        )
    weekday = _DAY_NUMBER.sub(lambda number: DAY_NAMES[int(number[0])], weekday)
    try:
        trigger = CronTrigger.from_crontab(
            " ".join((minute, hour, day, month, weekday)), timezone=UTC
        )
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no schedule: {error}; {EXPECTED}") from None
    if trigger.get_next_fire_time(None, _ANY_TIME) is None:
        raise InvalidInput(f"{text!r} never comes; {EXPECTED}")

    def next_after(moment: datetime) -> datetime:
        found: datetime = trigger.get_next_fire_time(None, moment.astimezone(UTC) + _TICK)
        return found

    return next_after
