"""The evidence behind one recommendation: the arrays that decided, row by row, in plain records."""

from dataclasses import dataclass
from datetime import date, datetime

from compute_optimizer.model.metrics import Window
from compute_optimizer.model.recommendation import OtherAnswer


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
    dimension is never reduced blindly; where predicted risk decides, what keeps this dimension's
    alone within the cap. None where nothing is asked."""
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
    risks: dict[str, float | None]
    """By dimension, 0 to 4, also of types that are no option; None where not judged."""
    violation_risk: float | None
    """Predicted, of any dimension, 0 to 1; None where nothing is predicted."""
    violation_risks: dict[str, float | None]
    """The same by dimension."""
    refused_because: tuple[str, ...]
    """Empty for a type that fits; a fitting type without a rank came after the third."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason, and how many types of the catalog it was the first to refuse."""

    reason: str
    types: int


@dataclass(frozen=True, slots=True)
class ChoiceEvidence:
    """One configuration that a resource might have, where it is not of a type of a catalog."""

    of: str
    """What is chosen, such as the storage of a database."""
    configuration: str
    """As people write it; the same as a line of `recommend` has."""
    rank: int | None
    """None for what is no option."""
    monthly_usd: float | None
    """List price; None where unknown."""
    performance_risk: float | None
    """0 to 4; None where not judged."""
    capacity: dict[str, float | None]
    """By dimension; None where unknown."""
    refused_because: tuple[str, ...]
    """Empty for what fits; what fits without a rank came after the last option."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that decided, beside the limit that it was held against."""

    figure: str
    unit: str
    value: float | None
    """None where unknown."""
    limit: float | None
    """None where it is held against nothing."""
    decides: str
    """What it decides, in words."""


@dataclass(frozen=True, slots=True)
class IdleLimitEvidence:
    """One limit of idleness, and what the samples say."""

    metrics: tuple[str, ...]
    """Counted together."""
    measure: str
    """What of the samples is held to the limit."""
    value: float | None
    """In the unit of the samples; None where nobody sent them."""
    limit: float
    inclusive: bool
    """Whether the limit itself is still idle."""
    known: bool
    """Enough samples for a judgement; without them nothing is called idle."""
    holds: bool


@dataclass(frozen=True, slots=True)
class IdleEvidence:
    """One rule of idleness of the resource's type, whether it applies or not."""

    finding: str
    """What is said of a resource that the rule finds, in the model's spelling."""
    window: Window
    concerned: bool
    """Whether the rule looks at the resource at all, as it is in the inventory."""
    is_idle: bool
    limits: tuple[IdleLimitEvidence, ...]


@dataclass(frozen=True, slots=True)
class History:
    """How much history the answer rests on, told by one metric: without it there is no answer."""

    of: str
    """Which metric."""
    days: int
    """Of the look-back period."""
    days_with_data: int
    """Days with one sample at least."""
    share: float
    """Of the slots of the period that have a sample, 0 to 1."""
    samples: int
    samples_needed: int
    """With fewer there is no recommendation."""
    oldest: datetime | None
    newest: datetime | None
    """Begin of the slot; None without samples."""


@dataclass(frozen=True, slots=True)
class PeakEvidence:
    """The last and the coming peak of one dimension, in the dimension's unit."""

    dimension: str
    unit: str
    last_peak: float
    """Exceeded in no more than 0.1 % of the samples; of memory the highest."""
    coming: dict[str, float]
    """By share, such as "0.9": the peak of the next 14 days stays below with that probability."""
    days_with_data: int


@dataclass(frozen=True, slots=True)
class PredictionEvidence:
    """What was predicted, and what it decided."""

    profile: str
    """The profile that decided: calibrated, or published."""
    published_because: str | None
    """Why the published rule decided where the calibrated profile was asked for."""
    risk_cap: float
    incident_usd: float
    fitted_on: str
    peaks: tuple[PeakEvidence, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The part of a recommendation that somebody would act on."""

    finding: str
    """In the model's spelling; or the code of the error that came instead."""
    first_option: str | None
    """Of the present architecture; None where there is no recommendation."""

    def differs(self, other: "Answer") -> tuple[str, ...]:
        """Return what of two answers is not the same: names of fields."""
        fields = ("finding", "first_option")
        return tuple(name for name in fields if getattr(self, name) != getattr(other, name))


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """The nearest demand of one dimension, all else as it is, with another answer."""

    dimension: str
    unit: str
    demand: float | None
    """Today, at the percentile; None where no metric tells."""
    demand_then: float
    """The answer is another one from here on, away from today's demand."""
    changes: tuple[str, ...]
    """Fields of the answer."""
    answer: Answer


@dataclass(frozen=True, slots=True)
class OtherPreference:
    """What another value of one preference would make of the same samples."""

    preference: str
    """Field of Preferences."""
    value: float
    changes: tuple[str, ...]
    """Fields of the answer; empty where it stays."""
    answer: Answer


@dataclass(frozen=True, slots=True)
class WhatWouldChange:
    """What would change the answer."""

    answer: Answer
    """Today's."""
    tipping_points: tuple[TippingPoint, ...]
    preferences: tuple[OtherPreference, ...]


@dataclass(frozen=True, slots=True)
class Departure:
    """One fact that is no longer what it was when the recommendation was stored."""

    fact: str
    stored: str
    now: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decided one recommendation, alike for every resource type.

    Members with a default are of those types only that have such a thing.
    """

    resource_arn: str
    instance_type: str
    """The type that the inventory states, such as m5.large, gp3 or Fargate."""
    as_of: datetime
    window: Window
    finding: str
    """In the model's spelling; or the code of the error that came instead."""
    finding_reason_codes: tuple[str, ...]
    binding_dimension: str | None
    """The dimension that asks for the largest share of the current capacity."""
    idle: bool | None
    """None where nobody asks whether such a resource is idle."""
    history: History
    metrics: tuple[MetricEvidence, ...]
    dimensions: tuple[DimensionEvidence, ...]
    price_date: date | None
    """Of the oldest price of the Region and platform."""
    storage_finding: str | None = None
    """Of the storage of a DB instance; None without."""
    current: str = ""
    """What it is as people write it, where the type alone does not tell."""
    current_hourly_usd: float | None = None
    """None where unknown, as every price; of instances, as the next one is of all others."""
    current_monthly_usd: float | None = None
    types_date: date | None = None
    """Of the instance types' figures."""
    considered: tuple[TypeEvidence, ...] = ()
    """The options, then the near misses: cheaper types that were refused, the dearest first."""
    choices: tuple[ChoiceEvidence, ...] = ()
    """Every configuration that was considered, the options first."""
    figures: tuple[Figure, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    """In the order of the rules; the counts add up to the types that do not fit."""
    fitting_types: int = 0
    """Types that passed every rule."""
    idle_rules: tuple[IdleEvidence, ...] = ()
    what_would_change: WhatWouldChange | None = None
    """None where there is no recommendation; of instances only."""
    prediction: PredictionEvidence | None = None
    """None without a risk model."""
    other: OtherAnswer | None = None
    """What the other profile says; None without a risk model."""
    cautions: tuple[str, ...] = ()
    """What the figures cannot show, in sentences."""
    departures: tuple[Departure, ...] | None = None
    """From the stored recommendation; None where none is stored as of this moment."""
