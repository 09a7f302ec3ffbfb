"""Which EC2 instances are idle."""

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Singles
from compute_optimizer.engine.usage import MINIMUM_SAMPLES, Chosen, count_samples
from compute_optimizer.model.metrics import SLOTS_PER_DAY

IDLE_PEAK_CPU = 5.0
"""Percent: the peak lies below (spec 5.1, published)."""

IDLE_NETWORK_BYTES = 5_000_000
"""Bytes per UTC day, in and out together: every day lies below (spec 5.3, a proposal)."""

NETWORK_BYTES = ("NetworkIn", "NetworkOut")


def idle(chosen: Chosen, peak_cpu: Singles) -> Booleans:
    """Return which resources are idle, (resources,); unknown network traffic is not idle."""
    found = np.zeros(chosen.rows, dtype=np.bool_)
    if not all(metric in chosen.series for metric in NETWORK_BYTES):
        return found
    quiet = np.flatnonzero(peak_cpu < IDLE_PEAK_CPU)
    directions = [chosen.series[metric][quiet] for metric in NETWORK_BYTES]
    known = np.logical_and.reduce([count_samples(d) >= MINIMUM_SAMPLES for d in directions])
    inbound, outbound = (_daily_sums(direction) for direction in directions)
    daily = inbound + outbound
    found[quiet] = known & (daily < IDLE_NETWORK_BYTES).all(axis=1)
    return found


def _daily_sums(series: Singles) -> Floats:
    days = series.reshape(len(series), series.shape[1] // SLOTS_PER_DAY, SLOTS_PER_DAY)
    sums: Floats = np.nansum(days, axis=2, dtype=np.float64)
    return sums
