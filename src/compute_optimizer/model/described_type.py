"""An instance type as EC2 described it, where the package does not ship it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DescribedType:
    """One type, as it was described in one Region."""

    name: str
    region: str
    """Which offers it."""
    date: date
    """When it was described."""
    figures: tuple[tuple[str, float | None], ...]
    """By column of the catalog; truths are 1 and 0."""
