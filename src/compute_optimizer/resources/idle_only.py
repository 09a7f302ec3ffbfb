"""The rules of resources that are only looked at for idleness: one row of a table each.

The criteria are those that the service publishes for its newer types (spec 5.1); how much has to
be known before anything is called idle is assumed: a sample of each metric on every day.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from math import nan

import numpy as np

from compute_optimizer.catalog.modes import Modes
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.idle import IdleLimit, Measure, Required
from compute_optimizer.model.idle_only import (
    ALWAYS_ON,
    INSTANCES,
    NODES,
    PROVISIONED,
    REAL_TIME,
    SERVERLESS,
    WORKING,
    IdleOnly,
)
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Finding, MetricDimension
from compute_optimizer.model.resource import (
    DOCUMENTDB_CLUSTER,
    DYNAMODB_TABLE,
    ELASTICACHE_CLUSTER,
    MEMORYDB_CLUSTER,
    SAGEMAKER_ENDPOINT,
    WORKSPACES,
)
from compute_optimizer.resources.idle_evidence import unsized_evidence
from compute_optimizer.resources.idleness import IdleRule, Shown

DAYS = 14
WORKSPACES_DAYS = 63
"""Windows, which no preference changes (spec 5.1, published)."""

IDLE_ENGINE_CPU = 1.0
"""Percent, of the process that serves requests: the peak lies below (spec 5.1, published)."""

ENGINE_CPU = "EngineCPUUtilization"
READ_UNITS, WRITE_UNITS = "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"
INDEX = "Index"
"""Before the name of a metric of a table: that of all its global secondary indexes."""

COMMANDS = ("CacheHits", "CacheMisses", "GetTypeCmds", "SetTypeCmds")
ENGINES = ("redis", "valkey")
"""Of caches: the service looks at no others (spec 5.1, published)."""

PERCENT = (Statistic.MAXIMUM, Statistic.AVERAGE)
STATISTICS: Mapping[str, tuple[Statistic, ...]] = {
    ENGINE_CPU: PERCENT,
    "DatabaseConnections": PERCENT,
    "CurrConnections": (Statistic.MAXIMUM,),
    "UserConnected": (Statistic.MAXIMUM,),
}
"""In which metrics are wanted from the tiles; those that are not here are sums."""

_Which = Callable[[IdleOnly], bool]


def _rule(
    idle_type: str,
    mode: str,
    zero: tuple[str, ...],
    description: str,
    *,
    below: tuple[IdleLimit, ...] = (),
    which: _Which = lambda one: True,
    days: int = DAYS,
) -> IdleRule:
    """Return the rule of working resources of a type and mode: nothing of `zero`, in any sample."""

    def concerned(resources: Sequence[IdleOnly], _modes: Modes, _since: datetime) -> Booleans:
        found = [
            one.instance_type == mode
            and one.state == WORKING.get(idle_type, one.state)
            and which(one)
            for one in resources
        ]
        return np.array(found, dtype=np.bool_)

    limits = (IdleLimit(zero, Measure.PEAK, 0, inclusive=True), *below)
    return IdleRule(
        idle_type=idle_type,
        finding=Finding.IDLE,
        description=f"The {description} over the {{days}}-day lookback period.",
        limits=limits,
        shown={metric: _shown(metric) for limit in limits for metric in limit.metrics},
        monthly_usd=_monthly_usd,
        concerned=concerned,
        required=Required(every_day=True),
        fixed_days=days,
    )


def _shown(metric: str) -> Shown:
    if metric == ENGINE_CPU:
        return Shown(metric)
    of_parts = _TABLE_PARTS.get(metric)
    return Shown(metric.removeprefix(INDEX), totals=True, dimensions=of_parts)


def _monthly_usd(
    resources: Sequence[IdleOnly], _samples: ShardSamples, _modes: Modes, _as_of: datetime
) -> Floats:
    return np.array([nan if one.monthly_usd is None else one.monthly_usd for one in resources])


def _of_table(one: IdleOnly) -> tuple[MetricDimension, ...]:
    return (MetricDimension("TableName", (one.resource_id,)),)


def _of_indexes(one: IdleOnly) -> tuple[MetricDimension, ...]:
    return (*_of_table(one), MetricDimension("GlobalSecondaryIndexName", one.indexes or ()))


UNITS = (READ_UNITS, WRITE_UNITS)
INDEX_UNITS = (INDEX + READ_UNITS, INDEX + WRITE_UNITS)

_TABLE_PARTS: Mapping[str, Callable[[IdleOnly], tuple[MetricDimension, ...]]] = {
    **dict.fromkeys(UNITS, _of_table),
    **dict.fromkeys(INDEX_UNITS, _of_indexes),
}
"""Metrics of a table and of its indexes have the same name on the wire."""

_ENGINE = (IdleLimit((ENGINE_CPU,), Measure.PEAK, IDLE_ENGINE_CPU, name="engine_cpu_percent"),)
_BELOW = "and an engine CPU utilization below {engine_cpu_percent:g}%"

RULES: tuple[IdleRule, ...] = (
    _rule(
        DYNAMODB_TABLE,
        PROVISIONED,
        UNITS,
        "provisioned table consumed no read and no write capacity units",
        which=lambda one: one.indexes == (),
    ),
    _rule(
        DYNAMODB_TABLE,
        PROVISIONED,
        (*UNITS, *INDEX_UNITS),
        "provisioned table and its global secondary indexes consumed no read and no write "
        "capacity units",
        which=lambda one: bool(one.indexes),
    ),
    _rule(
        ELASTICACHE_CLUSTER,
        NODES,
        ("NewConnections", *COMMANDS),
        f"nodes of the cache had no new connections, no hits, misses, get or set commands {_BELOW}",
        below=_ENGINE,
        which=lambda one: one.engine in ENGINES,
    ),
    _rule(
        ELASTICACHE_CLUSTER,
        SERVERLESS,
        ("ElastiCacheProcessingUnits", "NewConnections", "CurrConnections", *COMMANDS),
        "serverless cache had no processing units, no connections and no hits, misses, get or "
        "set commands",
        which=lambda one: one.engine in ENGINES,
    ),
    _rule(
        MEMORYDB_CLUSTER,
        NODES,
        ("NewConnections", "KeyspaceHits", "KeyspaceMisses"),
        f"cluster had no new connections, no keyspace hits or misses {_BELOW}",
        below=_ENGINE,
    ),
    _rule(DOCUMENTDB_CLUSTER, INSTANCES, ("DatabaseConnections",), "cluster had no connections"),
    _rule(
        WORKSPACES,
        ALWAYS_ON,
        ("UserConnected",),
        "AlwaysOn WorkSpace had no user connection",
        days=WORKSPACES_DAYS,
    ),
    _rule(SAGEMAKER_ENDPOINT, REAL_TIME, ("Invocations",), "endpoint had no invocations"),
)
"""A resource is looked at by one of them at most."""

PLURALS = {
    DYNAMODB_TABLE: "tables",
    ELASTICACHE_CLUSTER: "caches",
    MEMORYDB_CLUSTER: "MemoryDB clusters",
    DOCUMENTDB_CLUSTER: "DocumentDB clusters",
    WORKSPACES: "WorkSpaces",
    SAGEMAKER_ENDPOINT: "endpoints",
}
"""What people call several of each type."""


def rules_of(resource_type: str) -> tuple[IdleRule, ...]:
    """Return the rules of one type."""
    return tuple(rule for rule in RULES if rule.idle_type == resource_type)


def metrics_of(resource_type: str) -> tuple[MetricKey, ...]:
    """Return every series that the rules of a type want from the tiles."""
    limits = (limit for rule in rules_of(resource_type) for limit in rule.limits)
    return _keys(metric for limit in limits for metric in limit.metrics)


def explain(
    one: IdleOnly,
    samples: ShardSamples,
    _modes: Modes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the evidence for one resource: its metrics, and what the inventory says it costs."""
    keys = metrics_of(one.resource_type)
    return unsized_evidence(one, samples, keys, as_of=as_of, monthly_usd=one.monthly_usd)


def _keys(metrics: Iterable[str]) -> tuple[MetricKey, ...]:
    return tuple(
        MetricKey(metric, statistic)
        for metric in dict.fromkeys(metrics)
        for statistic in STATISTICS.get(metric, (Statistic.SUM,))
    )
