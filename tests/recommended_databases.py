"""An instance, a cluster and a member of one, with what the engine recommends for them."""

from compute_optimizer.model.preferences import Preferences
from tests.databases import (
    BYTES_USED,
    FREE,
    GIB,
    MEMORY_USED,
    READ_IOPS,
    READ_IOS,
    WRITE_IOS,
    cluster,
    database,
    recommended_database,
)
from tests.fleets import CPU

INSTANCE = recommended_database(
    database(
        1,
        "db.m5.2xlarge",
        performance_insights=True,
        max_allocated_gib=500,
        tags={"team": "data"},
    ),
    {CPU: 10, MEMORY_USED: 20, READ_IOPS: 100, FREE: 15 * GIB},
)

CLUSTER = recommended_database(
    cluster("shop"),
    {BYTES_USED: 100 * GIB, READ_IOS: 100_000, WRITE_IOS: 10_000},
    Preferences(enhanced_infrastructure_metrics=True, lookback_days=14),
)

MEMBER = recommended_database(
    database(1, "db.r5.large", engine="aurora-mysql", cluster="shop", promotion_tier=0), {CPU: 30}
)
