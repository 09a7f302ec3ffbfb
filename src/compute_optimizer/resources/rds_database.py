"""Databases: the recommendation for a shard of them, and the evidence for one."""

from collections.abc import Sequence
from datetime import datetime

from compute_optimizer.catalog.database_classes import DatabaseClasses
from compute_optimizer.engine.dimensions import metrics_by_name
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.obstacles import (
    INSUFFICIENT_METRIC_DATA,
    RECOMMENDATION_NOT_FOUND,
    UNSUPPORTED_RESOURCE,
    Obstacle,
    errors_of,
)
from compute_optimizer.model.database import Database, DatabaseRecommendation
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Results
from compute_optimizer.resources.comparison import comparing
from compute_optimizer.resources.rds.analysis import InstanceAnalysis, analyze_instances
from compute_optimizer.resources.rds.cluster_evidence import cluster_explanation
from compute_optimizer.resources.rds.cluster_records import cluster_recommendation
from compute_optimizer.resources.rds.clusters import ClusterAnalysis, analyze_clusters
from compute_optimizer.resources.rds.dimensions import (
    BYTES_USED,
    DIMENSIONS,
    FREE_STORAGE,
    KILLS,
    LASTING_PRESSURE,
    METRICS,
    READ_IOS,
    WRITE_IOS,
)
from compute_optimizer.resources.rds.evidence import instance_explanation
from compute_optimizer.resources.rds.readers import aligned_readers
from compute_optimizer.resources.rds.records import Judged, instance_recommendation, peaks_of
from compute_optimizer.resources.rds.storage import analyze_storage

__all__ = ["METRICS", "compare", "explain", "explained_beside", "recommend"]


def recommend(
    databases: Sequence[Database],
    samples: ShardSamples,
    classes: DatabaseClasses,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Results[DatabaseRecommendation]:
    """Return the recommendation, or the error instead of one, for each database of a shard.

    The databases are in the row order of the samples, which hold METRICS over the look-back period;
    a series that nobody sent may be absent. A reader is compared with its writer where both are
    among the databases.
    """
    if not databases:
        return Results((), ())
    judged = _judged(databases, samples, classes, as_of=as_of, preferences=preferences)
    instances, clusters = judged.instances, analyze_clusters(databases, samples, classes)
    obstacles = [_obstacle(row, one, instances, clusters) for row, one in enumerate(databases)]
    found = tuple(
        cluster_recommendation(row, one, clusters, classes, as_of=as_of, preferences=preferences)
        if one.is_cluster
        else instance_recommendation(row, one, judged, as_of=as_of, preferences=preferences)
        for row, one in enumerate(databases)
        if obstacles[row] is None
    )
    return Results(found, errors_of(databases, obstacles))


def explain(
    database: Database,
    samples: ShardSamples,
    classes: DatabaseClasses,
    *,
    as_of: datetime,
    preferences: Preferences,
    beside: Sequence[Database] = (),
) -> Explanation:
    """Return the evidence for one database, whose samples are the first row.

    The others are those of the databases that it is judged beside.
    """
    own = samples.rows([0])
    alone = _judged([database], own, classes, as_of=as_of, preferences=preferences)
    clusters = analyze_clusters([database], own, classes)
    obstacle = _obstacle(0, database, alone.instances, clusters)
    if database.is_cluster:
        return cluster_explanation(database, own, clusters, obstacle, classes, as_of=as_of)
    together = _judged([database, *beside], samples, classes, as_of=as_of, preferences=preferences)
    return instance_explanation(database, own, alone, together, obstacle, as_of=as_of)


def explained_beside(database: Database, databases: Sequence[Database]) -> list[Database]:
    """Return those of a shard that decide with a database: the writer of a reader's cluster."""
    return [
        one
        for one in databases
        if database.cluster
        and one.cluster == database.cluster
        and one.writer
        and one.arn != database.arn
    ]


def _judged(
    databases: Sequence[Database],
    samples: ShardSamples,
    classes: DatabaseClasses,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Judged:
    """Return every array that decides about DB instances; rows of clusters say nothing."""
    instances = analyze_instances(databases, samples, classes, preferences, as_of)
    storage = analyze_storage(
        databases,
        samples,
        instances.fleet,
        preferences.other_headroom,
        classes.types.own_prices,
    )
    options, aligned = aligned_readers(
        databases, instances.fleet, instances.market, instances.decisions
    )
    peaks = peaks_of(instances.fleet.chosen)
    return Judged(instances, storage, options, aligned, classes, peaks)


def _obstacle(
    row: int, one: Database, instances: InstanceAnalysis, clusters: ClusterAnalysis
) -> Obstacle | None:
    supported, measured = instances.supported[row], instances.measured[row]
    if one.is_cluster:
        supported, measured = clusters.supported[row], clusters.measured[row]
    if not supported:
        return UNSUPPORTED_RESOURCE
    if not measured:
        return INSUFFICIENT_METRIC_DATA
    # Two costs are compared, so a cluster without its prices has nothing to say.
    return RECOMMENDATION_NOT_FOUND if one.is_cluster and not clusters.priced[row] else None


compare = comparing(
    explain,
    {
        **metrics_by_name(DIMENSIONS),
        "Memory pressure": (*LASTING_PRESSURE, *KILLS),
        "Free storage": (FREE_STORAGE,),
        "Cluster I/O": (READ_IOS, WRITE_IOS),
        "Cluster storage": (BYTES_USED,),
    },
)
