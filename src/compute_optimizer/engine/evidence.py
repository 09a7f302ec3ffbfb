"""Evidence that is told alike for every resource type, from the arrays of a batch of one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import numpy as np

from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.engine.dimensions import Dimension
from compute_optimizer.engine.explanation import (
    ChoiceEvidence,
    DimensionEvidence,
    History,
    MetricEvidence,
    Refusal,
)
from compute_optimizer.engine.figures import DECIMALS, known
from compute_optimizer.engine.statistics import highest, percentile
from compute_optimizer.engine.usage import MINIMUM_SAMPLES, Chosen, DimensionUsage, count_samples
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    Statistic,
    Window,
)

ONLY = 0
"""The row of a batch of one."""


def history_of(
    series: Matrix | None, window: Window, of: str, needed: int = MINIMUM_SAMPLES
) -> History:
    """Return how much history the series of one metric has; None is no sample at all."""
    slots = np.empty(0, np.int64) if series is None else np.flatnonzero(np.isfinite(series[ONLY]))
    begin = datetime.combine(window.first, time(), UTC)
    moments = [begin + timedelta(seconds=SLOT_SECONDS * slot) for slot in slots.tolist()]
    return History(
        of=of,
        days=window.days,
        days_with_data=len(np.unique(slots // SLOTS_PER_DAY)),
        share=len(slots) / (window.days * SLOTS_PER_DAY),
        samples=len(slots),
        samples_needed=needed,
        oldest=min(moments, default=None),
        newest=max(moments, default=None),
    )


def chosen_metrics(chosen: Chosen, exact: Mapping[str, Statistic]) -> Iterator[MetricEvidence]:
    """Yield the metrics of which one series each was chosen.

    `exact` holds the statistic of those that are no averages.
    """
    for metric, series in chosen.series.items():
        averaged = chosen.averaged[metric][ONLY]
        yield metric_evidence(
            MetricKey(metric, Statistic.AVERAGE if averaged else exact[metric]), series
        )


def metric_evidence(key: MetricKey, series: Matrix) -> MetricEvidence:
    """Return what is known of one metric; sums over a slot are told per second."""
    count = int(count_samples(series)[ONLY])
    scale = 1 / SLOT_SECONDS if key.statistic is Statistic.SUM else 1.0
    peak = known(float(highest(series)[ONLY]) * scale)
    return MetricEvidence(
        metric=key.metric,
        statistic=key.statistic.value,
        samples=count,
        missing_share=1 - count / series.shape[1],
        maximum=None if peak is None else round(peak, DECIMALS),
    )


def forgiven_hours(percentile: float, samples: int) -> float:
    """Return how many hours of samples lie above a percentile, which it forgives."""
    return (1 - percentile / 100) * samples * SLOT_SECONDS / 3600


@dataclass(frozen=True, slots=True)
class DimensionNeed:
    """What one dimension asks of a batch of one, in its unit; NaN where unknown."""

    percentile: float
    headroom: float
    scale: float
    """The unit per unit of a sample."""
    required: float
    limit: float
    """NaN where nothing is asked."""
    capacity: float
    risk: float


def dimension_evidence(
    dimension: Dimension, used: DimensionUsage, asked: DimensionNeed
) -> DimensionEvidence:
    """Return how one dimension's demand came about, and what it asks."""
    count = int(used.counts[ONLY])
    return DimensionEvidence(
        dimension=dimension.name,
        unit=dimension.unit,
        samples=count,
        percentile=asked.percentile,
        forgiven_hours=forgiven_hours(asked.percentile, count),
        maximum=known(float(used.tail[ONLY, 0]) * asked.scale),
        demand=known(asked.scale * float(_at(used, asked.percentile))),
        headroom=asked.headroom,
        required=known(asked.required),
        limit=known(asked.limit),
        current_capacity=known(asked.capacity),
        current_risk=known(asked.risk),
    )


def _at(used: DimensionUsage, percent: float) -> float:
    found: float = percentile(used.tail, used.counts, percent)[ONLY]
    return found


def binding(dimensions: Sequence[DimensionEvidence]) -> str | None:
    """Return which dimension asks for the largest share of its capacity; None without any."""
    shares = {
        one.dimension: one.required / one.current_capacity
        for one in dimensions
        if one.required and one.current_capacity
    }
    return max(shares, key=lambda name: shares[name], default=None)


def reasons_at(refused: Mapping[str, Booleans], *place: int) -> tuple[str, ...]:
    """Return the reasons that hold at one place of their arrays."""
    return tuple(reason for reason, against in refused.items() if against[place])


def in_order(choices: Iterable[ChoiceEvidence]) -> tuple[ChoiceEvidence, ...]:
    """Return the options by rank, then what is no option by price; unknown prices come last."""

    def place(one: ChoiceEvidence) -> tuple[float, float]:
        inf = float("inf")
        return one.rank or inf, inf if one.monthly_usd is None else one.monthly_usd

    return tuple(sorted(choices, key=place))


def refusals_of(choices: Sequence[ChoiceEvidence]) -> tuple[Refusal, ...]:
    """Return how many choices each reason was the first to refuse."""
    counts = Counter(one.refused_because[0] for one in choices if one.refused_because)
    return tuple(Refusal(reason, count) for reason, count in counts.items())


def fitting(choices: Sequence[ChoiceEvidence]) -> int:
    """Return how many choices passed every rule."""
    return sum(not one.refused_because for one in choices)
