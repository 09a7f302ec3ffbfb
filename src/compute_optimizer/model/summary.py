"""A recommendation in one line, the same for every resource type."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """What a table of recommendations shows of one."""

    name: str
    """May be empty."""
    reason_codes: tuple[str, ...]
    current: str
    """The configuration as it is, such as m5.xlarge."""
    recommended: str | None
    """The first option; None where there is none."""
    performance_risk: float | None
    """Of the first option, 0 to 4."""
    violation_risk: float | None = None
    """Predicted for the first option, 0 to 1; None where nothing is predicted."""
    profile: str | None = None
    """What decided: the published rule, or the predicted risk; None where there is one rule."""
    other_recommended: str | None = None
    """The first option of the other profile."""
