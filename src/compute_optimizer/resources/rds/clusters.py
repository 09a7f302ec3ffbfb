"""The storage of Aurora clusters: Standard, which charges for I/O, against I/O-Optimized."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog.database_classes import AURORA_ENGINES, DatabaseClasses
from compute_optimizer.catalog.database_prices import (
    aurora_storage_rates,
    hourly_database_prices,
)
from compute_optimizer.catalog.database_storage import aurora_rates
from compute_optimizer.catalog.own_prices import OwnPrices
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.savings import SLOTS_PER_MONTH
from compute_optimizer.model.database import AURORA_IO_OPTIMIZED, AURORA_STANDARD, Database
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
)
from compute_optimizer.model.recommendation import HOURS_PER_MONTH
from compute_optimizer.model.units import BYTES_PER_GIB
from compute_optimizer.resources.rds.dimensions import BYTES_USED, READ_IOS, WRITE_IOS

LEAST_DAYS = 14
"""Days of cost usage data that a recommendation needs (spec 2.1); each has a sample."""

MILLION = 1e6
CHOICES = (AURORA_STANDARD, AURORA_IO_OPTIMIZED)
"""Places on the axis of choices."""

STANDARD, IO_OPTIMIZED = range(2)

VARIATIONS = ("None", "Low", "Medium", "High")
"""The service's words for how much the cost of I/O varies."""

VARIATION_LIMITS = (0.1, 0.3, 0.6)
"""Standard deviation of the I/O of a day through its mean: from here on Low, Medium and High
(assumed; the service names no figures)."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterAnalysis:
    """What the arrays say of the clusters of a shard; rows of DB instances say nothing."""

    supported: Booleans
    """(resources,): the engine is one of Aurora's and the storage is known."""
    measured: Booleans
    """(resources,): 14 days of data."""
    priced: Booleans
    """(resources,): every figure that both choices cost is known."""
    now: Integers
    """(resources,): places in CHOICES."""
    costs_usd: Floats
    """(resources, choices, 3): of instances, storage and I/O a month; NaN where unknown."""
    cheaper: Booleans
    """(resources,): Standard today, and I/O-Optimized would cost less."""
    variation: Integers
    """(resources,): places in VARIATIONS, of the I/O of today's storage."""
    days: Integers
    """(resources,): on which every metric has a sample."""
    spread: Floats
    """(resources,): standard deviation of the I/O of a day through its mean."""
    averages: dict[str, Floats]
    """By metric, (resources,): the mean of the window; NaN without samples."""

    @property
    def monthly_usd(self) -> Floats:
        """Return all of it, (resources, choices); NaN where any is unknown."""
        total: Floats = self.costs_usd.sum(axis=2)
        return total


def analyze_clusters(
    databases: Sequence[Database], samples: ShardSamples, classes: DatabaseClasses
) -> ClusterAnalysis:
    """Return what both kinds of storage cost; the databases are in the row order of the samples."""
    rows = len(databases)
    reads, writes = (_series(samples, name, Statistic.SUM, rows) for name in (READ_IOS, WRITE_IOS))
    used = _series(samples, BYTES_USED, Statistic.AVERAGE, rows)
    averages = {
        name: _mean(series)
        for name, series in ((READ_IOS, reads), (WRITE_IOS, writes), (BYTES_USED, used))
    }
    monthly_io = (averages[READ_IOS] + averages[WRITE_IOS]) * SLOTS_PER_MONTH
    gib = averages[BYTES_USED] / BYTES_PER_GIB
    regions, own = [one.region for one in databases], classes.types.own_prices
    costs = _costs_usd(_instances_usd(databases, classes), gib, monthly_io, regions, own)
    usd = costs.sum(axis=2)
    now = np.array([CHOICES.index(one.instance_type) if _known(one) else 0 for one in databases])
    days = np.minimum(np.minimum(_days(reads), _days(writes)), _days(used))
    priced: Booleans = np.all(np.isfinite(usd), axis=1, keepdims=False)
    saves = usd[:, IO_OPTIMIZED] < usd[:, STANDARD]
    spread = _spread(_daily(reads) + _daily(writes))
    variation: Integers = np.searchsorted(VARIATION_LIMITS, spread, side="right")
    return ClusterAnalysis(
        supported=np.array([_known(one) for one in databases], dtype=np.bool_),
        measured=days >= LEAST_DAYS,
        priced=priced,
        now=now,
        costs_usd=costs,
        cheaper=saves & (now == STANDARD),
        variation=np.where(now == STANDARD, variation, 0),
        days=days,
        spread=spread,
        averages=averages,
    )


