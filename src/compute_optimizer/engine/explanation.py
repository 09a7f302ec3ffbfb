"""The evidence behind one recommendation: the arrays that decided, row by row, in plain records."""

from dataclasses import dataclass

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
    maximum: float
    """Highest value in the unit that the service reports: percent, or count or bytes per second."""


@dataclass(frozen=True, slots=True)
class DimensionEvidence:
    """How one dimension's demand came about, and what it asks of an instance type."""

    dimension: str
    unit: str
    """Of demand, required and capacity."""
    percentile: float
    """The threshold, such as 99.5."""
    forgiven_hours: float
    """Hours of samples above the threshold, which the percentile forgives."""
    samples: int
    maximum: float
    """Highest demand in the window."""
    demand: float
    """Demand at the percentile; NaN where no metric tells."""
    headroom: float
    required: float
    """demand / (1 - headroom)."""
    current_capacity: float
    """NaN where unknown."""
    current_risk: float
    """0 to 4; NaN where not judged."""


@dataclass(frozen=True, slots=True)
class TypeEvidence:
    """One instance type that was considered."""

    instance_type: str
    architecture_pool: str
    rank: int | None
    """None for a type that was refused or came after the third."""
    hourly_usd: float
    capacity: dict[str, float]
    """By dimension; NaN where unknown."""
    risk: dict[str, float]
    """By dimension, 0 to 4; NaN where not judged."""
    refused_because: tuple[str, ...]
    """Empty for an option."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason and how many types of the catalog it refused."""

    reason: str
    types: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decided one recommendation."""

    resource_arn: str
    instance_type: str
    window: Window
    finding: str
    """In the model's spelling; or the code of the error that came instead."""
    finding_reason_codes: tuple[str, ...]
    binding_dimension: str | None
    """The dimension that uses the largest share of the current capacity."""
    metrics: tuple[MetricEvidence, ...]
    dimensions: tuple[DimensionEvidence, ...]
    current_hourly_usd: float
    """NaN where unknown."""
    price_date: str
    considered: tuple[TypeEvidence, ...]
    """The options, then the cheapest types that were refused."""
    refusals: tuple[Refusal, ...]
    idle: bool
