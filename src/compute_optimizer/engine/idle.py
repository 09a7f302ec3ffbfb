"""What idleness is: limits that the use of a resource stays within over its whole window."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.digests import Figure, KeptSeries
from compute_optimizer.engine.dimensions import Combine
from compute_optimizer.engine.explanation import IdleLimitEvidence
from compute_optimizer.engine.figures import known
from compute_optimizer.engine.statistics import BLOCK_ROWS
from compute_optimizer.engine.usage import MINIMUM_SAMPLES, Chosen, counts_by_day, peaks_of
from compute_optimizer.model.metrics import Matrix, MetricKey, Statistic

IDLE_PEAK_CPU = 5.0
"""Percent: the peak lies below (spec 5.1, published)."""

IDLE_NETWORK_MEGABYTES = 5.0
"""Per UTC day, in and out together: every day lies below (spec 5.3, a proposal)."""

MEGABYTE = 1_000_000.0
"""Bytes (spec 15, question 36)."""


class Measure(Enum):
    """What of the samples is held to a limit; several metrics count together."""

    PEAK = "the highest sample"
    DAILY_SUM = "the sum of the busiest UTC day"
    SAMPLES = "the number of samples"
    ACTIVE_SHARE = "the percentage of the samples that are above zero"


@dataclass(frozen=True, slots=True)
class IdleLimit:
    """What the use of an idle resource stays below."""

    metrics: tuple[str, ...]
    measure: Measure
    limit: float
    """In percent, counts, or what `unit` says."""
    inclusive: bool = False
    """Whether the limit itself is still idle: so where the limit is zero."""
    name: str = ""
    """By which another figure may be stated; empty where nothing at all is the limit."""
    unit: float = 1.0
    """What the limit counts in, in the unit of the samples: of megabytes a million bytes."""

    @property
    def bound(self) -> float:
        """Return the limit in the unit of the samples."""
        return self.limit * self.unit


@dataclass(frozen=True, slots=True)
class Required:
    """How much has to be known of each metric before anything is called idle."""

    samples: int = MINIMUM_SAMPLES
    every_day: bool = False
    """A sample on each UTC day of the window but the last, which may have just begun."""


def idle_rows(
    chosen: Chosen, limits: Sequence[IdleLimit], required: Required, days: int, among: Booleans
) -> Integers:
    """Return the rows, of those `among`, that stay within every limit; unknown use is not idle.

    `days` is the length of the window of the samples.
    """
    rows: Integers = np.flatnonzero(among)
    for limit in limits:
        if limit.measure is not Measure.SAMPLES:
            rows = _known(chosen, limit, required, days, rows)
        if len(rows):
            rows = rows[_within(limit, _measured(chosen, limit, days, rows))]
    return rows


def _known(
    chosen: Chosen, limit: IdleLimit, required: Required, days: int, rows: Integers
) -> Integers:
    """Return the rows that sent enough of each metric of the limit."""
    if not all(metric in chosen.series for metric in limit.metrics):
        return rows[:0]
    for metric in limit.metrics:
        rows = rows[_enough(chosen, metric, required, days, rows)]
    return rows


def _enough(chosen: Chosen, metric: str, required: Required, days: int, rows: Integers) -> Booleans:
    if chosen.digest is not None:
        return _enough_by_day(counts_by_day(chosen, metric)[rows], required)
    found = [_enough_of(part, required, days) for part in _blocks(chosen.series[metric], rows)]
    return np.concatenate(found) if found else np.zeros(0, np.bool_)


def _enough_of(series: Matrix, required: Required, days: int) -> Booleans:
    present = np.isfinite(series).reshape(len(series), days if required.every_day else 1, -1)
    return _enough_by_day(np.count_nonzero(present, axis=2), required)


def _enough_by_day(counts: Integers, required: Required) -> Booleans:
    """Return which rows have enough samples, by their number on each day of the window."""
    enough: Booleans = counts.sum(axis=1) >= required.samples
    if required.every_day:
        enough &= np.all(counts[:, :-1] > 0, axis=1)
    return enough


def _measured(chosen: Chosen, limit: IdleLimit, days: int, rows: Integers) -> Floats:
    """Return what the limit is held against, (rows,)."""
    if not any(metric in chosen.series for metric in limit.metrics):
        return np.zeros(len(rows))
    if chosen.digest is not None:
        return _OF_DAYS[limit.measure](chosen, limit, rows)
    known = [chosen.series[metric] for metric in limit.metrics if metric in chosen.series]
    of = _OF[limit.measure]
    parts = zip(*(_blocks(series, rows) for series in known), strict=True)
    return np.concatenate([of(np.stack(part), days) for part in parts])


def _within(limit: IdleLimit, measured: Floats) -> Booleans:
    within: Booleans = measured <= limit.bound if limit.inclusive else measured < limit.bound
    return within


def _blocks(series: Matrix, rows: Integers) -> list[Matrix]:
    """Return the rows a block at a time: it stays in a core's cache."""
    return [series[rows[at : at + BLOCK_ROWS]] for at in range(0, len(rows), BLOCK_ROWS)]


