"""Auto Scaling groups and their samples made by hand, for tests of the type and of its cases."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs
from numpy.typing import ArrayLike

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.auto_scaling_group import (
    FIXED,
    AutoScalingGroup,
    AutoScalingGroupRecommendation,
    GroupConfiguration,
    GroupOption,
)
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.preferences import AWS_ARM64, CURRENT, DEFAULT_PREFERENCES, Preferences
from compute_optimizer.model.recommendation import (
    Finding,
    PerformanceRisk,
    Results,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import AUTO_SCALING_GROUP
from compute_optimizer.resources.auto_scaling_group import per_machine, recommend
from tests.fleets import ACCOUNT, AS_OF, REGION, shard
from tests.records import NOW


def group_arn(number: int, account: str = ACCOUNT, region: str = REGION) -> str:
    uuid = f"11111111-2222-3333-4444-{number:012x}"
    return (
        f"arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{uuid}"
        f":autoScalingGroupName/web-{number}"
    )


def group(number: int, *types: str, size: int = 2, **others: Any) -> AutoScalingGroup:
    """Return a group of so many machines: a fixed pool unless told otherwise."""
    account = others.pop("account_id", ACCOUNT)
    region = others.pop("region", REGION)
    sizes = {"min_size": size, "desired_capacity": size, "max_size": size}
    return AutoScalingGroup(
        arn=group_arn(number, account, region),
        account_id=account,
        region=region,
        resource_type=AUTO_SCALING_GROUP,
        resource_id=f"web-{number}",
        instance_type=types[0],
        mixed_types=types if len(types) > 1 else (),
        **{"name": f"web-{number}", **sizes, **others},
    )


def analyzed_groups(
    groups: Sequence[AutoScalingGroup],
    series: Mapping[MetricKey, ArrayLike],
    preferences: Preferences = DEFAULT_PREFERENCES,
) -> Results[AutoScalingGroupRecommendation]:
    """Return what is said of groups that sent these series themselves."""
    samples = per_machine(groups, shard(groups, series))
    types = load_instance_types()
    return recommend(groups, samples, types, as_of=AS_OF, preferences=preferences)


def recommended_group(
    one: AutoScalingGroup, series: Mapping[MetricKey, ArrayLike]
) -> AutoScalingGroupRecommendation:
    (found,) = analyzed_groups([one], series).recommendations
    return found


def group_option(instance_type: str, monthly_usd: float, **changes: Any) -> GroupOption:
    """Return an option for two m5.xlarge, which cost 280.32 USD a month."""
    found = GroupOption(
        instance_type=instance_type,
        rank=1,
        architecture_pool=CURRENT,
        performance_risk=1.0,
        projected_utilization=(UtilizationMetric("Cpu", 36.0),),
        platform_differences=(),
        migration_effort="VeryLow",
        savings=Savings(round(monthly_usd / 2.8032, 6), monthly_usd),
    )
    return structs.replace(found, **changes)


BY_HAND = AutoScalingGroupRecommendation(
    resource_arn=group_arn(1),
    account_id=ACCOUNT,
    name="web-1",
    tags={"team": "web"},
    configuration=GroupConfiguration(2, 2, 2, "m5.xlarge"),
    scaling=FIXED,
    finding=Finding.NOT_OPTIMIZED,
    finding_reason_codes=("CPUOverprovisioned",),
    utilization=(UtilizationMetric("Cpu", 18.0),),
    lookback_days=14.0,
    options=(
        group_option("m5.large", 140.16),
        group_option(
            "m6g.large",
            168.192,
            architecture_pool=AWS_ARM64,
            migration_effort="Medium",
        ),
    ),
    current_performance_risk=PerformanceRisk.VERY_LOW,
    preferences=DEFAULT_PREFERENCES,
    idle=False,
    last_refresh=NOW,
)


def group_recommendation(number: int = 1, **changes: Any) -> AutoScalingGroupRecommendation:
    """Return the recommendation of group `number`, like BY_HAND but for the changes."""
    changes.setdefault("account_id", ACCOUNT)
    changes.setdefault("resource_arn", group_arn(number, changes["account_id"]))
    return structs.replace(BY_HAND, **{"name": f"web-{number}", **changes})
