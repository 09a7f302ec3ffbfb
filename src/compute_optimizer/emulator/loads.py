"""Loads in a few words: "diurnal, 40 % peak" is a shape over time and its highest sample.

What is stated is exact: the highest sample of the period has the stated level, so that a test can
tell what the service will see.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import ceil

import numpy as np

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, Matrix, Window, look_back
from compute_optimizer.scenario.load_shapes import LoadShape, generate_load

EXAMPLE = "diurnal, 40 % peak"

DEFAULT_LEVELS: Mapping[LoadShape, float] = {LoadShape.IDLE: 0.5, LoadShape.SATURATED: 100.0}
"""Percent of shapes that say by their name how high they are: what is idle lies below every limit
of docs/idle.md."""

WORDS = re.compile(
    r"(?P<shape>[a-z]+)?\s*,?\s*(?:(?P<level>\d+(?:\.\d+)?)\s*%(?:\s*(?:at )?peak)?)?",
    re.ASCII | re.IGNORECASE,
)

Stated = str | Sequence[tuple[datetime, float]]
"""In words, or the samples themselves: moments and percent."""


@dataclass(frozen=True, slots=True)
class Load:
    """A shape over time and its highest sample."""

    shape: LoadShape
    peak: float
    """Percent of the capacity."""


@dataclass(frozen=True, slots=True)
class Period:
    """The slots in which something is sent: whole days before a moment, and the day that it is in.

    Nothing is sent from the moment on, nor before `days` times 24 hours.
    """

    window: Window
    first: int
    """The first slot of the window with a sample, and the one after the last."""
    end: int

    @property
    def slots(self) -> int:
        """How many slots the window has."""
        return self.window.days * SLOTS_PER_DAY


def period_before(now: datetime, days: float) -> Period:
    """Return the days before a moment."""
    window = look_back(now, ceil(days) + 1)
    into_day = (now - timedelta(microseconds=1) - _midnight(now)).total_seconds()
    end = (window.days - 1) * SLOTS_PER_DAY + int(into_day // SLOT_SECONDS) + 1
    return Period(window, max(0, end - round(days * SLOTS_PER_DAY)), end)


def _midnight(now: datetime) -> datetime:
    """Return the beginning of the day that ends at or after a moment, as `look_back` counts."""
    before = now - timedelta(microseconds=1)
    return before.replace(hour=0, minute=0, second=0, microsecond=0)


def parse_load(text: str) -> Load:
    """Return the load that a text says; raise InvalidInput that names the text and the shapes."""
    found = WORDS.fullmatch(text.strip())
    name = found and (found["shape"] or (found["level"] and LoadShape.STEADY.value))
    if not found or not name or name.lower() not in set(LoadShape):
        raise InvalidInput(
            f"load {text!r}: expected a shape and its highest percentage, such as {EXAMPLE!r}; "
            f"the shapes are {', '.join(LoadShape)}"
        )
    shape = LoadShape(name.lower())
    level = found["level"] or DEFAULT_LEVELS.get(shape)
    if level is None:
        raise InvalidInput(
            f"load {text!r} does not say how high it is; write '{shape.value}, 40 % peak'"
        )
    if float(level) > 100:
        raise InvalidInput(f"load {text!r}: expected 0 to 100 %, got {level} %")
    return Load(shape, float(level))


def is_idle(stated: Stated) -> bool:
    """Return whether a load says that nothing happens."""
    return isinstance(stated, str) and parse_load(stated).shape is LoadShape.IDLE


def percent_of(stated: Stated, period: Period, rows: int, seed: int) -> Matrix:
    """Return loads in percent, (rows, slots of the window); NaN where nothing is sent.

    The same for the same seed and period. Raises InvalidInput for a load that is none, and for a
    sample outside the period.
    """
    if not isinstance(stated, str):
        return np.repeat(_given(stated, period), rows, axis=0)
    load = parse_load(stated)
    found = generate_load(load.shape, rows, period.window, np.random.default_rng(seed))
    found[:, : period.first] = np.nan
    found[:, period.end :] = np.nan
    highest = np.nanmax(found, axis=1, keepdims=True)
    return np.asarray(found / highest * np.float32(load.peak), np.float32)


def _given(samples: Sequence[tuple[datetime, float]], period: Period) -> Matrix:
    """Return stated samples as one row; of several in a slot the highest stands."""
    row = np.full((1, period.slots), np.nan, np.float32)
    start = datetime.combine(period.window.first, time(), UTC)
    for moment, value in samples:
        if moment.tzinfo is None:
            raise InvalidInput(f"the sample of {moment.isoformat()} has no time zone; add UTC")
        slot = int((moment - start).total_seconds() // SLOT_SECONDS)
        if not 0 <= slot < period.end:
            raise InvalidInput(
                f"the sample of {moment.isoformat()} lies outside the days that are sent; give "
                "more `days`, and no moment in the future of the emulator's clock"
            )
        if not 0 <= value <= 100:
            raise InvalidInput(
                f"the sample of {moment.isoformat()} is {value}; expected 0 to 100 %"
            )
        row[0, slot] = np.fmax(row[0, slot], value)
    return row
