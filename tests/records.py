"""Recommendations made by hand, for tests of what happens after the engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import structs

from compute_optimizer.model.preferences import AWS_ARM64, CURRENT, Preferences
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Finding,
    PerformanceRisk,
    RecommendationOption,
    Savings,
    UtilizationMetric,
)

NOW = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
ACCOUNT = "222222222222"
REGION = "us-east-1"


class FixedClock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime = NOW) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> None:
        self.moment += by


def arn(number: int, account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:ec2:{region}:{account}:instance/i-{number:017x}"


def option(
    instance_type: str,
    monthly_usd: float | None,
    *,
    pool: str = CURRENT,
    rank: int = 1,
    risk: float = 1.0,
) -> RecommendationOption:
    return RecommendationOption(
        instance_type=instance_type,
        rank=rank,
        architecture_pool=pool,
        performance_risk=risk,
        projected_utilization=(UtilizationMetric("Cpu", 43.0),),
        platform_differences=() if pool == CURRENT else ("Architecture",),
        migration_effort="VeryLow" if pool == CURRENT else "Medium",
        # Of a m5.xlarge at 140.16 USD a month.
        savings=None if monthly_usd is None else Savings(monthly_usd / 1.4016, monthly_usd),
    )


BY_HAND = Ec2InstanceRecommendation(
    resource_arn=arn(1),
    account_id=ACCOUNT,
    name="web-1",
    current_instance_type="m5.xlarge",
    state="running",
    tags={"team": "web"},
    finding=Finding.OVER_PROVISIONED,
    finding_reason_codes=("CPUOverprovisioned", "NetworkBandwidthOverprovisioned"),
    utilization=(
        UtilizationMetric("Cpu", 21.5),
        UtilizationMetric("NETWORK_IN_BYTES_PER_SECOND", 20480.25),
    ),
    lookback_days=14.0,
    options=(
        option("t3.large", 79.424),
        option("m5.large", 70.08, rank=2),
        option("m6g.large", 83.95, pool=AWS_ARM64),
        option("t4g.large", 91.104, pool=AWS_ARM64, risk=2.0),
    ),
    current_performance_risk=PerformanceRisk.VERY_LOW,
    preferences=Preferences(),
    idle=False,
    last_refresh=NOW,
)


def recommendation(number: int = 1, **changes: Any) -> Ec2InstanceRecommendation:
    """Return the recommendation of instance `number`, like BY_HAND but for the changes."""
    changes.setdefault("account_id", ACCOUNT)
    changes.setdefault("resource_arn", arn(number, changes["account_id"]))
    return structs.replace(BY_HAND, **{"name": f"web-{number}", **changes})
