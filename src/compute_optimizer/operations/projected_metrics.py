"""GetEC2RecommendationProjectedMetrics: what options would have shown, from the stored samples."""

from typing import Any

from compute_optimizer.model.metrics import Statistic
from compute_optimizer.model.preference_rules import RESOURCE_ARNS
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.operations.architectures import presentation_of
from compute_optimizer.operations.catalog import known_types
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.projected_points import (
    Known,
    Points,
    Projecting,
    account_of,
    known_of,
    points_in,
    samples_of,
)
from compute_optimizer.resources.ec2.projection import (
    ProjectedSeries,
    projected_series,
    series_to_project,
)
from compute_optimizer.views.ec2_instance import ranked_options
from compute_optimizer.views.projected_metrics import option_projected_metrics

INSTANCES = Projecting(
    resource_type=EC2_INSTANCE,
    recommendation=Ec2InstanceRecommendation,
    member="instanceArn",
    arn=RESOURCE_ARNS[EC2_INSTANCE],
    kind="EC2 instance",
    noun="instance",
)


def get_ec2_recommendation_projected_metrics(
    context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Answer GetEC2RecommendationProjectedMetrics: a series of points for each option.

    Raises the modelled exceptions of `account_of`, InvalidParameterValueException for what
    is no instance of this Region, no period and no range, and ResourceNotFoundException for an
    instance without a recommendation.
    """
    account_id = account_of(context, INSTANCES, request)
    wanted = points_in(INSTANCES, request)
    known = known_of(context, INSTANCES, request, account_id)
    shown = presentation_of(context, request)
    options = ranked_options(known.recommendation.options, shown.architectures)
    types = [option.instance_type for option in options]
    series = _series(context, known, types, wanted, Statistic(request["stat"]))
    return {"recommendedOptionProjectedMetrics": option_projected_metrics(options, series, shown)}


def _series(
    context: Context, known: Known, types: list[str], wanted: Points, statistic: Statistic
) -> list[ProjectedSeries]:
    """Return the points of every metric; none where the range lies outside the look-back period."""
    keys = series_to_project(known.recommendation, statistic).values()
    samples, seconds = samples_of(context, known, wanted, list(keys))
    return projected_series(
        known.resource,
        known.recommendation,
        samples,
        seconds,
        known_types(context.state),
        options=types,
        period=wanted.period,
        statistic=statistic,
    )
