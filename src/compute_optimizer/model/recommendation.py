"""What an analysis says about one resource; stored as it is, turned into wire shapes by views.

The small records, of which each recommendation has dozens, are msgspec's: making one costs a
tenth of a frozen dataclass, and of the smallest the garbage collector need not look at any.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import msgspec

from compute_optimizer.model.preferences import PUBLISHED, Preferences

HOURS_PER_MONTH = 730
"""Hours; reproduces a published sample of the service exactly (spec 3.9)."""

LARGEST_PAGE = 1_000
"""Most recommendations on one page (range of maxResults, spec 8.2)."""


class Finding(StrEnum):
    """The service's findings, in the model's spelling."""

    UNDER_PROVISIONED = "Underprovisioned"
    OVER_PROVISIONED = "Overprovisioned"
    OPTIMIZED = "Optimized"
    NOT_OPTIMIZED = "NotOptimized"
    """Of types that do not tell over from under, such as EBS volumes (spec 3.1)."""
    IDLE = "Idle"
    """This and the next two: of idle recommendations (spec 5.1)."""
    UNATTACHED = "Unattached"
    UNUSED = "Unused"
    UNAVAILABLE = "Unavailable"
    """Of Lambda functions that cannot be judged (spec 3.1)."""
    INSUFFICIENT_METRICS = "InsufficientMetrics"
    """The same of licenses."""


class PerformanceRisk(StrEnum):
    """The current resource's risk, in the model's spelling."""

    VERY_LOW = "VeryLow"
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class MetricDimension(msgspec.Struct, frozen=True, gc=False):
    """What part of a resource a metric is of, as CloudWatch tells it."""

    key: str
    values: tuple[str, ...]


class UtilizationMetric(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One value of use: the highest in the look-back period."""

    name: str
    """In the model's spelling, such as Cpu or EBS_READ_OPS_PER_SECOND."""
    value: float
    source_statistic: str = "Maximum"
    """Statistic of the stored samples: Maximum, or Average where nobody sent maxima; Sum where the
    value is not the highest but all of the look-back period."""
    dimensions: tuple[MetricDimension, ...] = ()
    """Where the resource alone does not tell them."""


class Savings(msgspec.Struct, frozen=True, gc=False):
    """Estimated monthly savings at public list prices."""

    percentage: float
    monthly_usd: float


class Discounts(msgspec.Struct, frozen=True, gc=False):
    """How a resource is paid for as it is, told from what its account was billed."""

    factor: float
    """What is paid of each USD at list."""
    reserved_share: float = 0.0
    """Share of the hours of its type that reservations cover, 0 to 1."""


