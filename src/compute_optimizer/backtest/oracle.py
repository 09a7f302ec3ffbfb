"""The oracle: the most that could be saved, knowing the test window."""

import numpy as np

from compute_optimizer.backtest.trial import Trial
from compute_optimizer.engine.arrays import Integers


def oracle(trial: Trial, violations: int) -> Integers:
    """Return the options of unclipped resources that save most with so many violations.

    Every resource first gets its cheapest harmless option; the violations then go to those where
    the cheapest option of all saves most beyond that. Each costs one, so greed is optimal.
    """
    counted = trial.counted
    rows = np.arange(len(counted))
    current = trial.current[counted]
    harmless = ~trial.harm.excess[counted]
    # Options stand in the order of their price, and the current one is always harmless.
    safe = np.minimum(harmless.argmax(axis=1), current)
    gain = trial.options.price[safe] - trial.options.price[0]
    spent = np.lexsort((rows, -gain))[:violations]
    chosen: Integers = safe.copy()
    chosen[spent[gain[spent] > 0]] = 0
    return chosen
