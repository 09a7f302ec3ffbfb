"""GetLicenseRecommendations: pages of one account's recommendations in one Region."""

from typing import Any

from compute_optimizer.model.license import LicenseRecommendation
from compute_optimizer.model.resource import LICENSE
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import LICENSE_FILTERS
from compute_optimizer.operations.listing import Listing, arn_pattern, listed
from compute_optimizer.views.license import license_recommendation

LISTING = Listing(
    operation="GetLicenseRecommendations",
    resource_type=LICENSE,
    recommendation=LicenseRecommendation,
    arns="resourceArns",
    answer="licenseRecommendations",
    arn=arn_pattern("ec2", "instance"),
    filters=LICENSE_FILTERS,
)


def get_license_recommendations(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of recommendations, and errors for listed ARNs that have none."""
    region = context.region
    return listed(context, request, LISTING, lambda one: license_recommendation(one, region))
