"""What a backtest of the fleet itself said, as it is kept for those who look at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


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


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """That somebody wants a backtest of what an account sees."""

    account_id: str
    requested_at: datetime
    requested_by: str
    """ARN of who asked."""