def _peak(parts: Matrix, _days: int) -> Floats:
    found: Floats = np.nansum(parts, axis=0, dtype=np.float64).max(axis=1)
    return found


def _daily_sum(parts: Matrix, days: int) -> Floats:
    totals: Floats = np.nansum(parts, axis=0, dtype=np.float64)
    found: Floats = totals.reshape(len(totals), days, -1).sum(axis=2).max(axis=1)
    return found


def _samples(parts: Matrix, _days: int) -> Floats:
    found: Floats = np.isfinite(parts).any(axis=0).sum(axis=1).astype(np.float64)
    return found


def _active_share(parts: Matrix, _days: int) -> Floats:
    active = np.count_nonzero(parts > 0, axis=2)
    known = np.count_nonzero(np.isfinite(parts), axis=2)
    found: Floats = (100 * active / np.maximum(known, 1)).max(axis=0)
    return found


_OF: Mapping[Measure, Callable[[Matrix, int], Floats]] = {
    Measure.PEAK: _peak,
    Measure.DAILY_SUM: _daily_sum,
    Measure.SAMPLES: _samples,
    Measure.ACTIVE_SHARE: _active_share,
}
"""(metrics, rows, slots), days -> (rows,)."""


def _peak_of_days(chosen: Chosen, limit: IdleLimit, rows: Integers) -> Floats:
    (metric,) = limit.metrics
    peak = peaks_of(chosen, metric, rows).astype(np.float64)
    missing = counts_by_day(chosen, metric)[rows].sum(axis=1) < chosen.slots
    # As in sums, a slot without a sample counts as none.
    return np.where(missing, np.fmax(peak, 0.0), peak)


def _sum_of_days(chosen: Chosen, limit: IdleLimit, rows: Integers) -> Floats:
    assert chosen.digest is not None
    totals = chosen.digest.figure(total_of(limit.metrics).name, Figure.TOTAL)
    found: Floats = totals[rows].max(axis=1)
    return found


_OF_DAYS: Mapping[Measure, Callable[[Chosen, IdleLimit, Integers], Floats]] = {
    Measure.PEAK: _peak_of_days,
    Measure.DAILY_SUM: _sum_of_days,
}
"""What days in short tell."""


def total_of(metrics: Sequence[str]) -> KeptSeries:
    """Return the part that tells the daily sums of counters together."""
    keys = tuple(MetricKey(metric, Statistic.SUM) for metric in metrics)
    return KeptSeries(keys, (Figure.TOTAL,), Combine.SUM)


def told_by_days(limit: IdleLimit, parts: Sequence[KeptSeries]) -> bool:
    """Return whether days in short of which the parts are kept tell what the limit is about."""
    names = {part.name for part in parts}
    if limit.measure is Measure.DAILY_SUM:
        return total_of(limit.metrics).name in names
    single = len(limit.metrics) == 1 and limit.measure is Measure.PEAK
    return single and any(key.metric == limit.metrics[0] for part in parts for key in part.keys)


def limit_evidence(
    chosen: Chosen, limit: IdleLimit, required: Required, days: int
) -> IdleLimitEvidence:
    """Return what the samples of a batch of one say of a limit, whether it holds or not."""
    everybody = np.ones(1, np.bool_)
    rows: Integers = np.flatnonzero(everybody)
    sent = any(metric in chosen.series for metric in limit.metrics)
    counted = limit.measure is Measure.SAMPLES
    value = _measured(chosen, limit, days, rows) if sent or counted else np.array([np.nan])
    return IdleLimitEvidence(
        metrics=limit.metrics,
        measure=limit.measure.value,
        value=known(float(value[0])),
        limit=limit.bound,
        inclusive=limit.inclusive,
        known=counted or bool(len(_known(chosen, limit, required, days, rows))),
        holds=bool(len(idle_rows(chosen, (limit,), required, days, everybody))),
    )
