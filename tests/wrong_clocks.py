"""Clocks of machines that nobody has set right."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from compute_optimizer.interfaces import SystemClock


@dataclass(frozen=True)
class WrongClock:
    """One that goes as it should, from a wrong moment on."""

    off: timedelta

    def now(self) -> datetime:
        return SystemClock().now() + self.off
