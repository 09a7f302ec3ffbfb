"""What the charts of one resource show: use of each dimension beside what it is held against.

Pure: from samples and an explanation to plain values that a script draws.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import numpy as np

from compute_optimizer.console.metric_titles import metric_title, metric_unit
from compute_optimizer.console.words import spaced
from compute_optimizer.engine.arrays import Floats, Singles
from compute_optimizer.engine.dimensions import Combine, Dimension
from compute_optimizer.engine.explanation import DimensionEvidence, Explanation, PeakEvidence
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    RDS_DB_INSTANCE,
)
from compute_optimizer.resources import type_named
from compute_optimizer.resources.ebs.demand import DIMENSIONS as VOLUME_DIMENSIONS
from compute_optimizer.resources.ebs.demand import SCALES
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS as MACHINE_DIMENSIONS
from compute_optimizer.resources.functions.use import HIGHEST_MEMORY
from compute_optimizer.resources.rds.dimensions import DIMENSIONS as DATABASE_DIMENSIONS
from compute_optimizer.resources.services.demand import DIMENSIONS as TASK_DIMENSIONS

MOST_POINTS = 4_032
"""Points of a chart: 14 days of five-minute slots. Longer periods show maxima of several slots."""

PER_SLOT = 1 / SLOT_SECONDS
"""From a count in a slot to a rate per second."""

OF_METRICS = "Its capacity is unknown, or has no say."
OF_FAILURES = "Counted against what was tried, to judge a change once it is made."
"""What is said of a chart that is held against nothing."""

STATISTICS = (Statistic.SUM, Statistic.MAXIMUM, Statistic.AVERAGE)
"""Of several series of one metric the first is shown: what the analysis looks at."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How one dimension is told by metrics."""

    name: str
    metrics: tuple[str, ...]
    adds_up: bool
    """Whether the metrics are parts of one budget; otherwise the larger counts."""
    scale: float | None
    """The dimension's unit per unit of a sample; None for percentages of the capacity."""


def _measured(dimensions: Iterable[Dimension], scales: Iterable[float]) -> tuple[Measured, ...]:
    return tuple(
        Measured(
            one.name,
            one.metrics,
            one.combine is Combine.SUM,
            None if one.percentage else float(scale),
        )
        for one, scale in zip(dimensions, scales, strict=True)
    )


MEASURED: Mapping[str, tuple[Measured, ...]] = {
    EC2_INSTANCE: _measured(MACHINE_DIMENSIONS, [PER_SLOT] * len(MACHINE_DIMENSIONS)),
    AUTO_SCALING_GROUP: _measured(MACHINE_DIMENSIONS, [PER_SLOT] * len(MACHINE_DIMENSIONS)),
    EBS_VOLUME: _measured(VOLUME_DIMENSIONS, SCALES),
    ECS_SERVICE: _measured(TASK_DIMENSIONS, [1.0] * len(TASK_DIMENSIONS)),
    # RDS reports rates.
    RDS_DB_INSTANCE: _measured(DATABASE_DIMENSIONS, [1.0] * len(DATABASE_DIMENSIONS)),
    LAMBDA_FUNCTION: (Measured("Memory", (HIGHEST_MEMORY.metric,), False, 1.0),),
}
"""By resource type; of all others the metrics are shown as they are."""


def charts_of(
    explanation: Explanation, resource_type: str, samples: ShardSamples
) -> dict[str, Any]:
    """Return the moments in seconds since 1970, and a panel for each dimension and other metric.

    Use of a dimension whose capacity is known is in percent of it, and `ratios` tell what it would
    be on each option. Gaps are None.
    """
    measured = {one.name: one for one in MEASURED.get(resource_type, ())}
    panels = []
    drawn: set[str] = set()
    for evidence in explanation.dimensions:
        how = measured.get(evidence.dimension)
        values = None if how is None else _demand(how, evidence, samples)
        if how is None or values is None:
            continue
        drawn.update(how.metrics)
        panels.append(_dimension_panel(explanation, evidence, values))
    others = {key: of for key, of in _series_of(samples).items() if key.metric not in drawn}
    failed = _failures_of(resource_type)
    panels += [_metric_panel(key, of, key in failed) for key, of in others.items()]
    width = _slots_per_point(samples)
    return {"times": _times(samples.window, width), "step": width * SLOT_SECONDS, "panels": panels}


def _series_of(samples: ShardSamples) -> dict[MetricKey, Singles]:
    """Return one series of each metric that has a sample."""
    found: dict[str, tuple[MetricKey, Singles]] = {}
    for key in sorted(samples.series, key=lambda one: STATISTICS.index(one.statistic)):
        values: Singles = samples.series[key][0]
        if key.metric not in found and not np.isnan(values).all():
            found[key.metric] = key, values
    return dict(found.values())


