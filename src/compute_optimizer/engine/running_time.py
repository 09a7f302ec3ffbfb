"""How much of the look-back period an analysis can have seen."""

from datetime import UTC, datetime, time, timedelta
from math import ceil

from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, Window


def slots_seen(window: Window, as_of: datetime) -> int:
    """Return how many slots of the window begin before `as_of`, at least one.

    The last day of a window may have just begun: what is extrapolated from it would be too little.
    """
    begin = datetime.combine(window.first, time(), UTC)
    seen = ceil((as_of - begin) / timedelta(seconds=SLOT_SECONDS))
    return max(1, min(seen, window.days * SLOTS_PER_DAY))
