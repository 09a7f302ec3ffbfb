"""Which windows end before an origin."""

from collections.abc import Callable, Sequence

from compute_optimizer.backtest.fleet import TraceFleet
from compute_optimizer.backtest.options import Options
from compute_optimizer.backtest.trial import TEST_DAYS, TRAIN_DAYS, Trial, make_trial
from compute_optimizer.errors import InvalidInput

PAST_STRIDE = 7
"""Days between the past windows: every one ends on the same day of the week as the newest."""

HALVES = 2


def origins_of(fleet: TraceFleet) -> tuple[int, ...]:
    """Return the day numbers of the origins: the trace's own, or as many whole tests as fit.

    Without a protocol of its own the last test window ends with the fleet's last day, and test
    windows do not overlap. Raises InvalidInput where not even one fits.
    """
    if fleet.origins:
        return tuple(fleet.day_number(day) for day in fleet.origins)
    return following_origins(fleet.days, fleet.name)


def following_origins(days: int, name: str) -> tuple[int, ...]:
    """Return the day numbers of as many whole tests as fit, the last one ending with the last day.

    Raises InvalidInput where not even one fits.
    """
    last = days - TEST_DAYS
    if last < TRAIN_DAYS:
        raise InvalidInput(
            f"{name} has {days} days of samples; a backtest needs {TRAIN_DAYS} days to learn from "
            f"and {TEST_DAYS} to test on: import older metrics"
        )
    return tuple(range(last, TRAIN_DAYS - 1, -TEST_DAYS))[::-1]


def past_windows(origin: int) -> list[tuple[int, int, int]]:
    """Return (origin, train days, test days) of windows that end at or before an origin.

    Where no whole one does, the days before the origin are halved: a shorter past is better than
    none, and the answer says so.
    """
    starts = range(origin - TEST_DAYS, TRAIN_DAYS - 1, -PAST_STRIDE)
    whole = [(start, TRAIN_DAYS, TEST_DAYS) for start in starts]
    if whole:
        return whole
    half = min(origin, TRAIN_DAYS) // HALVES
    return [(origin - half, half, half)]


Maker = Callable[[int, int, int], Trial]


def trial_maker(fleet: TraceFleet, options: Options) -> Maker:
    """Return what makes the trials of a fleet, each once."""
    made: dict[tuple[int, int, int], Trial] = {}

    def make(origin: int, train_days: int, test_days: int) -> Trial:
        key = (origin, train_days, test_days)
        if key not in made:
            made[key] = make_trial(fleet, options, origin, train_days, test_days)
        return made[key]

    return make


def check_origins(fleet: TraceFleet, origins: Sequence[int]) -> None:
    """Raise InvalidInput for an origin without days before or after it."""
    for origin in origins:
        if not TRAIN_DAYS <= origin < fleet.days:
            raise InvalidInput(
                f"the origin {fleet.day(origin)} has not {TRAIN_DAYS} days of {fleet.name} before "
                f"it and some after; expected {fleet.day(TRAIN_DAYS)} to "
                f"{fleet.day(fleet.days - 1)}"
            )
