"""GetECSServiceRecommendations: pages of one account's recommendations in one Region."""

import re
from typing import Any

from compute_optimizer.model.ecs_service import EcsServiceRecommendation
from compute_optimizer.model.resource import ECS_SERVICE
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import ECS_FILTERS
from compute_optimizer.operations.listing import Listing, listed
from compute_optimizer.views.ecs_service import service_recommendation

SERVICE_ARN = re.compile(
    r"arn:aws[a-z-]*:ecs:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):service/[^\s/]+(/[^\s/]+)?"
)
"""With the cluster or, in the older form, without it."""

LISTING = Listing(
    operation="GetECSServiceRecommendations",
    resource_type=ECS_SERVICE,
    recommendation=EcsServiceRecommendation,
    arns="serviceArns",
    answer="ecsServiceRecommendations",
    arn=SERVICE_ARN,
    filters=ECS_FILTERS,
)


def get_ecs_service_recommendations(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of recommendations, and errors for listed ARNs that have none."""
    region = context.region
    return listed(context, request, LISTING, lambda one: service_recommendation(one, region))
