"""GetECSServiceRecommendationProjectedMetrics: what options would have shown, from the samples."""

from typing import Any

from compute_optimizer.model.ecs_service import EcsServiceRecommendation
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.model.resource import ECS_SERVICE
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.ecs_services import SERVICE_ARN
from compute_optimizer.operations.projected_points import (
    Projecting,
    account_of,
    known_of,
    points_in,
    samples_of,
)
from compute_optimizer.resources.ecs_service import METRICS
from compute_optimizer.resources.services.projection import projected_series
from compute_optimizer.views.ecs_service import option_projected_metrics

PERIOD_STEP = 60
"""Seconds: periods are multiples of it (spec 7, a proposal); finer ones than a slot have a point
where a slot begins."""

SERVICES = Projecting(
    resource_type=ECS_SERVICE,
    recommendation=EcsServiceRecommendation,
    member="serviceArn",
    arn=SERVICE_ARN,
    kind="ECS service",
    noun="service",
    step=PERIOD_STEP,
)


def get_ecs_service_projected_metrics(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer GetECSServiceRecommendationProjectedMetrics: a pair of series for each option.

    Raises the modelled exceptions of `account_of`, InvalidParameterValueException for what
    is no service of this Region, no period and no range, and ResourceNotFoundException for a
    service without a recommendation.
    """
    account_id = account_of(context, SERVICES, request)
    wanted = points_in(SERVICES, request)
    known = known_of(context, SERVICES, request, account_id)
    samples, seconds = samples_of(context, known, wanted, METRICS)
    one, statistic = known.recommendation, Statistic(request["stat"])
    found = [
        option_projected_metrics(
            option,
            projected_series(
                one, option, samples, seconds, period=wanted.period, statistic=statistic
            ),
        )
        for option in one.options
    ]
    return {"recommendedOptionProjectedMetrics": found}
