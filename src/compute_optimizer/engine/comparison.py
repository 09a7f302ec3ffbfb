"""The answers as of two moments side by side, and which input is to blame for the difference."""

from dataclasses import dataclass
from datetime import date, datetime

from compute_optimizer.engine.explanation import Answer, DimensionEvidence, History
from compute_optimizer.model.metrics import ShardSamples, Window


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """The samples of one resource that were known at one moment: its look-back period."""

    as_of: datetime
    samples: ShardSamples


@dataclass(frozen=True, slots=True)
class Side:
    """What decided as of one moment."""

    as_of: datetime
    window: Window
    answer: Answer
    finding_reason_codes: tuple[str, ...]
    binding_dimension: str | None
    idle: bool | None
    instance_type: str
    current_hourly_usd: float | None
    """None where unknown."""
    first_option_hourly_usd: float | None
    price_date: date | None
    types_date: date | None
    history: History
    dimensions: tuple[DimensionEvidence, ...]
    current: str = ""
    """What it is as people write it, where the type alone does not tell."""
    current_monthly_usd: float | None = None
    """Of all but instances."""
    first_option_monthly_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One input of which the two sides differ, and what it changes alone.

    `changes` and `undoes` are fields of the answer.
    """

    input: str
    forward: Answer
    """All as of the earlier moment, but this input as of the later."""
    changes: tuple[str, ...]
    """What `forward` has different from the earlier answer."""
    backward: Answer
    """All as of the later moment, but this input as of the earlier."""
    undoes: tuple[str, ...]
    """What `backward` has different from the later answer."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers for one resource as of two moments."""

    resource_arn: str
    before: Side
    after: Side
    """The later moment."""
    changes: tuple[str, ...]
    """Fields of the answer that differ."""
    exchanges: tuple[Exchange, ...]
    """Only inputs that differ; both views of the samples: by dimension, and by time."""
    decisive: tuple[str, ...]
    """Inputs that make the whole difference: alone they lead from the earlier answer to the
    later. Empty where it takes several, or where nothing changed."""
