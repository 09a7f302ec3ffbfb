"""Estimated savings at public list prices."""

import numpy as np

from compute_optimizer.engine.arrays import Floats
from compute_optimizer.model.metrics import SLOT_SECONDS
from compute_optimizer.model.recommendation import HOURS_PER_MONTH, Savings

SLOTS_PER_MONTH = HOURS_PER_MONTH * 3600 / SLOT_SECONDS
"""Of the month that prices are for."""

WORTHWHILE_USD = 0.01
"""A month: the least that somebody is paid; smaller differences are rounding."""


def monthly_savings(current: Floats, option: Floats) -> tuple[Floats, Floats]:
    """Return USD per month and percent of the current price; zero where the option costs more.

    Prices are USD per hour and broadcast; NaN where either is unknown.
    """
    difference = np.maximum(current - option, 0.0)
    return difference * HOURS_PER_MONTH, difference / current * 100


def savings_of(now: float | None, then: float | None, times: float = 1.0) -> Savings | None:
    """Return what is saved of a price, which counts so many times; nothing where more is paid.

    None where a price is unknown (spec 3.9).
    """
    if now is None or then is None:
        return None
    saved = max(now - then, 0.0)
    return Savings(saved / now * 100 if now else 0.0, saved * times)
