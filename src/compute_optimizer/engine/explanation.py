"""The evidence behind one recommendation: the arrays that decided, row by row, in plain records."""

from dataclasses import dataclass
from datetime import date, datetime

from compute_optimizer.model.metrics import Window


@dataclass(frozen=True, slots=True)
class MetricEvidence:
    """What is known of one metric in the window."""

    metric: str
    statistic: str
    """Statistic of the samples that were used: Maximum, Average or Sum."""
    samples: int
    missing_share: float
    """Share of the window's slots without a sample, 0 to 1."""
    maximum: float | None
    """Highest value in the unit that the service reports: percent, or count or bytes per second."""


@dataclass(frozen=True, slots=True)
class DimensionEvidence:
    """How one dimension's demand came about, and what it asks of an instance type."""

    dimension: str
    unit: str
    """Of every figure of demand and capacity."""
    samples: int
    percentile: float
    """The threshold, such as 99.5."""
    forgiven_hours: float
    """Hours of samples above the threshold, which the percentile forgives."""
    maximum: float | None
    """Highest demand in the window; None where no metric tells."""
    demand: float | None
    """Demand at the percentile."""
    headroom: float
    """Share of the capacity that stays free."""
    required: float | None
    """demand / (1 - headroom)."""
    limit: float | None
    """What a type must have at least: `required`, or today's capacity where use is unknown and the
    dimension is never reduced blindly; None where nothing is asked."""
    current_capacity: float | None
    """None where unknown."""
    current_risk: float | None
    """0 to 4; None where not judged."""


@dataclass(frozen=True, slots=True)
class TypeEvidence:
    """One instance type that was considered."""

    instance_type: str
    architecture_pools: tuple[str, ...]
    hourly_usd: float
    capacity: dict[str, float | None]
    """By dimension; None where unknown."""
    ranks: dict[str, int]
    """By architecture pool; empty for a type that is no option."""
    performance_risk: float | None
    """0 to 4; None for a type that is no option."""
    refused_because: tuple[str, ...]
    """Empty for a type that fits; a fitting type without a rank came after the third."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason, and how many types of the catalog it was the first to refuse."""

    reason: str
    types: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decided one recommendation."""

    resource_arn: str
    instance_type: str
    as_of: datetime
    window: Window
    finding: str
    """In the model's spelling; or the code of the error that came instead."""
    finding_reason_codes: tuple[str, ...]
    binding_dimension: str | None
    """The dimension that asks for the largest share of the current capacity."""
    idle: bool
    metrics: tuple[MetricEvidence, ...]
    dimensions: tuple[DimensionEvidence, ...]
    current_hourly_usd: float | None
    """None where unknown, as every price."""
    price_date: date | None
    """Of the oldest price of the Region and platform."""
    types_date: date
    """Of the instance types' figures."""
    considered: tuple[TypeEvidence, ...]
    """The options, then the near misses: cheaper types that were refused, the dearest first."""
    refusals: tuple[Refusal, ...]
    """In the order of the rules; the counts add up to the types that do not fit."""
    fitting_types: int
    """Types that passed every rule."""
