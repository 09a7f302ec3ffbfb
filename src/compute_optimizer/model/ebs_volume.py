"""EBS volumes: what the inventory knows of one, and what an analysis says about it."""

from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Discounts,
    Finding,
    PerformanceRisk,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import Resource

IN_USE = "in-use"
"""The state of a volume that is attached to an instance."""

VOLUME_STATES = ("creating", "available", IN_USE, "deleting", "deleted", "error")
"""EC2's states of volumes."""


@dataclass(frozen=True, slots=True)
class EbsVolume(Resource):
    """A volume of the inventory; its `instance_type` is the volume type, such as gp3."""

    size_gib: int = 0
    iops: int | None = None
    """As provisioned; None where the type has them by itself."""
    throughput_mibps: int | None = None
    """As provisioned, MiB/s; None where the type has it by itself."""
    root: bool = False
    """The volume that its instance boots from."""
    created_at: datetime | None = None
    """When it was made; None where unknown."""


class VolumeConfiguration(msgspec.Struct, frozen=True, gc=False):
    """Type, size and performance of a volume, as it is or as it might be."""

    volume_type: str
    size_gib: int
    baseline_iops: int
    burst_iops: int
    baseline_throughput: int
    """MiB/s, as is the burst's."""
    burst_throughput: int


class VolumeOption(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One configuration that carries the demand."""

    configuration: VolumeConfiguration
    rank: int
    performance_risk: float
    """0 to 4."""
    savings: Savings | None
    """None where the price of either side is unknown."""
    monthly_usd: float | None
    """List price; None where unknown."""
    after_discounts: Savings | None = None
    """At effective rates; None where they are not known, or not asked for."""


class EbsVolumeRecommendation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The recommendation for one EBS volume."""

    resource_arn: str
    account_id: str
    name: str
    tags: dict[str, str]
    root: bool
    configuration: VolumeConfiguration
    finding: Finding
    """Optimized or NotOptimized."""
    utilization: tuple[UtilizationMetric, ...]
    lookback_days: float
    options: tuple[VolumeOption, ...]
    """At most three, by rank."""
    current_performance_risk: PerformanceRisk
    preferences: Preferences
    idle: bool
    """Not a root volume, and less than one operation a day (spec 5.1)."""
    last_refresh: datetime
    monthly_usd: float | None
    """List price as it is; None where unknown."""
    price_date: date | None
    """Of the oldest price of the Region; None without prices."""
    discounts: Discounts | None = None
    """None where savings are those at list prices only."""
