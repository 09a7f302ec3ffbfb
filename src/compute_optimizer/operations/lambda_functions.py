"""GetLambdaFunctionRecommendations: pages of one account's recommendations in one Region."""

import re
from typing import Any

from compute_optimizer.model.lambda_function import LambdaFunctionRecommendation, qualified
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.resource import LAMBDA_FUNCTION
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import LAMBDA_FILTERS
from compute_optimizer.operations.listing import Listing, listed
from compute_optimizer.views.lambda_function import function_recommendation

LISTING = Listing(
    operation="GetLambdaFunctionRecommendations",
    resource_type=LAMBDA_FUNCTION,
    recommendation=LambdaFunctionRecommendation,
    arns="functionArns",
    answer="lambdaFunctionRecommendations",
    arn=re.compile(
        r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12})"
        r":function:[^\s:/]+(:[^\s:/]+)?"
    ),
    filters=LAMBDA_FILTERS,
    canonical=qualified,
    # Unavailable functions are returned only to those who ask for them (spec 3.1).
    findings=frozenset({Finding.OPTIMIZED.value, Finding.NOT_OPTIMIZED.value}),
    tells_errors=False,
)


def get_lambda_function_recommendations(
    context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Return one page of recommendations; listed functions that have none are left out."""
    region = context.region
    return listed(context, request, LISTING, lambda one: function_recommendation(one, region))
