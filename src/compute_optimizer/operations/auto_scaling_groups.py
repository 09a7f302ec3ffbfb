"""GetAutoScalingGroupRecommendations: pages of one account's recommendations in one Region."""

from typing import Any

from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.preference_rules import RESOURCE_ARNS
from compute_optimizer.model.resource import AUTO_SCALING_GROUP
from compute_optimizer.operations.architectures import presentation_of
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import GROUP_FILTERS
from compute_optimizer.operations.listing import Listing, listed
from compute_optimizer.views.auto_scaling_group import group_recommendation

LISTING = Listing(
    operation="GetAutoScalingGroupRecommendations",
    resource_type=AUTO_SCALING_GROUP,
    recommendation=AutoScalingGroupRecommendation,
    arns="autoScalingGroupArns",
    answer="autoScalingGroupRecommendations",
    arn=RESOURCE_ARNS[AUTO_SCALING_GROUP],
    filters=GROUP_FILTERS,
)


def get_auto_scaling_group_recommendations(
    context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Return one page of recommendations, and errors for listed ARNs that have none."""
    shown = presentation_of(context, request)
    return listed(
        context,
        request,
        LISTING,
        lambda one: group_recommendation(one, shown),
        {"cpu": shown.architectures},
    )
