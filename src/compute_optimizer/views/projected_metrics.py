"""Projected metrics of recommendation options in the spelling of the wire."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isnan

from compute_optimizer.model.recommendation import RecommendationOption
from compute_optimizer.resources.ec2.projection import ProjectedSeries
from compute_optimizer.shapes import ProjectedMetric, RecommendedOptionProjectedMetric
from compute_optimizer.views.ec2_instance import Presentation, spelled


def option_projected_metrics(
    options: Sequence[RecommendationOption], series: Sequence[ProjectedSeries], shown: Presentation
) -> list[RecommendedOptionProjectedMetric]:
    """Return the members of recommendedOptionProjectedMetrics, best first, as the options are."""
    metrics = [_metrics(one, len(options), shown) for one in series]
    return [
        {
            "recommendedInstanceType": option.instance_type,
            "rank": place + 1,
            "projectedMetrics": [of_types[place] for of_types in metrics if of_types[place]],
        }
        for place, option in enumerate(options)
    ]


def _metrics(one: ProjectedSeries, types: int, shown: Presentation) -> list[ProjectedMetric]:
    """Return the metric on each type; empty where nothing is known of the type."""
    moments = [datetime.fromtimestamp(start, UTC) for start in one.starts.tolist()]
    rows = one.values.tolist()
    return [
        {}
        if isnan(rows[place][0])
        else {"name": spelled(one.name, shown), "timestamps": moments, "values": rows[place]}
        for place in range(types)
    ]
