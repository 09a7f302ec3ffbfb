"""From the arrays that decided about Aurora clusters to the records that are stored."""

from datetime import datetime

from compute_optimizer.catalog.database_classes import DatabaseClasses
from compute_optimizer.catalog.database_prices import database_price_date
from compute_optimizer.engine.figures import DECIMALS
from compute_optimizer.engine.savings import savings_of
from compute_optimizer.model.database import (
    ClusterCosts,
    Database,
    DatabaseRecommendation,
    StorageConfiguration,
    StorageOption,
)
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Finding, UtilizationMetric
from compute_optimizer.resources.rds.clusters import (
    CHOICES,
    IO_OPTIMIZED,
    STANDARD,
    VARIATIONS,
    ClusterAnalysis,
)
from compute_optimizer.resources.rds.dimensions import CLUSTER_WIRE_NAMES

SAVINGS_AVAILABLE = "DBClusterStorageSavingsAvailable"
OPTION_AVAILABLE = "DBClusterStorageOptionAvailable"

STEADY = VARIATIONS[0]
"""Of I/O-Optimized, which does not charge for I/O."""


def cluster_recommendation(
    row: int,
    cluster: Database,
    clusters: ClusterAnalysis,
    classes: DatabaseClasses,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> DatabaseRecommendation:
    """Return the recommendation for the storage of one cluster that has no obstacle."""
    now, cheaper = int(clusters.now[row]), bool(clusters.cheaper[row])
    # How much the cost of I/O varies is shown with enhanced infrastructure metrics only (spec 6.6).
    varies = preferences.enhanced_infrastructure_metrics
    variation = VARIATIONS[int(clusters.variation[row])] if varies else None
    return DatabaseRecommendation(
        resource_arn=cluster.arn,
        account_id=cluster.account_id,
        name=cluster.name,
        tags=dict(cluster.tags),
        engine=cluster.engine,
        engine_version=cluster.engine_version,
        promotion_tier=None,
        cluster=cluster.resource_id,
        db_class=None,
        storage=StorageConfiguration(CHOICES[now]),
        instance_finding=None,
        instance_reason_codes=(),
        storage_finding=Finding.NOT_OPTIMIZED if cheaper else Finding.OPTIMIZED,
        storage_reason_codes=cluster_codes(now, cheaper),
        instance_options=(),
        storage_options=_options(row, clusters, variation),
        current_performance_risk=None,
        cost_variation=variation,
        utilization=_utilization(row, clusters),
        lookback_days=float(preferences.lookback_days),
        preferences=preferences,
        idle=None,
        last_refresh=as_of,
        hourly_usd=None,
        storage_monthly_usd=float(clusters.monthly_usd[row, now]),
        price_date=database_price_date(classes, cluster.region, cluster.engine),
        cluster_costs=_costs(row, clusters, now),
    )


def cluster_codes(now: int, cheaper: bool) -> tuple[str, ...]:
    """Return whether I/O-Optimized is the first option or the second; only Standard has a code."""
    if now != STANDARD:
        return ()
    return (SAVINGS_AVAILABLE,) if cheaper else (OPTION_AVAILABLE,)


def shown_choices(row: int, clusters: ClusterAnalysis) -> list[int]:
    """Return both storages of a Standard cluster by their cost; of another its own alone."""
    usd = clusters.monthly_usd[row].tolist()
    return sorted({int(clusters.now[row]), IO_OPTIMIZED}, key=lambda choice: (usd[choice], choice))


def _options(
    row: int, clusters: ClusterAnalysis, variation: str | None
) -> tuple[StorageOption, ...]:
    now = int(clusters.now[row])
    usd = clusters.monthly_usd[row].tolist()
    return tuple(
        StorageOption(
            configuration=StorageConfiguration(CHOICES[choice]),
            rank=rank,
            savings=savings_of(usd[now], usd[choice]),
            monthly_usd=usd[choice],
            cost_variation=None
            if variation is None
            else (STEADY if choice == IO_OPTIMIZED else variation),
            cluster_costs=_costs(row, clusters, choice),
        )
        for rank, choice in enumerate(shown_choices(row, clusters), 1)
    )


def _costs(row: int, clusters: ClusterAnalysis, choice: int) -> ClusterCosts:
    return ClusterCosts(*clusters.costs_usd[row, choice].tolist())


def _utilization(row: int, clusters: ClusterAnalysis) -> tuple[UtilizationMetric, ...]:
    return tuple(
        UtilizationMetric(
            name, round(float(clusters.averages[metric][row]), DECIMALS), Statistic.AVERAGE.value
        )
        for metric, name in CLUSTER_WIRE_NAMES.items()
    )
