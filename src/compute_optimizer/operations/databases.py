"""GetRDSDatabaseRecommendations: pages of one account's recommendations in one Region."""

import re
from typing import Any

from compute_optimizer.model.database import DatabaseRecommendation
from compute_optimizer.model.resource import RDS_DB_INSTANCE
from compute_optimizer.operations.architectures import architectures_of
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import DATABASE_FILTERS
from compute_optimizer.operations.listing import Listing, listed
from compute_optimizer.views.database import database_recommendation

DATABASE_ARN = re.compile(
    r"arn:aws[a-z-]*:rds:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):(db|cluster):[^\s/:]+"
)
"""Of a DB instance or an Aurora cluster."""

LISTING = Listing(
    operation="GetRDSDatabaseRecommendations",
    resource_type=RDS_DB_INSTANCE,
    recommendation=DatabaseRecommendation,
    arns="resourceArns",
    answer="rdsDBRecommendations",
    arn=DATABASE_ARN,
    filters=DATABASE_FILTERS,
)


def get_rds_database_recommendations(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of recommendations, and errors for listed ARNs that have none."""
    architectures = architectures_of(request)
    return listed(
        context,
        request,
        LISTING,
        lambda one: database_recommendation(one, context.region, architectures),
        {"cpu": list(architectures)},
    )
