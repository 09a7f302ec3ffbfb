"""Auto Scaling groups: what the inventory knows of one, and what an analysis says about it."""

from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Discounts,
    Evidence,
    Finding,
    OtherAnswer,
    PerformanceRisk,
    RecommendationOption,
    UtilizationMetric,
)
from compute_optimizer.model.resource import Resource

FIXED = "none"
"""No policy, or disabled ones: the group is a pool of a fixed size."""

DYNAMIC = "dynamic"
"""A policy follows the load: target tracking, predictive, simple or step scaling."""

SCHEDULED = "scheduled"
"""Scheduled actions only."""

SCALING = (FIXED, DYNAMIC, SCHEDULED)
"""How a group scales; the service tells groups apart by it (spec 6.2)."""

PRIORITIZED = "Prioritized"
LOWEST_PRICE = "LowestPrice"
"""Enum AllocationStrategy."""


@dataclass(frozen=True, slots=True)
class AutoScalingGroup(Resource):
    """A group of the inventory; its `instance_type` is the first of its types."""

    min_size: int = 0
    max_size: int = 0
    desired_capacity: int = 0
    mixed_types: tuple[str, ...] = ()
    """All instance types of a group that mixes them, by priority; empty for a single type."""
    allocation_strategy: str | None = None
    """Of a group that mixes types, where it is known."""
    scaling: str = FIXED
    """One of SCALING."""
    spot: bool = False
    """Some of its instances are Spot Instances."""
    weighted: bool = False
    """Its instance types have weights."""


class GroupConfiguration(msgspec.Struct, frozen=True, gc=False):
    """Sizes and types of a group as it is; an option differs in the type that comes first."""

    desired_capacity: int
    min_size: int
    max_size: int
    instance_type: str
    """The only type, or of a mixed group the one that savings are counted from."""
    mixed_types: tuple[str, ...] = ()
    allocation_strategy: str | None = None


class GroupOption(RecommendationOption, frozen=True, gc=False, omit_defaults=True):
    """One instance type that carries the demand; savings are those of the whole group."""

    hour_reduction: float | None = None
    """Percent of the instance hours that a faster type spares a group that follows its load; None
    for other groups, and where nobody knows."""


class AutoScalingGroupRecommendation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The recommendation for one Auto Scaling group."""

    resource_arn: str
    account_id: str
    name: str
    tags: dict[str, str]
    configuration: GroupConfiguration
    scaling: str
    finding: Finding
    """Optimized or NotOptimized."""
    finding_reason_codes: tuple[str, ...]
    """Of its machines; filters look at them, answers do not show them."""
    utilization: tuple[UtilizationMetric, ...]
    """Of one machine of the group."""
    lookback_days: float
    options: tuple[GroupOption, ...]
    """At most three per architecture pool, by rank inside the pool."""
    current_performance_risk: PerformanceRisk
    preferences: Preferences
    idle: bool
    last_refresh: datetime
    inferred_workload_types: tuple[str, ...] = ()
    evidence: Evidence | None = None
    other: OtherAnswer | None = None
    current_hourly_usd: float | None = None
    """List price of one machine of that type; None where it is unknown."""
    discounts: Discounts | None = None
    """None where savings are those at list prices only."""

    @property
    def current_instance_type(self) -> str:
        """Return the type that savings are counted from."""
        return self.configuration.instance_type

    @property
    def price_date(self) -> date | None:
        """Of the oldest price of the Region and platform; None where unknown."""
        return None if self.evidence is None else self.evidence.price_date
