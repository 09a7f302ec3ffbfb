"""Databases: what is known of a DB instance or an Aurora cluster, and what is said of it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

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

CLUSTER_MARK = ":cluster:"
"""In the ARN of an Aurora cluster; that of a DB instance has `:db:` there."""

AURORA_PREFIX = "aurora-"
"""How the engines of Aurora begin."""

AURORA_STANDARD: Final = "aurora"
AURORA_IO_OPTIMIZED: Final = "aurora-iopt1"
"""The storage of Aurora clusters, as RDS names it."""


@dataclass(frozen=True, slots=True)
class Database(Resource):
    """A DB instance, whose `instance_type` is its class, such as db.r5.large.

    An Aurora cluster has its storage there, `aurora` or `aurora-iopt1`, and of the members below
    only engine, version and the classes of its instances.
    """

    engine: str = ""
    """As RDS names it, such as postgres or aurora-mysql."""
    engine_version: str = ""
    multi_az: bool = False
    """Has a standby in another zone, which costs as much again."""
    storage_type: str = ""
    """gp2, gp3 or io1; of Aurora that of the cluster, `aurora` or `aurora-iopt1`."""
    allocated_gib: int = 0
    iops: int | None = None
    """As provisioned; None where the type has them by itself."""
    throughput_mibps: int | None = None
    """As provisioned, MiB/s; None where the type has it by itself."""
    max_allocated_gib: int | None = None
    """To which RDS may grow the storage by itself; None without storage autoscaling."""
    cluster: str = ""
    """Identifier of the Aurora cluster that the instance belongs to."""
    promotion_tier: int | None = None
    """0 to 15: which reader takes over first."""
    writer: bool = False
    """The instance of its cluster that writes."""
    read_replica: bool = False
    """Replicates another DB instance."""
    global_secondary: bool = False
    """Belongs to a secondary cluster of an Aurora global database."""
    performance_insights: bool = False
    """Without them no class with fewer vCPUs is recommended (spec 2.1)."""
    member_classes: tuple[str, ...] = ()
    """Of a cluster: the class of each of its instances."""

    @property
    def is_cluster(self) -> bool:
        """Return whether this is an Aurora cluster."""
        return CLUSTER_MARK in self.arn

    @property
    def is_aurora(self) -> bool:
        """Return whether the storage is that of an Aurora cluster."""
        return self.engine.startswith(AURORA_PREFIX)


class StorageConfiguration(msgspec.Struct, frozen=True, gc=False):
    """The storage of a database, as it is or as it might be."""

    storage_type: str
    allocated_gib: int | None = None
    """None for Aurora, as are the others: its storage grows by itself."""
    iops: int | None = None
    throughput_mibps: int | None = None
    max_allocated_gib: int | None = None


class ClusterCosts(msgspec.Struct, frozen=True, gc=False):
    """What an Aurora cluster costs a month at list prices, in USD."""

    instances: float
    storage: float
    io: float


class ClassOption(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One DB instance class that carries the demand."""

    db_class: str
    rank: int
    architecture_pool: str
    """CURRENT or AWS_ARM64: the preference under which the option may be shown."""
    performance_risk: float
    """0 to 4."""
    projected_cpu: float | None
    """Percent: the highest CPU use of the window, had this class been used."""
    savings: Savings | None
    """None where the price of either side is unknown."""
    hourly_usd: float | None
    """List price of the instance and its standby."""
    after_discounts: Savings | None = None
    """At effective rates; None where they are not known, or not asked for."""
    stranded_monthly_usd: float | None = None
    """What reservations that the option leaves behind go on to cost; None where there are none."""


class StorageOption(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One storage configuration that carries the demand."""

    configuration: StorageConfiguration
    rank: int
    savings: Savings | None
    monthly_usd: float | None
    """List price: of Aurora that of instances, storage and I/O together."""
    cost_variation: str | None = None
    """None, Low, Medium or High as the service's enum spells it: how much the cost of I/O varies;
    only of Aurora."""
    cluster_costs: ClusterCosts | None = None
    """Of Aurora what `monthly_usd` consists of; None where an earlier version wrote it."""


class DatabaseRecommendation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The recommendation for one DB instance, or for the storage of one Aurora cluster."""

    resource_arn: str
    account_id: str
    name: str
    tags: dict[str, str]
    engine: str
    engine_version: str
    promotion_tier: int | None
    cluster: str
    """Of an Aurora cluster its own identifier; empty outside Aurora."""
    db_class: str | None
    """None of a cluster, as are its finding, risk and idle mark."""
    storage: StorageConfiguration | None
    """None of an instance of Aurora, and where the storage is of no supported type."""
    instance_finding: Finding | None
    instance_reason_codes: tuple[str, ...]
    storage_finding: Finding | None
    """None without storage."""
    storage_reason_codes: tuple[str, ...]
    instance_options: tuple[ClassOption, ...]
    """At most three per architecture pool, by rank inside the pool."""
    storage_options: tuple[StorageOption, ...]
    """At most three, by rank."""
    current_performance_risk: PerformanceRisk | None
    cost_variation: str | None
    utilization: tuple[UtilizationMetric, ...]
    lookback_days: float
    preferences: Preferences
    idle: bool | None
    last_refresh: datetime
    hourly_usd: float | None
    """List price of the class as it is; None where unknown."""
    storage_monthly_usd: float | None
    price_date: date | None
    """Of the oldest price of the Region and engine; None without prices."""
    multi_az: bool | None = None
    """None of a cluster, and where an earlier version wrote it, as the next."""
    writer: bool | None = None
    """Of an instance of Aurora: whether it is the one that writes."""
    cluster_costs: ClusterCosts | None = None
    """Of a cluster what `storage_monthly_usd` consists of."""
    discounts: Discounts | None = None
    """None where savings are those at list prices only."""

    @property
    def finding(self) -> Finding:
        """Return what counts for the resource: of the instance or, of a cluster, the storage."""
        return self.instance_finding or self.storage_finding or Finding.OPTIMIZED
