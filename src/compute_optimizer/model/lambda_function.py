"""Lambda functions: what the inventory knows of one, and what an analysis says about it."""

from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Discounts,
    Finding,
    PerformanceRisk,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import Resource

LATEST = "$LATEST"
"""The version that an unqualified name means."""

ARCHITECTURES = ("x86_64", "arm64")
"""Lambda's and Fargate's instruction sets; they decide the price."""

UNQUALIFIED_PARTS = 7
"""Parts of a function's ARN before its qualifier, which colons separate."""


@dataclass(frozen=True, slots=True)
class LambdaFunction(Resource):
    """One version of a function; its `instance_type` is the instruction set, such as arm64."""

    memory_size: int = 128
    """MB, as configured."""
    timeout_seconds: float | None = None
    """None where unknown."""
    has_versions: bool = False
    """Whether other versions are called than $LATEST: metrics of the whole function tell of all."""


class ProjectedDuration(msgspec.Struct, frozen=True, gc=False):
    """How long the mean invocation would run, in milliseconds."""

    lower_ms: float
    upper_ms: float
    expected_ms: float


class MemorySizeOption(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One memory size that carries the demand."""

    memory_size: int
    rank: int
    duration: ProjectedDuration
    savings: Savings | None
    """None where the price is unknown."""
    monthly_usd: float | None
    """At list prices and the expected duration; None where unknown."""
    monthly_low_usd: float | None = None
    monthly_high_usd: float | None = None
    """The same at the lower and the upper bound of the duration; also None where an earlier version
    wrote it."""
    after_discounts: Savings | None = None
    """At effective rates; None where they are not known, or not asked for."""


class LambdaFunctionRecommendation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The recommendation for one version of a Lambda function."""

    resource_arn: str
    """With the version."""
    account_id: str
    name: str
    tags: dict[str, str]
    version: str
    architecture: str
    memory_size: int
    invocations: int
    """In the look-back period."""
    finding: Finding
    """Optimized, NotOptimized or Unavailable."""
    finding_reason_codes: tuple[str, ...]
    utilization: tuple[UtilizationMetric, ...]
    """Duration in milliseconds, Memory in MB; the statistic of the value is its own."""
    lookback_days: float
    options: tuple[MemorySizeOption, ...]
    current_performance_risk: PerformanceRisk | None
    """None where the use of memory is unknown."""
    preferences: Preferences
    last_refresh: datetime
    monthly_usd: float | None
    """At list prices as it is; None where unknown."""
    price_date: date | None
    """Of the Region's prices; None without any."""
    timeout_seconds: float | None = None
    """None where unknown, or an earlier version wrote it."""
    discounts: Discounts | None = None
    """None where savings are those at list prices only."""


def qualified(arn: str, version: str = LATEST) -> str:
    """Return the ARN of a function with its version: the given one where it names none."""
    return f"{arn}:{version}" if len(arn.split(":")) == UNQUALIFIED_PARTS else arn


def short_id(function: str) -> str:
    """Return what a version is called inside its account: worker for $LATEST, else worker:3."""
    return function.removesuffix(f":{LATEST}")


def version_of(arn: str) -> str:
    """Return the version of a qualified ARN."""
    return arn.rpartition(":")[2]
