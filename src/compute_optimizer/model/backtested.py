"""What a backtest of the fleet itself said, as it is kept for those who look at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

WORKER = "worker"
COMMAND = "command"
"""Who makes backtests of the fleet."""

DEMO = "demo"
"""Stands for who asked where the demo did."""


@dataclass(frozen=True, slots=True)
class Backtested:
    """The backtest of all resources of one type that an account sees."""

    account_id: str
    """Who sees them: an administrator, or an account by itself."""
    resource_type: str
    made_at: datetime
    accounts: int
    """With resources of the type."""
    resources: int
    """In the inventory."""
    replayed: int
    """Of them, that were replayed: every n-th stands for the others of a large fleet."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """As `compute-optimizer backtest --output json` prints it; empty where there is none."""
    problem: str = ""
    """Why there is none."""
    made_by: str = WORKER


@dataclass(frozen=True, slots=True)
class Headline:
    """The figures of a backtest that are followed over time."""

    violations: float
    """Share of the resources that were scored."""
    violations_interval: tuple[float, float]
    """95 %, as is the next."""
    savings: float
    """Share of the cost."""
    savings_interval: tuple[float, float] | None
    hit_rate: float | None
    """Share of those advised less that were not violated; None where none was, or an earlier
    version made the backtest."""
    observed: int | None = None
    """Violations of the advised options; None where no risk is predicted, as are the next two."""
    expected: float | None = None
    """Sum of the predicted probabilities of the same."""
    ratio_interval: tuple[float, float] | None = None
    """95 %, of observed over expected."""

    @property
    def ratio(self) -> float | None:
        """Return observed over expected: 1 where predictions hold."""
        if self.observed is None or not self.expected:
            return None
        return self.observed / self.expected


@dataclass(frozen=True, slots=True)
class Milestone:
    """What is kept of a backtest once another has followed it."""

    account_id: str
    resource_type: str
    made_at: datetime
    made_by: str
    """WORKER, or the command."""
    resources: int
    replayed: int
    first_day: str
    """Of the days that were replayed, as is the next; ISO."""
    last_day: str
    origins: int
    """Test windows."""
    headline: Headline


@dataclass(frozen=True, slots=True)
class QueuedBacktest:
    """That somebody wants a backtest of what an account sees."""

    account_id: str
    requested_at: datetime
    requested_by: str
    """ARN of who asked."""
    doing: str | None = None
    """The resource type that is being tested; None while the request waits."""
    done: int | None = None
    """Steps, as is the next."""
    total: int | None = None
