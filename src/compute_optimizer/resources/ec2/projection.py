"""What an instance's samples would have been on the types that are recommended for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.engine.dimensions import CPU_PLACE
from compute_optimizer.engine.periods import points_of
from compute_optimizer.engine.usage import CPU_METRIC, MEMORY_METRIC
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.ec2.analysis import capacity_ratios
from compute_optimizer.resources.ec2.dimensions import MEMORY_PLACE, WIRE_NAMES
from compute_optimizer.resources.ec2.records import reported

PROJECTED = {CPU_METRIC: CPU_PLACE, MEMORY_METRIC: MEMORY_PLACE}
"""The metrics that the service projects, and their places in DIMENSIONS."""


@dataclass(frozen=True, slots=True, eq=False)
class ProjectedSeries:
    """One metric of an instance, as it would have been on several types."""

    name: str
    """In the model's spelling, such as Cpu."""
    starts: Integers
    """(points,): seconds since 1970 at which the periods begin that have samples, ascending."""
    values: Floats
    """(types, points): percent, not cut at 100; NaN where a type is not in the catalog."""


def series_to_project(
    recommendation: Ec2InstanceRecommendation, statistic: Statistic
) -> Mapping[str, MetricKey]:
    """Return by metric the stored series to look at.

    Maxima are those that the recommendation was made from, so that both agree: averages where
    nobody sent maxima. A metric that it was not made from has none.
    """
    told = {metric.name: metric.source_statistic for metric in recommendation.utilization}
    return {
        metric: MetricKey(
            metric,
            Statistic(told[WIRE_NAMES[metric]]) if statistic is Statistic.MAXIMUM else statistic,
        )
        for metric in PROJECTED
        if WIRE_NAMES[metric] in told
    }


def projected_series(
    resource: Resource,
    recommendation: Ec2InstanceRecommendation,
    samples: ShardSamples,
    seconds: Integers,
    types: InstanceTypes,
    *,
    options: Sequence[str],
    period: int,
    statistic: Statistic,
) -> list[ProjectedSeries]:
    """Return every metric that has samples, over periods of so many seconds.

    The samples are a batch of one whose slots begin at `seconds` (slots,) since 1970.
    """
    now = replace(resource, instance_type=recommendation.current_instance_type)
    ratios = capacity_ratios(now, types, options)
    found = []
    for metric, key in series_to_project(recommendation, statistic).items():
        if key not in samples.series:
            continue
        starts, values = points_of(samples.series[key][0], seconds, period, statistic)
        projected = np.outer(ratios[:, PROJECTED[metric]], values)
        if len(starts):
            found.append(ProjectedSeries(WIRE_NAMES[metric], starts, reported(metric, projected)))
    return found
