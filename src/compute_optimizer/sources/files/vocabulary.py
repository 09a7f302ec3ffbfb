"""The metrics and statistics that are kept, and the words that files use for them."""

from enum import Enum

from compute_optimizer.model.metrics import MetricKey, Statistic


class ValueKind(Enum):
    """What the values of a metric are."""

    PERCENT = "percentage"
    COUNTER = "counter"
    LEVEL = "level"
    """A number at a moment, such as of open connections."""
    GAUGE = "gauge"
    """A size, a length of time, a number or a rate per second, kept as it was measured."""
    AMOUNT = "amount"
    """Bytes that are free or used: the mean of five minutes tells all there is."""
    CHECK = "check"
    """1 where something was the case, else 0."""


STATISTICS = {
    ValueKind.PERCENT: (Statistic.AVERAGE, Statistic.MAXIMUM),
    # Counters are kept as the total of the five-minute period (spec 2.4: per second = Sum / 300).
    ValueKind.COUNTER: (Statistic.SUM,),
    ValueKind.GAUGE: (Statistic.AVERAGE, Statistic.MAXIMUM),
    ValueKind.AMOUNT: (Statistic.AVERAGE,),
    ValueKind.CHECK: (Statistic.MAXIMUM,),
    ValueKind.LEVEL: (Statistic.MAXIMUM,),
}

METRICS = {
    "CPUUtilization": ValueKind.PERCENT,
    "mem_used_percent": ValueKind.PERCENT,
    "nvidia_smi_utilization_gpu": ValueKind.PERCENT,
    "nvidia_smi_memory_used": ValueKind.GAUGE,
    "nvidia_smi_encoder_stats_session_count": ValueKind.GAUGE,
    "NetworkIn": ValueKind.COUNTER,
    "NetworkOut": ValueKind.COUNTER,
    "NetworkPacketsIn": ValueKind.COUNTER,
    "NetworkPacketsOut": ValueKind.COUNTER,
    "DiskReadOps": ValueKind.COUNTER,
    "DiskWriteOps": ValueKind.COUNTER,
    "DiskReadBytes": ValueKind.COUNTER,
    "DiskWriteBytes": ValueKind.COUNTER,
    "VolumeReadOps": ValueKind.COUNTER,
    "VolumeWriteOps": ValueKind.COUNTER,
    "VolumeReadBytes": ValueKind.COUNTER,
    "VolumeWriteBytes": ValueKind.COUNTER,
    "VolumeIOPSExceededCheck": ValueKind.CHECK,
    "VolumeThroughputExceededCheck": ValueKind.CHECK,
    "ActiveConnectionCount": ValueKind.LEVEL,
    "PacketsInFromSource": ValueKind.COUNTER,
    "PacketsInFromDestination": ValueKind.COUNTER,
    "Invocations": ValueKind.COUNTER,
    "Errors": ValueKind.COUNTER,
    "Throttles": ValueKind.COUNTER,
    "Duration": ValueKind.GAUGE,
    "billed_duration": ValueKind.COUNTER,
    "used_memory_max": ValueKind.GAUGE,
    "RunningTaskCount": ValueKind.GAUGE,
    "DatabaseConnections": ValueKind.GAUGE,
    "NetworkReceiveThroughput": ValueKind.GAUGE,
    "NetworkTransmitThroughput": ValueKind.GAUGE,
    "ReadIOPS": ValueKind.GAUGE,
    "WriteIOPS": ValueKind.GAUGE,
    "ReadThroughput": ValueKind.GAUGE,
    "WriteThroughput": ValueKind.GAUGE,
    "FreeStorageSpace": ValueKind.AMOUNT,
    "StorageNetworkReadThroughput": ValueKind.GAUGE,
    "StorageNetworkWriteThroughput": ValueKind.GAUGE,
    "ReadIOPSEphemeralStorage": ValueKind.GAUGE,
    "WriteIOPSEphemeralStorage": ValueKind.GAUGE,
    "OsSwapIn": ValueKind.GAUGE,
    "OsSwapOut": ValueKind.GAUGE,
    "OsMemoryOutOfMemoryKillCount": ValueKind.GAUGE,
    "AuroraMemoryHealthState": ValueKind.GAUGE,
    "AuroraMemoryNumDeclinedSqlTotal": ValueKind.GAUGE,
    "AuroraMemoryNumKillConnTotal": ValueKind.GAUGE,
    "AuroraMemoryNumKillQueryTotal": ValueKind.GAUGE,
    "VolumeBytesUsed": ValueKind.AMOUNT,
    "VolumeReadIOPs": ValueKind.COUNTER,
    "VolumeWriteIOPs": ValueKind.COUNTER,
    "ConsumedReadCapacityUnits": ValueKind.COUNTER,
    "ConsumedWriteCapacityUnits": ValueKind.COUNTER,
    "IndexConsumedReadCapacityUnits": ValueKind.COUNTER,
    "IndexConsumedWriteCapacityUnits": ValueKind.COUNTER,
    "EngineCPUUtilization": ValueKind.PERCENT,
    "NewConnections": ValueKind.COUNTER,
    "CurrConnections": ValueKind.LEVEL,
    "CacheHits": ValueKind.COUNTER,
    "CacheMisses": ValueKind.COUNTER,
    "GetTypeCmds": ValueKind.COUNTER,
    "SetTypeCmds": ValueKind.COUNTER,
    "ElastiCacheProcessingUnits": ValueKind.COUNTER,
    "KeyspaceHits": ValueKind.COUNTER,
    "KeyspaceMisses": ValueKind.COUNTER,
    "UserConnected": ValueKind.LEVEL,
    "mssql_enterprise_features_used": ValueKind.LEVEL,
}
"""CloudWatch's metric names (spec 2.4); the volumes' are those of a volume or, for an instance,
the sums over its volumes. The checks are of volumes only, the next three of NAT
gateways, those from `Invocations` to `used_memory_max` of Lambda functions, some as Lambda Insights
calls them, `RunningTaskCount` of ECS services, as Container Insights calls it, and what follows of
databases, then, from `ConsumedReadCapacityUnits`, of what is only looked at for idleness; the last
one is of instances with SQL Server, as Application Insights calls it. CloudWatch has no name of its
own for what all indexes of a table consume."""

