"""From what functions did to the arrays that decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.lambda_memory import (
    MAXIMUM_ANALYZED_MB,
    MINIMUM_MB,
    expected_factor,
    factor_bounds,
)
from compute_optimizer.catalog.own_prices import OwnPrices
from compute_optimizer.catalog.serverless_prices import LambdaRates, lambda_rates
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import FIT_TOLERANCE
from compute_optimizer.engine.running_time import slots_seen
from compute_optimizer.model.lambda_function import LambdaFunction
from compute_optimizer.model.metrics import SLOTS_PER_HOUR, ShardSamples
from compute_optimizer.model.recommendation import HOURS_PER_MONTH
from compute_optimizer.resources.functions.use import FunctionUse, use_of

MINIMUM_INVOCATIONS = 50
"""In the look-back period (spec 2.1, published)."""

MEMORY_RESERVE = 1.2
"""Memory over the highest use of it (spec 6.4, a proposal)."""

FULL_SHARE = 0.9
"""Use of memory as a share of its size, beyond which it is too small (spec 6.4, a proposal)."""

TIMEOUT_SHARE = 0.8
"""The longest run as a share of the timeout (spec 6.4, a proposal)."""

WORTHWHILE_SHARE = 0.05
"""Share of the cost of duration that a smaller size saves at least (assumed): one megabyte less
is a smaller size too, and nobody's work."""

MEASURED_SHARE = 0.5
"""Share of the slots with invocations whose memory is known at least (assumed): with less, the
highest use of it may well be among those that nobody saw."""

RISK_SHARES = (1 / MEMORY_RESERVE, FULL_SHARE)
"""Highest use of memory as a share of its size up to which the risk is 0 and 1; beyond it is 2, and
3 for all of the memory: such an invocation is ended, or about to be (assumed)."""

BILLED_MB = 1024
"""Lambda's gigabyte."""


@dataclass(frozen=True, slots=True, eq=False)
class FunctionAnalysis:
    """Every intermediate array of one shard of functions; all are (functions,)."""

    use: FunctionUse
    size: Floats
    """MB, as configured."""
    insufficient: Booleans
    """Too few invocations."""
    inconclusive: Booleans
    """Too large to be analyzed, or no figures to be sure of."""
    under: Booleans
    over: Booleans
    for_memory: Floats
    """MB that the highest use of memory asks for; 0 where that is unknown."""
    in_time: Floats
    """MB with which the longest run still ends well before the timeout; 0 where unknown."""
    recommended: Floats
    """MB; holds where `under` or `over`."""
    cost: Floats
    """Of duration at the recommended size, as a share of the present one."""
    lower: Floats
    upper: Floats
    expected: Floats
    """Factors of the mean duration at the recommended size."""
    risk: Integers
    """0 to 3; -1 where the use of memory is unknown."""
    monthly_usd: Floats
    """As it is; NaN where unknown."""
    recommended_usd: Floats
    """The same at the recommended size and the expected duration."""
    low_usd: Floats
    high_usd: Floats
    """The same at the lower and the upper bound of the duration."""
    own: OwnPrices
    """What counted before the shipped prices."""


def analyze(
    functions: Sequence[LambdaFunction], samples: ShardSamples, as_of: datetime, own: OwnPrices
) -> FunctionAnalysis:
    """Return every array that decides; the functions are in the row order of the samples."""
    hours = slots_seen(samples.window, as_of) / SLOTS_PER_HOUR
    use = use_of(samples)
    size = np.array([float(one.memory_size) for one in functions])
    for_memory = np.nan_to_num(use.highest_mb) * MEMORY_RESERVE
    in_time = size * np.nan_to_num(use.highest_ms) / (TIMEOUT_SHARE * _timeouts_ms(functions))
    wanted = _wanted(for_memory, in_time, size)
    recommended = np.minimum(wanted, MAXIMUM_ANALYZED_MB)
    lower, upper = factor_bounds(size, recommended)
    expected = expected_factor(size, recommended)
    full = use.highest_mb > FULL_SHARE * size * (1 + FIT_TOLERANCE)
    insufficient = use.invocations < MINIMUM_INVOCATIONS
    unsure = _unsure(use) | (full & (recommended <= size))
    inconclusive = (size > MAXIMUM_ANALYZED_MB) | (~insufficient & unsure)
    judged = ~insufficient & ~inconclusive
    cost, low, high = recommended / size * np.stack([expected, lower, upper])
    shares = np.stack([np.ones_like(size), cost, low, high])
    rates = [lambda_rates(one.region, one.instance_type, own) for one in functions]
    usd = _monthly(rates, use, size, shares, HOURS_PER_MONTH / hours)
    return FunctionAnalysis(
        use=use,
        size=size,
        insufficient=insufficient,
        inconclusive=inconclusive,
        under=judged & full,
        over=judged & ~full & (recommended < size) & _worthwhile(cost),
        for_memory=for_memory,
        in_time=in_time,
        recommended=recommended,
        cost=cost,
        lower=lower,
        upper=upper,
        expected=expected,
        risk=_risk(use, size),
        monthly_usd=usd[0],
        recommended_usd=usd[1],
        low_usd=usd[2],
        high_usd=usd[3],
        own=own,
    )


def _timeouts_ms(functions: Sequence[LambdaFunction]) -> Floats:
    """Return the timeouts in milliseconds, infinite where unknown."""
    known = [one.timeout_seconds for one in functions]
    return np.array([np.inf if one is None else one * 1000 for one in known])


def _wanted(for_memory: Floats, in_time: Floats, size: Floats) -> Floats:
    """Return the least memory that carries what was used, in whole MB.

    Beside the memory it looks at the timeout: a function that only computes takes the longer the
    less memory it has, and its longest run must still end well in time.
    """
    # A function that is near its timeout already is not made larger for it: waiting would not end.
    least = np.fmax(for_memory, np.minimum(in_time, size))
    whole: Floats = np.ceil(np.maximum(least, MINIMUM_MB) * (1 - FIT_TOLERANCE))
    return whole


def _worthwhile(cost: Floats) -> Booleans:
    """Return where a share of the present cost of duration is low enough."""
    low: Booleans = cost * (1 - FIT_TOLERANCE) <= 1 - WORTHWHILE_SHARE
    return low


def _unsure(use: FunctionUse) -> Booleans:
    unknown: Booleans = np.isnan(use.highest_mb) | np.isnan(use.mean_ms)
    return unknown | (use.memory_share < MEASURED_SHARE)


def _risk(use: FunctionUse, size: Floats) -> Integers:
    share = np.nan_to_num(use.highest_mb) / size
    steps = np.searchsorted(RISK_SHARES, share * (1 - FIT_TOLERANCE), side="left")
    found = steps + (share >= 1)
    return np.where(np.isnan(use.highest_mb), -1, found)


def _monthly(
    rates: Sequence[LambdaRates],
    use: FunctionUse,
    size: Floats,
    shares: Floats,
    per_month: float,
) -> Floats:
    """Return USD a month, as the shares, where duration costs such shares of what it costs now.

    Requests cost the same. `per_month` is how often the time that was looked at fits in a month.
    """
    gb_seconds = use.billed_ms / 1000 * size / BILLED_MB * per_month
    duration = gb_seconds * np.array([one.gb_second for one in rates])
    requests = use.invocations * per_month * np.array([one.request for one in rates])
    usd: Floats = duration * shares + requests
    return usd
