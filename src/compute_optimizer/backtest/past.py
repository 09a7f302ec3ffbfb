"""Which windows end before an origin, and the trials of a fleet, wherever its samples are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compute_optimizer.backtest.fleet import FleetFacts, TraceFleet
from compute_optimizer.backtest.options import Options
from compute_optimizer.backtest.trial import TEST_DAYS, TRAIN_DAYS, Trial, make_trial
from compute_optimizer.backtest.worse_data import worsened
from compute_optimizer.errors import InvalidInput

PAST_STRIDE = 7
"""Days between the past windows: every one ends on the same day of the week as the newest."""

HALVES = 2


def origins_of(fleet: FleetFacts) -> tuple[int, ...]:
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


Span = tuple[int, int, int]
"""Of a trial: its origin as a day number, the days before it and the days after it."""


def past_windows(origin: int) -> list[Span]:
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


@dataclass(frozen=True, slots=True)
class View:
    """Which trial of a fleet, and whether its data is made worse."""

    span: Span
    worse: str = ""
    """One of PERTURBATIONS, or nothing."""
    seed: int = 0
    """Of what is drawn to make it worse."""


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """The trials of a fleet over the same options; each is made once."""

    facts: FleetFacts
    options: Options
    seen: Callable[[View], Trial]
    """The trial of a view."""

    def at(self, span: Span) -> Trial:
        """Return the trial of a span, as its data was."""
        return self.seen(View(span))


def trials_of(fleet: TraceFleet, options: Options) -> Trials:
    """Return the trials of a fleet whose samples are at hand."""
    made: dict[View, Trial] = {}

    def seen(view: View) -> Trial:
        if view not in made:
            made[view] = viewed(fleet, options, view)
        return made[view]

    return Trials(fleet.facts, options, seen)


def viewed(fleet: TraceFleet, options: Options, view: View) -> Trial:
    """Return one trial of a fleet."""
    trial = make_trial(fleet, options, *view.span)
    return worsened(trial, view.worse, fleet.ids, view.seed) if view.worse else trial


def check_origins(fleet: FleetFacts, origins: Sequence[int]) -> None:
    """Raise InvalidInput for an origin without days before or after it."""
    for origin in origins:
        if not TRAIN_DAYS <= origin < fleet.days:
            raise InvalidInput(
                f"the origin {fleet.day(origin)} has not {TRAIN_DAYS} days of {fleet.name} before "
                f"it and some after; expected {fleet.day(TRAIN_DAYS)} to "
                f"{fleet.day(fleet.days - 1)}"
            )
