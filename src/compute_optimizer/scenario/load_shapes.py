"""Load shapes: how busy a machine is over time, as shares of its capacity.

Every shape is a function (rows, times, generator) -> (rows, slots) float32 around 1.0 at its busy
times; the caller scales it to the level of each resource. The figures below describe no real
machine: they are round numbers that make each shape recognizable in a chart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    SLOTS_PER_HOUR,
    Matrix,
    Window,
)

NIGHT_SHARE = 0.25
"""Load at the quietest hour of a diurnal machine, as a share of its busiest hour."""

WEEKEND_SHARE = 0.30
"""Load on a weekend day of a weekly machine, as a share of a weekday's."""

QUIET_SHARE = 0.15
"""Load of a bursty machine between its bursts, as a share of a burst's."""

BURSTS_PER_DAY = 3.0
BURST_HOURS = 0.75
"""Mean number and length of the bursts of a bursty machine."""

GROWTH_START_SHARE = 0.35
"""Load of a growing machine on the first day, as a share of the last day's."""


class LoadShape(StrEnum):
    """The kinds of load that are generated."""

    STEADY = "steady"
    DIURNAL = "diurnal"
    WEEKLY = "weekly"
    BURSTY = "bursty"
    GROWING = "growing"
    IDLE = "idle"
    SATURATED = "saturated"


@dataclass(frozen=True, slots=True)
class Times:
    """Where each slot of a window lies in time; every array has shape (slots,)."""

    hour_of_day: NDArray[np.float32]
    """0 to 24, UTC."""
    weekend: NDArray[np.bool_]
    progress: NDArray[np.float32]
    """0 at the start of the window, 1 at its end."""


def times_of(window: Window) -> Times:
    """Return the place in time of every slot of a window."""
    slots = np.arange(window.days * SLOTS_PER_DAY)
    weekday = (window.first.weekday() + slots // SLOTS_PER_DAY) % 7
    return Times(
        hour_of_day=(slots % SLOTS_PER_DAY / SLOTS_PER_HOUR).astype(np.float32),
        weekend=weekday >= 5,
        progress=(slots / max(1, len(slots) - 1)).astype(np.float32),
    )


def generate_load(
    shape: LoadShape, rows: int, window: Window, generator: np.random.Generator
) -> Matrix:
    """Return the load of `rows` machines, (rows, slots) float32, about 1.0 where they are busy."""
    load = _SHAPES[shape](rows, times_of(window), generator)
    return np.maximum(load, 0).astype(np.float32)


def _steady(rows: int, times: Times, generator: np.random.Generator) -> Matrix:
    return _jitter(rows, times, generator, 0.04) + np.float32(0.92)


def _diurnal(rows: int, times: Times, generator: np.random.Generator) -> Matrix:
    busiest = generator.normal(14.0, 1.5, (rows, 1)).astype(np.float32)
    wave = (1 + np.cos((times.hour_of_day - busiest) * np.float32(2 * np.pi / 24))) / 2
    day: Matrix = (NIGHT_SHARE + (1 - NIGHT_SHARE) * wave).astype(np.float32)
    return day * (1 + _jitter(rows, times, generator, 0.06))


def _weekly(rows: int, times: Times, generator: np.random.Generator) -> Matrix:
    week = np.where(times.weekend, WEEKEND_SHARE, 1.0).astype(np.float32)
    return _diurnal(rows, times, generator) * week


def _bursty(rows: int, times: Times, generator: np.random.Generator) -> Matrix:
    slots = len(times.hour_of_day)
    starts = generator.random((rows, slots)) < BURSTS_PER_DAY / SLOTS_PER_DAY
    length = np.ceil(generator.exponential(BURST_HOURS * SLOTS_PER_HOUR, (rows, slots)))
    ends = np.where(starts, np.arange(slots) + length, 0)
    bursting = np.maximum.accumulate(ends, axis=1) > np.arange(slots)
    level: Matrix = np.where(bursting, 1.0, QUIET_SHARE).astype(np.float32)
    return level * (1 + _jitter(rows, times, generator, 0.08))


def _growing(rows: int, times: Times, generator: np.random.Generator) -> Matrix:
    growth = GROWTH_START_SHARE + (1 - GROWTH_START_SHARE) * times.progress
    return _diurnal(rows, times, generator) * growth.astype(np.float32)


def _idle(rows: int, times: Times, generator: np.random.Generator) -> Matrix:
    return np.abs(_jitter(rows, times, generator, 0.2)) + np.float32(0.2)


def _saturated(rows: int, times: Times, generator: np.random.Generator) -> Matrix:
    return _jitter(rows, times, generator, 0.02) + np.float32(1.0)


def _jitter(rows: int, times: Times, generator: np.random.Generator, deviation: float) -> Matrix:
    shape = (rows, len(times.hour_of_day))
    return generator.standard_normal(shape, dtype=np.float32) * np.float32(deviation)


_SHAPES: Mapping[LoadShape, Callable[[int, Times, np.random.Generator], Matrix]] = {
    LoadShape.STEADY: _steady,
    LoadShape.DIURNAL: _diurnal,
    LoadShape.WEEKLY: _weekly,
    LoadShape.BURSTY: _bursty,
    LoadShape.GROWING: _growing,
    LoadShape.IDLE: _idle,
    LoadShape.SATURATED: _saturated,
}
