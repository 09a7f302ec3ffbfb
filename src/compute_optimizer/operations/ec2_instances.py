"""GetEC2InstanceRecommendations: pages of one account's recommendations in one Region."""

from typing import Any

from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.operations.architectures import presentation_of
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import EC2_FILTERS
from compute_optimizer.operations.listing import Listing, arn_pattern, listed
from compute_optimizer.views.ec2_instance import instance_recommendation

LISTING = Listing(
    operation="GetEC2InstanceRecommendations",
    resource_type=EC2_INSTANCE,
    recommendation=Ec2InstanceRecommendation,
    arns="instanceArns",
    answer="instanceRecommendations",
    arn=arn_pattern("ec2", "instance"),
    filters=EC2_FILTERS,
)


def get_ec2_instance_recommendations(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of recommendations, and errors for listed ARNs that have none."""
    shown = presentation_of(context, request)
    return listed(
        context,
        request,
        LISTING,
        lambda one: instance_recommendation(one, shown),
        {"cpu": shown.architectures},
    )
