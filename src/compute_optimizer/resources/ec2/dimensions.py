"""The dimensions of an EC2 instance: their metrics, and the capacity that the catalog knows."""

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.engine.demand import CPU, MEMORY
from compute_optimizer.engine.digests import Figure, KeptSeries, part_of
from compute_optimizer.engine.dimensions import Combine, Dimension, compute
from compute_optimizer.engine.idle import total_of
from compute_optimizer.engine.usage import CPU_METRIC, MEMORY_METRIC
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.units import BYTES_PER_GBIT, BYTES_PER_MIB


def _unknown(types: InstanceTypes) -> Floats:
    # No public source states what an instance store can do.
    return np.full(len(types.names), np.nan)


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
        "EBSThroughput",
        "bytes/s",
        ("VolumeReadBytes", "VolumeWriteBytes"),
        lambda types: types.ebs_baseline_mibps * BYTES_PER_MIB,
        Combine.SUM,
    ),
    Dimension(
        "EBSIOPS",
        "operations/s",
        ("VolumeReadOps", "VolumeWriteOps"),
        lambda types: types.ebs_baseline_iops,
        Combine.SUM,
    ),
    Dimension(
        "NetworkBandwidth",
        "bytes/s",
        ("NetworkIn", "NetworkOut"),
        lambda types: types.network_baseline_gbps * BYTES_PER_GBIT,
    ),
    Dimension(
        "NetworkPPS",
        "packets/s",
        ("NetworkPacketsIn", "NetworkPacketsOut"),
        lambda types: types.packets_per_second,
    ),
    Dimension("DiskIOPS", "operations/s", ("DiskReadOps", "DiskWriteOps"), _unknown, Combine.SUM),
    Dimension(
        "DiskThroughput", "bytes/s", ("DiskReadBytes", "DiskWriteBytes"), _unknown, Combine.SUM
    ),
)
"""In the order in which the service lists the reason codes; GPU metrics have no source yet."""

DIMENSION_NAMES = tuple(dimension.name for dimension in DIMENSIONS)

PEAK_MODELS = {
    CPU: "cpu",
    MEMORY: "memory",
    "EBSThroughput": "disk",
    "EBSIOPS": "disk",
    "NetworkBandwidth": "network",
}
"""By dimension the model of a risk model that tells its coming peak. Operations are taken to move
as bytes do: no public trace has them."""

MEMORY_PLACE = 1
"""Where memory stands in DIMENSIONS."""

DISK_METRICS = ("DiskReadOps", "DiskWriteOps", "DiskReadBytes", "DiskWriteBytes")
"""Any use of them means that the instance store is in use."""

WIRE_NAMES = {
    CPU_METRIC: "Cpu",
    MEMORY_METRIC: "Memory",
    "VolumeReadOps": "EBS_READ_OPS_PER_SECOND",
    "VolumeWriteOps": "EBS_WRITE_OPS_PER_SECOND",
    "VolumeReadBytes": "EBS_READ_BYTES_PER_SECOND",
    "VolumeWriteBytes": "EBS_WRITE_BYTES_PER_SECOND",
    "DiskReadOps": "DISK_READ_OPS_PER_SECOND",
    "DiskWriteOps": "DISK_WRITE_OPS_PER_SECOND",
    "DiskReadBytes": "DISK_READ_BYTES_PER_SECOND",
    "DiskWriteBytes": "DISK_WRITE_BYTES_PER_SECOND",
    "NetworkIn": "NETWORK_IN_BYTES_PER_SECOND",
    "NetworkOut": "NETWORK_OUT_BYTES_PER_SECOND",
    "NetworkPacketsIn": "NETWORK_PACKETS_IN_PER_SECOND",
    "NetworkPacketsOut": "NETWORK_PACKETS_OUT_PER_SECOND",
}
"""The metrics by their name in enum MetricName, in its order."""

PERCENTAGES = (CPU_METRIC, MEMORY_METRIC)

GPU_USE = "nvidia_smi_utilization_gpu"
GPU_MEMORY = "nvidia_smi_memory_used"
GPU_ENCODER = "nvidia_smi_encoder_stats_session_count"
GPU_METRICS = (GPU_USE, GPU_MEMORY, GPU_ENCODER)
"""As the CloudWatch agent calls them (spec 2.4): percent, MiB and sessions. Only idleness is told
by them so far."""

METRICS = (
    *(
        MetricKey(metric, statistic)
        for metric in (*PERCENTAGES, *GPU_METRICS)
        for statistic in (Statistic.MAXIMUM, Statistic.AVERAGE)
    ),
    *(MetricKey(metric, Statistic.SUM) for metric in WIRE_NAMES if metric not in PERCENTAGES),
)
"""Every series that the analysis wants from the tiles."""


def _digested() -> tuple[KeptSeries, ...]:
    tail = (Figure.COUNT, Figure.TAIL)
    both = (Statistic.MAXIMUM, Statistic.AVERAGE)
    cpu = tuple(KeptSeries((MetricKey(CPU_METRIC, one),), (*tail, Figure.TOTAL)) for one in both)
    memory = tuple(KeptSeries((MetricKey(MEMORY_METRIC, one),), tail) for one in both)
    counters = [metric for metric in WIRE_NAMES if metric not in PERCENTAGES]
    highest = tuple(
        KeptSeries((MetricKey(metric, Statistic.SUM),), (Figure.COUNT, Figure.HIGHEST))
        for metric in counters
    )
    formed = tuple(part_of(one, *tail) for one in DIMENSIONS if not one.percentage)
    return (*cpu, *memory, *highest, *formed, total_of(("NetworkIn", "NetworkOut")))


DIGESTED = _digested()
"""What is kept of each day for later analyses: the tails that tell percentiles, the sums on which
CPU credits and idleness go, and the highest samples that are reported."""
