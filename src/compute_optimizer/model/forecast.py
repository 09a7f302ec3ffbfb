"""What was predicted of an analysis's options, and how that compares with what came."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class OptionForecast:
    """One option and its predicted risk."""

    instance_type: str
    risk: float
    """Probability of the event of docs/risk.md within 14 days."""
    first: bool
    """Whether it was the first option of its machine."""


@dataclass(frozen=True, slots=True)
class MachineForecast:
    """What was predicted of one machine."""

    resource_arn: str
    instance_type: str
    """That it had then."""
    options: tuple[OptionForecast, ...]


@dataclass(frozen=True, slots=True)
class ForecastPart:
    """Some machines of one account and Region, as the state keeps them."""

    dimensions: tuple[str, ...]
    """Of which something was predicted, by the engine's names."""
    machines: tuple[MachineForecast, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """Predicted against what came, over some options."""

    options: int
    """With less than the machine's capacity in some predicted dimension: others risk nothing."""
    expected: float
    """Sum of the predicted probabilities."""
    observed: int
    """Options whose event came."""
    interval: tuple[float, float]
    """95 % interval (Wilson) of how many events as many options of the same kind would have had."""
    brier: float | None
    """Mean squared difference of probability and event; None of nothing."""


@dataclass(frozen=True, slots=True)
class AccountScore:
    """The first options of one account."""

    account_id: str
    options: int
    expected: float
    """Sum of the predicted probabilities."""
    observed: int


@dataclass(frozen=True, slots=True)
class Score:
    """How the predictions of one run did in the 14 days after it."""

    run_id: str
    as_of: datetime
    scored_at: datetime
    machines: int
    """With a prediction that was kept."""
    judged: int
    unseen: int
    """Sent nothing in those days."""
    changed: int
    """Have another type now, so that what they sent cannot be told apart."""
    gone: int
    """Are no longer in the inventory, or their account has opted out."""
    every: Counted
    """Over every option."""
    first: Counted
    """Over the first options."""
    reliability: tuple[dict[str, Any], ...]
    """By bins of probability, as the backtest tells it."""
    accounts: tuple[AccountScore, ...] = ()
    """The first options by account; an earlier version wrote none."""
