"""What a fitted risk model holds: plain values that can be stored, shipped and read back."""

from dataclasses import dataclass
from typing import Any

USUAL_SHARE = "0.05"
"""Share of violated machines that is kept to where nobody says otherwise."""

USUAL_INCIDENT_USD = 100.0
"""USD for a violation, where a fleet's past kept to no such share: about what it was on public
traces (docs/quality.md)."""


@dataclass(frozen=True, slots=True)
class PeakModel:
    """How far the coming peak of one dimension may lie from the last one.

    The logarithm of next peak over last peak is spread alike for all resources once it is divided
    by a scale of the resource's own, which follows from its features.
    """

    centre: tuple[float, ...]
    """Of the features that were fitted on."""
    spread: tuple[float, ...]
    """Standard deviation of each feature."""
    weights: tuple[float, ...]
    """Of the logarithm of the scale: first the constant, then one per standardized feature."""
    ratios: tuple[float, ...]
    """Scaled log ratios, ascending: the knots of their distribution."""
    exceeded: tuple[float, ...]
    """Probability that the scaled log ratio lies above each knot, descending."""
    widths: tuple[tuple[float, float], ...]
    """Days of history, ascending, and what the scale is multiplied by with so few of them."""


@dataclass(frozen=True, slots=True)
class RiskModel:
    """The models of all dimensions that were fitted together, and what they rest on."""

    peaks: dict[str, PeakModel]
    """By dimension of a backtest: cpu, memory, disk, network."""
    incident_usd: dict[str, float]
    """By share of violated machines asked for, such as "0.05": what one violation may be held to
    cost so that the fitted fleet kept to that share."""
    card: dict[str, Any]
    """What it was fitted on, its scores and its limits."""

    @property
    def shipped_incident_usd(self) -> float:
        """What a violation is held to cost where nobody says otherwise."""
        return self.incident_usd.get(USUAL_SHARE, USUAL_INCIDENT_USD)
