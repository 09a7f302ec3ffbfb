"""EC2 instances: which metrics decide, and the recommendation for a shard of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, RecommendationError
from compute_optimizer.model.resource import Resource

if TYPE_CHECKING:
    from compute_optimizer.catalog.instance_types import InstanceTypes

PERCENTAGES = ("CPUUtilization", "mem_used_percent")
COUNTERS = (
    "NetworkIn",
    "NetworkOut",
    "NetworkPacketsIn",
    "NetworkPacketsOut",
    "VolumeReadOps",
    "VolumeWriteOps",
    "VolumeReadBytes",
    "VolumeWriteBytes",
    "DiskReadOps",
    "DiskWriteOps",
    "DiskReadBytes",
    "DiskWriteBytes",
)
METRICS = (
    *(MetricKey(m, s) for m in PERCENTAGES for s in (Statistic.MAXIMUM, Statistic.AVERAGE)),
    *(MetricKey(m, Statistic.SUM) for m in COUNTERS),
)
"""Every series that the analysis wants from the tiles."""


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What the analysis of one shard says."""

    recommendations: tuple[Ec2InstanceRecommendation, ...]
    errors: tuple[RecommendationError, ...]


def recommend(
    resources: Sequence[Resource],
    samples: ShardSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> ShardResult:
    """Return the recommendation, or the error instead of one, for each resource of a shard.

    The resources are in the row order of the samples.
    """
    raise RuntimeError("the engine is not complete")


def explain(
    resource: Resource,
    samples: ShardSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the evidence for one resource; its samples are a batch of one."""
    raise RuntimeError("the engine is not complete")
