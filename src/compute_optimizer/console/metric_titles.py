"""What people call the metrics, and what their samples count."""

from collections.abc import Mapping
from dataclasses import dataclass

from compute_optimizer.console.words import spaced
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.resources.asg.idleness import PREFIX
from compute_optimizer.resources.ec2.idleness import GPU_MEMORY_PERCENT


@dataclass(frozen=True, slots=True)
class Titled:
    """One metric in words."""

    title: str
    unit: str


PERCENT, BYTES, RATE, PACKETS = "%", "bytes", "bytes/s", "packets"
OPERATIONS, OPERATION_RATE, CALLS = "operations", "operations/s", "calls"
CONNECTIONS, UNITS, COUNT, YES = "connections", "capacity units", "count", "1 where it was so"

TITLED: Mapping[str, Titled] = {
    "CPUUtilization": Titled("CPU utilization", PERCENT),
    "mem_used_percent": Titled("Memory in use", PERCENT),
    "nvidia_smi_utilization_gpu": Titled("GPU utilization", PERCENT),
    "nvidia_smi_memory_used": Titled("GPU memory in use", "MiB"),
    "nvidia_smi_encoder_stats_session_count": Titled("GPU encoder sessions", "sessions"),
    "NetworkIn": Titled("Network in", BYTES),
    "NetworkOut": Titled("Network out", BYTES),
    "NetworkPacketsIn": Titled("Network packets in", PACKETS),
    "NetworkPacketsOut": Titled("Network packets out", PACKETS),
    "DiskReadOps": Titled("Disk reads", OPERATIONS),
    "DiskWriteOps": Titled("Disk writes", OPERATIONS),
    "DiskReadBytes": Titled("Disk data read", BYTES),
    "DiskWriteBytes": Titled("Disk data written", BYTES),
    "VolumeReadOps": Titled("EBS reads", OPERATIONS),
    "VolumeWriteOps": Titled("EBS writes", OPERATIONS),
    "VolumeReadBytes": Titled("EBS data read", BYTES),
    "VolumeWriteBytes": Titled("EBS data written", BYTES),
    "VolumeIOPSExceededCheck": Titled("More IOPS asked for than it has", YES),
    "VolumeThroughputExceededCheck": Titled("More throughput asked for than it has", YES),
    "ActiveConnectionCount": Titled("Active connections", CONNECTIONS),
    "PacketsInFromSource": Titled("Packets from the source", PACKETS),
    "PacketsInFromDestination": Titled("Packets from the destination", PACKETS),
    "Invocations": Titled("Invocations", CALLS),
    "Errors": Titled("Errors", CALLS),
    "Throttles": Titled("Throttled calls", CALLS),
    "Duration": Titled("Duration", "ms"),
    "billed_duration": Titled("Billed duration", "ms"),
    "used_memory_max": Titled("Memory in use", "MB"),
    "RunningTaskCount": Titled("Running tasks", "tasks"),
    "DatabaseConnections": Titled("Database connections", CONNECTIONS),
    "NetworkReceiveThroughput": Titled("Network in", RATE),
    "NetworkTransmitThroughput": Titled("Network out", RATE),
    "ReadIOPS": Titled("Reads", OPERATION_RATE),
    "WriteIOPS": Titled("Writes", OPERATION_RATE),
    "ReadThroughput": Titled("Data read", RATE),
    "WriteThroughput": Titled("Data written", RATE),
    "FreeStorageSpace": Titled("Free storage space", BYTES),
    "StorageNetworkReadThroughput": Titled("Data read from cluster storage", RATE),
    "StorageNetworkWriteThroughput": Titled("Data written to cluster storage", RATE),
    "ReadIOPSEphemeralStorage": Titled("Reads of local storage", OPERATION_RATE),
    "WriteIOPSEphemeralStorage": Titled("Writes to local storage", OPERATION_RATE),
    "OsSwapIn": Titled("Swapped in", "KB/s"),
    "OsSwapOut": Titled("Swapped out", "KB/s"),
    "OsMemoryOutOfMemoryKillCount": Titled("Processes killed for lack of memory", COUNT),
    "AuroraMemoryHealthState": Titled("Memory health", "0 normal, 10 short"),
    "AuroraMemoryNumDeclinedSqlTotal": Titled("Queries declined for lack of memory", COUNT),
    "AuroraMemoryNumKillConnTotal": Titled("Connections closed for lack of memory", COUNT),
    "AuroraMemoryNumKillQueryTotal": Titled("Queries ended for lack of memory", COUNT),
    "VolumeBytesUsed": Titled("Cluster storage in use", BYTES),
    "VolumeReadIOPs": Titled("Billed reads of cluster storage", OPERATIONS),
    "VolumeWriteIOPs": Titled("Billed writes to cluster storage", OPERATIONS),
    "ConsumedReadCapacityUnits": Titled("Read capacity consumed", UNITS),
    "ConsumedWriteCapacityUnits": Titled("Write capacity consumed", UNITS),
    "IndexConsumedReadCapacityUnits": Titled("Read capacity consumed by indexes", UNITS),
    "IndexConsumedWriteCapacityUnits": Titled("Write capacity consumed by indexes", UNITS),
    "EngineCPUUtilization": Titled("Engine CPU utilization", PERCENT),
    "NewConnections": Titled("New connections", CONNECTIONS),
    "CurrConnections": Titled("Open connections", CONNECTIONS),
    "CacheHits": Titled("Cache hits", COUNT),
    "CacheMisses": Titled("Cache misses", COUNT),
    "GetTypeCmds": Titled("Read commands", "commands"),
    "SetTypeCmds": Titled("Write commands", "commands"),
    "ElastiCacheProcessingUnits": Titled("ElastiCache processing units", "units"),
    "KeyspaceHits": Titled("Keyspace hits", COUNT),
    "KeyspaceMisses": Titled("Keyspace misses", COUNT),
    "UserConnected": Titled("User connected", YES),
    "mssql_enterprise_features_used": Titled("SQL Server Enterprise features in use", "features"),
}
"""Every metric that is kept (docs/import.md). The unit of swap is that of Performance Insights."""

DERIVED: Mapping[str, Titled] = {GPU_MEMORY_PERCENT: Titled("GPU memory in use", PERCENT)}
"""Made of others by an analysis, in units that its rules are in."""

_OF_INTERVAL = {
    Statistic.SUM: "{} in each interval",
    Statistic.MAXIMUM: "{}, highest of each interval",
    Statistic.AVERAGE: "{}, mean of each interval",
}


def metric_title(name: str) -> str:
    """Return what people call a metric, or a dimension of demand, which is no metric."""
    return _titled(name).title


def metric_unit(key: MetricKey) -> str:
    """Return what the samples of a series count, and of which part of an interval."""
    return _OF_INTERVAL[key.statistic].format(_titled(key.metric).unit)


def _titled(name: str) -> Titled:
    """Return a metric in words, also one that an analysis made of others."""
    found = TITLED.get(name) or DERIVED.get(name)
    if found:
        return found
    of_one = TITLED.get(name.removeprefix(PREFIX)) or DERIVED.get(name.removeprefix(PREFIX))
    if of_one:
        return Titled(f"{of_one.title} of the busiest machine", of_one.unit)
    return Titled(spaced(name), "samples")