class RecommendationOption(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One instance type that carries the demand."""

    instance_type: str
    rank: int
    architecture_pool: str
    """CURRENT or AWS_ARM64: the preference under which the option may be shown."""
    performance_risk: float
    """0 to 4."""
    projected_utilization: tuple[UtilizationMetric, ...]
    platform_differences: tuple[str, ...]
    migration_effort: str
    savings: Savings | None
    """None where the price of either side is unknown."""
    hourly_usd: float | None = None
    """List price; options of all pools rank by it, then by risk, then by name."""
    violation_risk: float | None = None
    """Predicted probability that the next 14 days' demand exceeds the type's capacity in some
    dimension in which it is smaller than today's; None where nothing is predicted."""
    after_discounts: Savings | None = None
    """At effective rates; None where they are not known, or not asked for."""
    stranded_monthly_usd: float | None = None
    """What reservations that the option leaves behind go on to cost; None where there are none."""


class StoredDemand(msgspec.Struct, frozen=True, gc=False):
    """What one dimension asked for when the recommendation was made."""

    dimension: str
    samples: int
    missing_share: float
    """Share of the slots of the look-back period without a sample, 0 to 1."""
    demand: float
    """At the percentile of the preferences, in the dimension's unit."""
    required: float
    """With the headroom of the preferences."""


class OtherAnswer(msgspec.Struct, frozen=True):
    """What the other profile says of the same samples."""

    profile: str
    finding: Finding
    instance_type: str | None
    """Of its first option for the present architecture."""
    savings: Savings | None
    violation_risk: float | None


class Evidence(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What decided, as it was when the recommendation was made.

    Window and threshold follow from its last refresh, its look-back period and its preferences;
    the statistics stand with its values of use.
    """

    binding_dimension: str | None
    """The dimension that asks for the largest share of the current capacity."""
    price_date: date | None
    """Of the oldest price of the Region and platform."""
    demands: tuple[StoredDemand, ...]
    """Of dimensions with samples and a known demand."""
    profile: str = PUBLISHED
    """The profile that decided."""
    published_because: str | None = None
    """Why the published rule decided where the preferences ask for the calibrated profile."""


class Ec2InstanceRecommendation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The recommendation for one EC2 instance."""

    resource_arn: str
    account_id: str
    name: str
    current_instance_type: str
    state: str
    tags: dict[str, str]
    finding: Finding
    finding_reason_codes: tuple[str, ...]
    utilization: tuple[UtilizationMetric, ...]
    lookback_days: float
    options: tuple[RecommendationOption, ...]
    """At most three per architecture pool, by rank inside the pool."""
    current_performance_risk: PerformanceRisk
    preferences: Preferences
    idle: bool
    last_refresh: datetime
    auto_scaling_group_arn: str | None = None
    inferred_workload_types: tuple[str, ...] = ()
    evidence: Evidence | None = None
    """None where an earlier version wrote it."""
    other: OtherAnswer | None = None
    """None where no risk was predicted, or an earlier version wrote it."""
    current_hourly_usd: float | None = None
    """List price as it is; None where unknown, or an earlier version wrote it."""
    follows_group: bool = False
    """Finding, options and evidence are those of its group, which counts the savings."""
    discounts: Discounts | None = None
    """None where savings are those at list prices only."""

    @property
    def monthly_usd(self) -> float | None:
        """List price a month as it is; None where unknown."""
        hourly = self.current_hourly_usd
        return None if hourly is None else hourly * HOURS_PER_MONTH

    @property
    def price_date(self) -> date | None:
        """Of the oldest price of the Region and platform; None where unknown."""
        return None if self.evidence is None else self.evidence.price_date


@dataclass(frozen=True, slots=True)
class RecommendationError:
    """Why a resource has no recommendation: an entry of `errors[]`."""

    resource_arn: str
    code: str
    """One of the codes of spec 8.4, such as INSUFFICIENT_METRIC_DATA."""
    message: str


class IdleRecommendation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What idles: a resource that costs and does nothing."""

    resource_arn: str
    resource_id: str
    account_id: str
    name: str
    idle_type: str
    """The service's name in enum IdleRecommendationResourceType, such as EBSVolume."""
    tags: dict[str, str]
    finding: Finding
    """Idle, Unattached or Unused."""
    description: str
    """Why, in a sentence."""
    utilization: tuple[UtilizationMetric, ...]
    lookback_days: float
    savings: Savings | None
    """None where the price is unknown."""
    last_refresh: datetime
    after_discounts: Savings | None = None
    """At effective rates; None where they are not known, or not asked for."""

    @property
    def price_date(self) -> date | None:
        """Return that none is kept."""
        return None


class Recommendation(Protocol):
    """What the recommendations of every resource type have."""

    @property
    def resource_arn(self) -> str:
        """Return the ARN of the resource."""

    @property
    def account_id(self) -> str:
        """Return the account that owns the resource."""

    @property
    def name(self) -> str:
        """Return what its tag Name says, or its own name; may be empty."""

    @property
    def tags(self) -> dict[str, str]:
        """Return its tags."""

    @property
    def finding(self) -> Finding:
        """Return the finding."""

    @property
    def last_refresh(self) -> datetime:
        """Return the moment up to which samples were looked at."""

    @property
    def price_date(self) -> date | None:
        """Return the date of the oldest price that it goes by; None where none is known."""


R = TypeVar("R", covariant=True)


@dataclass(frozen=True, slots=True)
class Results(Generic[R]):
    """What the analysis of one shard says."""

    recommendations: tuple[R, ...]
    errors: tuple[RecommendationError, ...]
    idle: tuple[IdleRecommendation, ...] = ()
    """Whatever else is said of the same resources."""
