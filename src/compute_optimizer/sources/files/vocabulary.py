"""The metrics and statistics that are kept, and the words that files use for them."""

from enum import Enum

from compute_optimizer.model.metrics import MetricKey, Statistic


class Kind(Enum):
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
    Kind.PERCENT: (Statistic.AVERAGE, Statistic.MAXIMUM),
    # Counters are kept as the total of the five-minute period (spec 2.4: per second = Sum / 300).
    Kind.COUNTER: (Statistic.SUM,),
    Kind.GAUGE: (Statistic.AVERAGE, Statistic.MAXIMUM),
    Kind.AMOUNT: (Statistic.AVERAGE,),
    Kind.CHECK: (Statistic.MAXIMUM,),
    Kind.LEVEL: (Statistic.MAXIMUM,),
}

METRICS = {
    "CPUUtilization": Kind.PERCENT,
    "mem_used_percent": Kind.PERCENT,
    "nvidia_smi_utilization_gpu": Kind.PERCENT,
    "nvidia_smi_memory_used": Kind.GAUGE,
    "nvidia_smi_encoder_stats_session_count": Kind.GAUGE,
    "NetworkIn": Kind.COUNTER,
    "NetworkOut": Kind.COUNTER,
    "NetworkPacketsIn": Kind.COUNTER,
    "NetworkPacketsOut": Kind.COUNTER,
    "DiskReadOps": Kind.COUNTER,
    "DiskWriteOps": Kind.COUNTER,
    "DiskReadBytes": Kind.COUNTER,
    "DiskWriteBytes": Kind.COUNTER,
    "VolumeReadOps": Kind.COUNTER,
    "VolumeWriteOps": Kind.COUNTER,
    "VolumeReadBytes": Kind.COUNTER,
    "VolumeWriteBytes": Kind.COUNTER,
    "VolumeIOPSExceededCheck": Kind.CHECK,
    "VolumeThroughputExceededCheck": Kind.CHECK,
    "ActiveConnectionCount": Kind.LEVEL,
    "PacketsInFromSource": Kind.COUNTER,
    "PacketsInFromDestination": Kind.COUNTER,
    "Invocations": Kind.COUNTER,
    "Errors": Kind.COUNTER,
    "Throttles": Kind.COUNTER,
    "Duration": Kind.GAUGE,
    "billed_duration": Kind.COUNTER,
    "used_memory_max": Kind.GAUGE,
    "RunningTaskCount": Kind.GAUGE,
    "DatabaseConnections": Kind.GAUGE,
    "NetworkReceiveThroughput": Kind.GAUGE,
    "NetworkTransmitThroughput": Kind.GAUGE,
    "ReadIOPS": Kind.GAUGE,
    "WriteIOPS": Kind.GAUGE,
    "ReadThroughput": Kind.GAUGE,
    "WriteThroughput": Kind.GAUGE,
    "FreeStorageSpace": Kind.AMOUNT,
    "StorageNetworkReadThroughput": Kind.GAUGE,
    "StorageNetworkWriteThroughput": Kind.GAUGE,
    "ReadIOPSEphemeralStorage": Kind.GAUGE,
    "WriteIOPSEphemeralStorage": Kind.GAUGE,
    "OsSwapIn": Kind.GAUGE,
    "OsSwapOut": Kind.GAUGE,
    "OsMemoryOutOfMemoryKillCount": Kind.GAUGE,
    "AuroraMemoryHealthState": Kind.GAUGE,
    "AuroraMemoryNumDeclinedSqlTotal": Kind.GAUGE,
    "AuroraMemoryNumKillConnTotal": Kind.GAUGE,
    "AuroraMemoryNumKillQueryTotal": Kind.GAUGE,
    "VolumeBytesUsed": Kind.AMOUNT,
    "VolumeReadIOPs": Kind.COUNTER,
    "VolumeWriteIOPs": Kind.COUNTER,
    "ConsumedReadCapacityUnits": Kind.COUNTER,
    "ConsumedWriteCapacityUnits": Kind.COUNTER,
    "IndexConsumedReadCapacityUnits": Kind.COUNTER,
    "IndexConsumedWriteCapacityUnits": Kind.COUNTER,
    "EngineCPUUtilization": Kind.PERCENT,
    "NewConnections": Kind.COUNTER,
    "CurrConnections": Kind.LEVEL,
    "CacheHits": Kind.COUNTER,
    "CacheMisses": Kind.COUNTER,
    "GetTypeCmds": Kind.COUNTER,
    "SetTypeCmds": Kind.COUNTER,
    "ElastiCacheProcessingUnits": Kind.COUNTER,
    "KeyspaceHits": Kind.COUNTER,
    "KeyspaceMisses": Kind.COUNTER,
    "UserConnected": Kind.LEVEL,
    "mssql_enterprise_features_used": Kind.LEVEL,
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
