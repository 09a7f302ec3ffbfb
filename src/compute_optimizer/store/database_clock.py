"""The clock of a PostgreSQL, which all who share its state go by, whatever their machines tell.

A lease, a sign of life and an expiry are written on one machine and judged on another. So the
state looks at the database's time now and then, on a connection that is open anyway, and notes by
how much the machine's clock is off. Nobody waits for the database to know what time it is.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Connection, func, select

from compute_optimizer.interfaces import Clock

log = logging.getLogger(__name__)

TOLERATED = timedelta(seconds=1)
"""How far a machine's clock may be off and count as right, beside what the look itself leaves open:
clocks that are kept by NTP never move, so time does not jump by milliseconds at every look."""

BETWEEN_LOOKS = 60.0
"""Seconds after which the database's time is looked at again."""


@dataclass(frozen=True, slots=True)
class DatabaseClock:
    """Tells the time of the database at a URL; as good as the machine's before the first look.

    Pickled as what it is made of: on another machine it goes by what the state finds there.
    """

    url: str = field(repr=False)
    """May hold a password."""
    machine: Clock

    def now(self) -> datetime:
        """Return the present moment, timezone-aware in UTC."""
        moment, seen = self.machine.now(), _seen.get(self)
        return moment if seen is None else moment + seen.behind


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of a look."""

    behind: timedelta
    """What the machine's clock lacks."""
    moment: datetime
    """By the machine's clock."""
    at: float
    """The same by a clock that nobody sets."""


_seen: dict[DatabaseClock, _Seen] = {}
"""One for each database that this process has open."""


def look(
    clock: DatabaseClock, connection: Connection, seconds: Callable[[], float] = monotonic
) -> None:
    """Hold the machine's clock against the database's, where the last look is no longer good."""
    before, at, seen = clock.machine.now(), seconds(), _seen.get(clock)
    if seen is not None and is_good(seen.moment, seen.at, before, at):
        return
    told = connection.execute(select(func.clock_timestamp())).scalar_one()
    after = clock.machine.now()
    known = timedelta() if seen is None else seen.behind
    behind = lag(before, told, after, known)
    if behind != known:
        log.warning("%s", in_words(behind))
    _seen[clock] = _Seen(behind, after, seconds())


def behind_here() -> timedelta:
    """Return what this machine's clock lacks, by the database that it differs from the most."""
    return max((one.behind for one in _seen.values()), key=abs, default=timedelta())


def is_good(moment: datetime, at: float, now: datetime, seconds: float) -> bool:
    """Return whether what was seen holds: not long ago, and nobody has set the machine's clock.

    `moment` and `now` are the machine's time, `at` and `seconds` that of a clock that nobody sets.
    """
    gone = seconds - at
    return gone < BETWEEN_LOOKS and abs((now - moment) - timedelta(seconds=gone)) <= TOLERATED


def lag(before: datetime, told: datetime, after: datetime, known: timedelta) -> timedelta:
    """Return what a machine's clock lacks that told `before` and `after` around the database's.

    What is `known` stands unless the look shows clearly that it is wrong.
    """
    open_ended = (after - before) / 2
    found = told - (before + open_ended)
    for one in (known, timedelta()):
        if abs(found - one) <= TOLERATED + abs(open_ended):
            return one
    return found


def in_words(behind: timedelta, machine: str = "this machine") -> str:
    """Return what a machine's clock is, for its operator."""
    if not behind:
        return f"the clock of {machine} agrees with PostgreSQL's again"
    way = "ahead of" if behind < timedelta() else "behind"
    return (
        f"the clock of {machine} is {timedelta(seconds=round(abs(behind).total_seconds()))} "
        f"{way} PostgreSQL's, whose time is gone by here; set it right, or requests to S3 and AWS "
        "are refused"
    )
