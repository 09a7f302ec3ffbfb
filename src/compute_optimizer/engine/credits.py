"""CPU credits of burstable types in standard mode, simulated over the samples.

A slot earns the baseline and spends the use; the balance starts at zero, as on a fresh launch,
and holds at most what 24 hours earn. A slot that needs more than the balance is a shortage.
In units of the resource's own percent a type is one number, its baseline b: the balance gains
b - use per slot within [0, 288 b]. A higher baseline is never worse, so a few trials by halving
settle a resource's burstable candidates.
"""

import numpy as np

from compute_optimizer.catalog.instance_types import CREDIT_BALANCE_HOURS
from compute_optimizer.engine.arrays import Booleans, Floats, Integers, Singles
from compute_optimizer.engine.mean_use import MeanUse, mean_use_of
from compute_optimizer.engine.statistics import count_above
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, Matrix

BALANCE_SLOTS = CREDIT_BALANCE_HOURS * 3600 // SLOT_SECONDS
"""Slots of earnings that the balance holds."""

FEW_PAIRS = 1_000
"""Pairs of resource and type; so few cost about as much to simulate as one, so all are tried."""

CREDITS_PER_VCPU_HOUR = 60.0
"""One credit is one vCPU at full speed for one minute (Amazon EC2 User Guide)."""


def affordable(
    series: Matrix, baselines: Floats, allowed: Floats, wanted: Booleans, percent: float
) -> Booleans:
    """Return which wanted pairs keep their shortage within what is allowed.

    `series` is (resources, slots) in percent; `baselines`, `wanted` and `allowed` (share of
    samples, at most what the threshold `percent` forgives) are (resources, burstable types).
    """
    use = mean_use_of(series, percent)
    verdict, pending = settled_by_bounds(use, baselines, allowed, wanted)
    return verdict | simulated(series, use.counts, baselines, allowed, pending)


def settled_by_bounds(
    use: MeanUse, baselines: Floats, allowed: Floats, wanted: Booleans
) -> tuple[Booleans, Booleans]:
    """Return pairs that pass without a simulation, and pairs still open.

    Passes: use lies above the baseline no more often than is allowed. Fails: what is spent beyond
    all earnings needs more slots of shortage than allowed, even at the highest use.
    """
    counts = use.counts[:, None]
    # A count that fills the tail is more than any share below the threshold allows.
    passed = wanted & (count_above(use.tail, baselines) <= allowed * counts)
    beyond = use.spent[:, None] - baselines * counts
    worst = np.maximum(use.tail[:, :1] - baselines, np.finfo(np.float32).tiny)
    failed = beyond > worst * (allowed * counts + 1)
    return passed, wanted & ~passed & ~failed


def simulated(
    series: Matrix, counts: Integers, baselines: Floats, allowed: Floats, pairs: Booleans
) -> Booleans:
    """Return which of the pairs keep their shortage within what is allowed.

    `counts` (resources,) are the samples of the series; all else as for `affordable`.
    """
    verdict, pending = np.zeros_like(pairs), pairs.copy()
    order = np.argsort(baselines, axis=1)
    while np.count_nonzero(pending) > FEW_PAIRS:
        rows = np.flatnonzero(pending.any(axis=1))
        trial = _middle(pending[rows], order[rows])
        tried = baselines[rows, trial]
        found = shortages(series[rows], tried)[:, None]
        affords = found <= allowed[rows] * counts[rows, None]
        passed = pending[rows] & affords & (baselines[rows] >= tried[:, None])
        failed = pending[rows] & ~affords & (baselines[rows] <= tried[:, None])
        verdict[rows] |= passed
        pending[rows] &= ~(passed | failed)
    rows, types = np.nonzero(pending)
    if len(rows):
        found = shortages(series[rows], baselines[rows, types])
        verdict[rows, types] = found <= allowed[rows, types] * counts[rows]
    return verdict


def _middle(pending: Booleans, order: Integers) -> Integers:
    """Return for each row the pending column of median baseline; every row has one."""
    ordered = np.take_along_axis(pending, order, axis=1)
    rank = np.cumsum(ordered, axis=1)
    middle = np.argmax(rank == (rank[:, -1:] + 1) // 2, axis=1)
    found: Integers = np.take_along_axis(order, middle[:, None], axis=1)[:, 0]
    return found


def shortages(series: Matrix, baselines: Floats) -> Integers:
    """Return in how many slots each row's credits run out, by simulation.

    Slots without a sample neither earn nor spend: a stopped instance earns nothing.
    """
    earned = baselines.astype(np.float32)
    ceiling = earned * np.float32(BALANCE_SLOTS)
    balance, nothing = np.zeros((2, len(series)), np.float32)
    found = np.zeros(len(series), np.int64)
    for start in range(0, series.shape[1], SLOTS_PER_DAY):
        balances = _gains(series[:, start : start + SLOTS_PER_DAY], earned)
        for after in balances:
            after += balance
            np.maximum(after, nothing, out=balance)
            np.minimum(balance, ceiling, out=balance)
        found += np.count_nonzero(balances < 0, axis=0)
    return found


def _gains(day: Matrix, earned: Singles) -> Singles:
    """Return the change of balance per slot, (slots, resources), each slot contiguous."""
    gains = np.ascontiguousarray(day.T)
    np.subtract(earned, np.maximum(gains, 0, out=gains), out=gains)
    gains[np.isnan(gains)] = 0
    return gains
