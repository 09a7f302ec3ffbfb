"""Instances of every kind with the samples that they may have."""

from dataclasses import replace

import numpy as np

from compute_optimizer.model.metrics import MetricKey, ShardSamples
from compute_optimizer.model.resource import Resource
from tests.fleets import CPU, CPU_AVERAGE, MEMORY, counter, instance, shard

NAN = float("nan")
DAY = 288

FLEET_TYPES = (
    "m5.xlarge",
    "m4.2xlarge",
    "c5d.2xlarge",
    "r6i.large",
    "t3.large",
    "t2.micro",
    "m6g.xlarge",
    "m7a.4xlarge",
    "g4dn.xlarge",
    "m1.small",
    "i3.large",
    "c7i-flex.2xlarge",
    "mac2.metal",
    "no.such",
)
KEYS = (
    CPU,
    CPU_AVERAGE,
    MEMORY,
    *(counter(m) for m in ("NetworkIn", "NetworkOut", "NetworkPacketsIn", "VolumeReadOps")),
    *(counter(m) for m in ("VolumeWriteBytes", "DiskReadOps")),
)


def mixed_shard(seed: int, rows: int = 30) -> tuple[list[Resource], ShardSamples]:
    """Return instances of every kind with levels, bursts, gaps and whole series missing."""
    random = np.random.default_rng(seed)
    fleet = [instance(row, FLEET_TYPES[row % len(FLEET_TYPES)]) for row in range(rows)]
    fleet[3] = replace(fleet[3], vcpus=6, memory_mib=20_000)
    fleet[4] = replace(fleet[4], platform="windows")
    fleet[5] = replace(fleet[5], region="eu-central-1")
    series: dict[MetricKey, np.ndarray] = {}
    for key in KEYS:
        percent = key in (CPU, CPU_AVERAGE, MEMORY)
        level = random.gamma(1.0, 25 if percent else 1e6, (rows, 1))
        level[random.random((rows, 1)) < 0.1] = 0
        bursts = 1 + 3 * (random.random((rows, 14 * DAY)) < random.random((rows, 1)) * 0.1)
        values = level * bursts * random.uniform(0.8, 1.2, (rows, 14 * DAY))
        values[random.random(values.shape) < 0.01] = NAN
        values[random.random(rows) < 0.15] = NAN
        values[random.random(rows) < 0.1, 300:] = NAN
        series[key] = np.minimum(values, 100) if percent else values
    return fleet, shard(fleet, series)
