"""Whether what came agrees with what was predicted."""

from enum import StrEnum

from compute_optimizer.backtest.intervals import wilson


class Agreement(StrEnum):
    """How a predicted number of events compares with the number that came."""

    UNTOLD = "too few to tell"
    """Nothing was predicted."""
    AGREES = "as predicted"
    """Within the 95 % interval of what came."""
    MORE = "more than predicted"
    FEWER = "fewer than predicted"


def agreement(expected: float, observed: int, number: int) -> Agreement:
    """Return how `expected` events compare with those observed among a number of changes."""
    if not number:
        return Agreement.UNTOLD
    low, high = (share * number for share in wilson(observed, number))
    if expected < low:
        return Agreement.MORE
    return Agreement.FEWER if expected > high else Agreement.AGREES
