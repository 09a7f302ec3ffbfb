"""Whether more of what a resource was asked for failed after a change than before it.

What fails is counted against what was tried, so that it can be told without knowing any capacity.
Failures have other causes than a change, so only a clear rise counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.reached import Reached
from compute_optimizer.engine.statistics import NORMAL_95
from compute_optimizer.model.metrics import MetricKey, ShardSamples

TOLERATED_RISE = 0.001
"""Share of what was tried by which failures may rise: that of the samples in which a capacity may
be exceeded (docs/risk.md). Our decision, as is what counts as chance."""


@dataclass(frozen=True, slots=True)
class FailureShare:
    """Failures of one kind, and what they are a share of."""

    name: str
    failed: MetricKey
    """A count in each slot."""
    tried: tuple[MetricKey, ...]
    """Counts that add up to what was tried."""


def counts_of(shares: Sequence[FailureShare]) -> frozenset[MetricKey]:
    """Return the series that shares are counted from."""
    return frozenset(key for one in shares for key in (one.failed, *one.tried))


def with_failures(
    came: Reached, shares: Sequence[FailureShare], before: ShardSamples, after: ShardSamples
) -> Reached:
    """Return what became of changed resources with a further dimension for each share.

    `before` and `after` have the rows of `came`. A share counts where anything became smaller, and
    is unseen unless both its sides were sent.
    """
    smaller: Booleans = np.any(came.smaller, axis=1, keepdims=True)
    seen, more = rises(shares, before, after)
    return Reached(
        dimensions=(*came.dimensions, *(one.name for one in shares)),
        known=np.hstack([came.known, np.ones_like(seen)]),
        seen=np.hstack([came.seen, seen]),
        smaller=np.hstack([came.smaller, np.tile(smaller, len(shares))]),
        reached=np.hstack([came.reached, more & smaller]),
    )


def rises(
    shares: Sequence[FailureShare], before: ShardSamples, after: ShardSamples
) -> tuple[Booleans, Booleans]:
    """Return where both sides of each share were sent, and where clearly more of it failed after.

    Both are (resources, shares); the rows of `before` and `after` agree.
    """
    shape = len(before.resource_arns), len(shares)
    seen, more = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for place, share in enumerate(shares):
        seen[:, place], more[:, place] = _rise(share, before, after)
    return seen, more


def _rise(
    share: FailureShare, before: ShardSamples, after: ShardSamples
) -> tuple[Booleans, Booleans]:
    """Return where both sides were sent, and where clearly more failed, (resources,)."""
    failed_before, tried_before = _counts(share, before)
    failed, tried = _counts(share, after)
    seen: Booleans = np.isfinite(failed_before + failed) & (tried_before > 0) & (tried > 0)
    former = np.divide(failed_before, tried_before, out=np.zeros(len(seen)), where=seen)
    # Of rare events a count scatters by its root: a rise that may be chance is none.
    at_least = np.where(seen, failed - NORMAL_95 * np.sqrt(failed), 0.0)
    return seen, seen & (at_least > (former + TOLERATED_RISE) * tried)


def _counts(share: FailureShare, samples: ShardSamples) -> tuple[Floats, Floats]:
    """Return what failed, NaN where nobody sent it, and what was tried, (resources,)."""
    tried = sum((np.nan_to_num(_total(one, samples)) for one in share.tried), start=0.0)
    return _total(share.failed, samples), np.asarray(tried, np.float64)


def _total(key: MetricKey, samples: ShardSamples) -> Floats:
    """Return the sum of a series over its slots; NaN where it has no sample."""
    if key not in samples.series:
        return np.full(len(samples.resource_arns), np.nan)
    series = samples.series[key]
    total: Floats = np.nansum(series, axis=1, dtype=np.float64)
    total[np.isnan(series).all(axis=1)] = np.nan
    return total