def _demand(how: Measured, evidence: DimensionEvidence, samples: ShardSamples) -> Floats | None:
    """Return the demand in the dimension's unit, (slots,); None without samples."""
    series = {key.metric: values for key, values in _series_of(samples).items()}
    parts = [series[metric] for metric in how.metrics if metric in series]
    if not parts:
        return None
    scale = how.scale
    if scale is None:
        scale = (evidence.current_capacity or 100.0) / 100
    stacked = np.stack(parts).astype(np.float64)
    absent = np.isnan(stacked).all(axis=0)
    joined = (
        np.nansum(stacked, axis=0)
        if how.adds_up
        else np.nanmax(np.where(absent, 0.0, stacked), axis=0)
    )
    return np.where(absent, np.nan, joined * scale)


def _dimension_panel(
    explanation: Explanation, evidence: DimensionEvidence, values: Floats
) -> dict[str, Any]:
    capacity = evidence.current_capacity
    panel: dict[str, Any] = {
        "title": spaced(evidence.dimension),
        "unit": evidence.unit,
        "binds": evidence.dimension == explanation.binding_dimension,
        "capacity": capacity,
        "threshold": None,
        "ratios": {},
        "peak": None,
        "percentile": evidence.percentile,
        "demand": evidence.demand,
    }
    if not capacity:
        return panel | {"values": _points(values), "says": OF_METRICS}
    ratios = {
        name: capacity / of_option
        for name, capacities in _capacities(explanation).items()
        if (of_option := capacities.get(evidence.dimension))
    }
    return panel | {
        "unit": "% of its capacity",
        "values": _points(values / capacity * 100),
        "threshold": (1 - evidence.headroom) * 100,
        "demand": None if evidence.demand is None else evidence.demand / capacity * 100,
        "ratios": ratios,
        "peak": _peak(explanation, evidence, capacity),
    }


def _capacities(explanation: Explanation) -> dict[str, Mapping[str, float | None]]:
    """Return the capacity of every option by its name."""
    found: dict[str, Mapping[str, float | None]] = {
        one.instance_type: one.capacity for one in explanation.considered if one.ranks
    }
    return found | {one.configuration: one.capacity for one in explanation.choices if one.rank}


def _peak(
    explanation: Explanation, evidence: DimensionEvidence, capacity: float
) -> dict[str, float] | None:
    """Return the coming peak in percent of the capacity, by the share that stays below it."""
    told = explanation.prediction
    peaks: Sequence[PeakEvidence] = told.peaks if told else ()
    for one in peaks:
        if one.dimension == evidence.dimension:
            return {share: value / capacity * 100 for share, value in one.coming.items()}
    return None


def _failures_of(resource_type: str) -> frozenset[MetricKey]:
    """Return the counts of what fails of a type."""
    kind = type_named(resource_type)
    return frozenset(one.failed for one in kind.failures) if kind else frozenset()


def _metric_panel(key: MetricKey, values: Singles, is_failure: bool) -> dict[str, Any]:
    return {
        "title": metric_title(key.metric),
        "unit": metric_unit(key),
        "binds": False,
        "capacity": None,
        "threshold": None,
        "ratios": {},
        "peak": None,
        "percentile": None,
        "demand": None,
        "says": OF_FAILURES if is_failure else OF_METRICS,
        "values": _points(values),
    }


def _slots_per_point(samples: ShardSamples) -> int:
    slots = next((matrix.shape[1] for matrix in samples.series.values()), 0)
    return max(1, -(-slots // MOST_POINTS))


def _points(values: Floats | Singles) -> list[float | None]:
    """Return the maxima of as many slots as make a point, to five digits; None for gaps."""
    width = max(1, -(-len(values) // MOST_POINTS))
    padded = np.full(-(-len(values) // width) * width, np.nan)
    padded[: len(values)] = values
    stacked = padded.reshape(-1, width)
    absent = np.isnan(stacked).all(axis=1)
    highest = np.nanmax(np.where(absent[:, None], 0.0, stacked), axis=1)
    return [
        None if is_gap else float(f"{value:.5g}")
        for value, is_gap in zip(highest.tolist(), absent.tolist(), strict=True)
    ]


def _times(window: Window, width: int) -> list[int]:
    first = int(datetime.combine(window.first, time(), UTC).timestamp())
    slots = window.days * 86_400 // SLOT_SECONDS
    return list(range(first, first + slots * SLOT_SECONDS, width * SLOT_SECONDS))