def _known(one: Database) -> bool:
    return one.is_cluster and one.engine in AURORA_ENGINES and one.instance_type in CHOICES


def _series(samples: ShardSamples, metric: str, statistic: Statistic, rows: int) -> Matrix:
    found = samples.series.get(MetricKey(metric, statistic))
    slots = samples.window.days * SLOTS_PER_DAY
    return np.full((rows, slots), np.nan, np.float32) if found is None else found


def _mean(series: Matrix) -> Floats:
    counts = np.count_nonzero(np.isfinite(series), axis=1)
    total = np.nansum(series, axis=1, dtype=np.float64)
    mean: Floats = np.divide(total, counts, out=np.full(len(series), np.nan), where=counts > 0)
    return mean


def _by_day(series: Matrix) -> Matrix:
    days: Matrix = series.reshape(len(series), -1, SLOTS_PER_DAY)
    return days


def _days(series: Matrix) -> Integers:
    """Return on how many UTC days there is a sample, (resources,)."""
    present = np.isfinite(_by_day(series)).any(axis=2)
    days: Integers = np.count_nonzero(present, axis=1)
    return days


def _daily(series: Matrix) -> Floats:
    """Return the mean slot of every UTC day, (resources, days); NaN for a day without samples."""
    days = _by_day(series)
    counts = np.count_nonzero(np.isfinite(days), axis=2)
    total = np.nansum(days, axis=2, dtype=np.float64)
    mean: Floats = np.divide(total, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    return mean


def _spread(daily: Floats) -> Floats:
    """Return how much I/O by day varies through its mean, (resources,); none does not vary."""
    known = np.isfinite(daily)
    counts = np.maximum(np.count_nonzero(known, axis=1), 1)
    filled = np.where(known, daily, 0.0)
    mean = filled.sum(axis=1) / counts
    squares = np.where(known, (daily - mean[:, None]) ** 2, 0.0).sum(axis=1) / counts
    spread: Floats = np.divide(np.sqrt(squares), mean, out=np.zeros(len(mean)), where=mean > 0)
    return spread


def _instances_usd(databases: Sequence[Database], classes: DatabaseClasses) -> Floats:
    """Return USD a month of all instances of each cluster in Standard, (resources,)."""
    keys = {(one.region, one.engine) for one in databases if one.is_cluster}
    prices = {key: hourly_database_prices(classes, *key, multi_az=False) for key in keys}
    places = classes.types.index
    return np.array(
        [
            sum(
                prices[one.region, one.engine][places[name]] if name in places else np.nan
                for name in one.member_classes
            )
            * HOURS_PER_MONTH
            if one.is_cluster and one.member_classes
            else np.nan
            for one in databases
        ]
    )


def _costs_usd(
    instances: Floats,
    gib: Floats,
    monthly_io: Floats,
    regions: Sequence[str],
    own: OwnPrices,
) -> Floats:
    """Return USD a month of instances, storage and I/O of both choices, (resources, choices, 3)."""
    factors = aurora_rates().instance_factor
    every = []
    for choice in CHOICES:
        found = {region: aurora_storage_rates(region, choice, own) for region in set(regions)}
        rates = np.array([(found[one].gib, found[one].million_io) for one in regions]).reshape(
            -1, 2
        )
        storage, io = gib * rates[:, 0], monthly_io / MILLION * rates[:, 1]
        every.append(np.stack([instances * factors[choice], storage, io], axis=1))
    return np.stack(every, axis=1)
