"""How many resources something is said of, and what they cost and would save."""

from dataclasses import dataclass
from enum import StrEnum

from compute_optimizer.model.recommendation import Finding


class Topic(StrEnum):
    """What is counted."""

    FINDING = "finding"
    """By finding; savings are those that totals count."""
    REASON = "reason"
    """By finding and reason code, with a blank between them."""
    RISK = "risk"
    """By the current performance risk."""
    WORKLOADS = "workloads"
    """By the exact combination of inferred workload types, with blanks between them."""
    IDLE = "idle"
    """By the finding of idle recommendations."""
    PART = "part"
    """By part of a resource that summaries tell as a type of its own, and the finding of the part,
    with a blank between them."""
    PART_TOGETHER = "part together"
    """As the next, by part."""
    TOGETHER = "together"
    """Of each resource the larger of its rightsizing and its idle savings; there is no name."""


@dataclass(frozen=True, slots=True)
class ResourcePart:
    """A part of a resource that is found fit or not by itself."""

    name: str
    """As the service's enum RecommendationSourceType has it."""
    finding: Finding
    savings_usd: float
    """A month: what totals count."""
    cost_usd: float | None
    """A month; None where unknown."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One count."""

    topic: Topic
    name: str
    resources: int = 0
    monthly_savings_usd: float = 0.0
    monthly_usd: float = 0.0
    """What the resources cost whose price is known."""