METRIC_ALIASES = {
    "MemoryUtilization": "mem_used_percent",
    "os.swap.in": "OsSwapIn",
    "os.swap.out": "OsSwapOut",
    "os.memory.outOfMemoryKillCount": "OsMemoryOutOfMemoryKillCount",
}
"""The legacy name of the memory metric, and the counters of Performance Insights (spec 2.4); a
point in the name of a tile's column would mean a part of it."""

STATISTIC_WORDS = {
    "average": Statistic.AVERAGE,
    "avg": Statistic.AVERAGE,
    "mean": Statistic.AVERAGE,
    "maximum": Statistic.MAXIMUM,
    "max": Statistic.MAXIMUM,
    "sum": Statistic.SUM,
    "total": Statistic.SUM,
}


def metric_named(word: str) -> str | None:
    """Return the metric that a file's word means; names are case sensitive, as CloudWatch's."""
    name = METRIC_ALIASES.get(word, word)
    return name if name in METRICS else None


def statistic_named(word: str) -> Statistic | None:
    """Return the statistic that a file's word means, in any case."""
    return STATISTIC_WORDS.get(word.strip().casefold())


def default_statistic(metric: str, given: Statistic | None) -> Statistic | None:
    """Return the statistic of samples that do not say theirs: a counter has only one."""
    allowed = STATISTICS[METRICS[metric]]
    return allowed[0] if len(allowed) == 1 else given


def is_kept(key: MetricKey) -> bool:
    """Return whether the metric is kept in that statistic."""
    return key.metric in METRICS and key.statistic in STATISTICS[METRICS[key.metric]]
