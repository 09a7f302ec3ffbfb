"""The seams between the parts: one callable or protocol each, named here and nowhere else."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; the only source of "now" in the whole program."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware in UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware in UTC."""
        return datetime.now(UTC)
