"""GetEBSVolumeRecommendations: pages of one account's recommendations in one Region."""

from typing import Any

from compute_optimizer.model.ebs_volume import EbsVolumeRecommendation
from compute_optimizer.model.resource import EBS_VOLUME
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import EBS_FILTERS
from compute_optimizer.operations.listing import Listing, arn_pattern, listed
from compute_optimizer.views.ebs_volume import volume_recommendation

LISTING = Listing(
    operation="GetEBSVolumeRecommendations",
    resource_type=EBS_VOLUME,
    recommendation=EbsVolumeRecommendation,
    arns="volumeArns",
    answer="volumeRecommendations",
    arn=arn_pattern("ec2", "volume"),
    filters=EBS_FILTERS,
)


def get_ebs_volume_recommendations(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of recommendations, and errors for listed ARNs that have none."""
    region = context.region
    return listed(context, request, LISTING, lambda one: volume_recommendation(one, region))
