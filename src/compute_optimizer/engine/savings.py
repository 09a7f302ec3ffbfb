"""Estimated savings at public list prices."""

import numpy as np

from compute_optimizer.engine.arrays import Floats
from compute_optimizer.model.recommendation import HOURS_PER_MONTH


def monthly_savings(current: Floats, option: Floats) -> tuple[Floats, Floats]:
    """Return USD per month and percent of the current price; zero where the option costs more.

    Prices are USD per hour and broadcast; NaN where either is unknown.
    """
    difference = np.maximum(current - option, 0.0)
    return difference * HOURS_PER_MONTH, difference / current * 100
