"""The dimensions of a DB instance, the metrics that tell them, and their names on the wire."""

from compute_optimizer.engine.demand import CPU, MEMORY
from compute_optimizer.engine.dimensions import CPU_PLACE, Combine, Dimension, compute
from compute_optimizer.engine.usage import CPU_METRIC, MEMORY_METRIC
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.units import BYTES_PER_GBIT, BYTES_PER_MIB

CONNECTIONS = "DatabaseConnections"
FREE_STORAGE = "FreeStorageSpace"
BYTES_USED = "VolumeBytesUsed"
READ_IOS, WRITE_IOS = "VolumeReadIOPs", "VolumeWriteIOPs"


DIMENSIONS = (
    Dimension(CPU, "vCPU of m5", (CPU_METRIC,), compute, percentage=True),
    Dimension(
        MEMORY,
        "MiB",
        (MEMORY_METRIC,),
        lambda types: types.memory_mib,
        percentage=True,
        never_reduced_blindly=True,
    ),
    Dimension(
        "NetworkBandwidth",
        "bytes/s",
        ("NetworkReceiveThroughput", "NetworkTransmitThroughput"),
        lambda types: types.network_baseline_gbps * BYTES_PER_GBIT,
    ),
    Dimension(
        "EBSIOPS",
        "operations/s",
        ("ReadIOPS", "WriteIOPS"),
        lambda types: types.ebs_baseline_iops,
        Combine.SUM,
    ),
    Dimension(
        "EBSThroughput",
        "bytes/s",
        ("ReadThroughput", "WriteThroughput"),
        lambda types: types.ebs_baseline_mibps * BYTES_PER_MIB,
        Combine.SUM,
    ),
    Dimension("VCPU", "vCPUs", ("(none)",), lambda types: types.vcpus, never_reduced_blindly=True),
)
"""In the order in which reason codes are listed; the last has no metric and no code: it keeps the
vCPUs of instances without Performance Insights (spec 2.1)."""

DIMENSION_NAMES = tuple(dimension.name for dimension in DIMENSIONS)

MEMORY_PLACE, NETWORK_PLACE, IOPS_PLACE, THROUGHPUT_PLACE, VCPU_PLACE = range(CPU_PLACE + 1, 6)
"""Places in DIMENSIONS."""

EBS_PLACES = (IOPS_PLACE, THROUGHPUT_PLACE)
"""What an instance of Aurora does not have: its storage lies behind the network."""

RATE_PLACES = (NETWORK_PLACE, *EBS_PLACES)
"""Dimensions whose samples are rates per second, not counts per slot."""

EPHEMERAL = ("ReadIOPSEphemeralStorage", "WriteIOPSEphemeralStorage")
"""Any use of them means that the instance store is in use."""

LASTING_PRESSURE = ("OsSwapIn", "OsSwapOut", "AuroraMemoryHealthState")
"""Metrics above 0 while memory is short; so often as the threshold forgives is no finding."""

KILLS = (
    "AuroraMemoryNumDeclinedSqlTotal",
    "AuroraMemoryNumKillConnTotal",
    "AuroraMemoryNumKillQueryTotal",
    "OsMemoryOutOfMemoryKillCount",
)
"""Metrics above 0 where memory was so short that work was lost: once is a finding."""

WIRE_NAMES = {
    CPU_METRIC: "CPU",
    MEMORY_METRIC: "Memory",
    "NetworkReceiveThroughput": "NetworkReceiveThroughput",
    "NetworkTransmitThroughput": "NetworkTransmitThroughput",
    "ReadIOPS": "EBSVolumeReadIOPS",
    "WriteIOPS": "EBSVolumeWriteIOPS",
    "ReadThroughput": "EBSVolumeReadThroughput",
    "WriteThroughput": "EBSVolumeWriteThroughput",
    CONNECTIONS: "DatabaseConnections",
    "StorageNetworkReadThroughput": "StorageNetworkReceiveThroughput",
    "StorageNetworkWriteThroughput": "StorageNetworkTransmitThroughput",
    "AuroraMemoryHealthState": "AuroraMemoryHealthState",
    "AuroraMemoryNumDeclinedSqlTotal": "AuroraMemoryNumDeclinedSql",
    "AuroraMemoryNumKillConnTotal": "AuroraMemoryNumKillConnTotal",
    "AuroraMemoryNumKillQueryTotal": "AuroraMemoryNumKillQueryTotal",
    "ReadIOPSEphemeralStorage": "ReadIOPSEphemeralStorage",
    "WriteIOPSEphemeralStorage": "WriteIOPSEphemeralStorage",
}
"""The metrics of instances that are reported, by their name in enum RDSDBMetricName."""

STORAGE_SPACE = "EBSVolumeStorageSpaceUtilization"
"""The same of FREE_STORAGE, turned into the percentage that is used."""

EBS_METRICS = ("ReadIOPS", "WriteIOPS", "ReadThroughput", "WriteThroughput")
"""Of RDS; Aurora sends them too, about its storage network."""

CLUSTER_WIRE_NAMES = {READ_IOS: READ_IOS, BYTES_USED: BYTES_USED, WRITE_IOS: WRITE_IOS}
"""The metrics of clusters that are reported, as averages."""

GAUGES = (*WIRE_NAMES, "OsSwapIn", "OsSwapOut", "OsMemoryOutOfMemoryKillCount")

METRICS = (
    *(
        MetricKey(metric, statistic)
        for metric in GAUGES
        for statistic in (Statistic.MAXIMUM, Statistic.AVERAGE)
    ),
    MetricKey(FREE_STORAGE, Statistic.AVERAGE),
    MetricKey(BYTES_USED, Statistic.AVERAGE),
    MetricKey(READ_IOS, Statistic.SUM),
    MetricKey(WRITE_IOS, Statistic.SUM),
)
"""Every series that the analysis wants from the tiles."""
