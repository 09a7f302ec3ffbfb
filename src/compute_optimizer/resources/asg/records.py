"""From the recommendation for one machine to that for its whole group, and to its members'."""

from collections.abc import Sequence

from msgspec import structs

from compute_optimizer.model.auto_scaling_group import (
    DYNAMIC,
    FIXED,
    AutoScalingGroup,
    AutoScalingGroupRecommendation,
    GroupConfiguration,
    GroupOption,
)
from compute_optimizer.model.preferences import CURRENT
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Finding,
    RecommendationOption,
    Savings,
    UtilizationMetric,
)

CPU_NAME = "Cpu"
"""Of the metric in the model's spelling."""

DECIMALS = 2
"""Of the percentage of instance hours, which nobody knows better."""


def group_recommendation(
    group: AutoScalingGroup, machine: Ec2InstanceRecommendation
) -> AutoScalingGroupRecommendation:
    """Return what the recommendation for one machine says of its whole group."""
    options = tuple(_group_option(group, machine, one) for one in machine.options)
    return AutoScalingGroupRecommendation(
        resource_arn=group.arn,
        account_id=group.account_id,
        name=group.name or group.resource_id,
        tags=dict(group.tags),
        configuration=GroupConfiguration(
            desired_capacity=group.desired_capacity,
            min_size=group.min_size,
            max_size=group.max_size,
            instance_type=machine.current_instance_type,
            mixed_types=group.mixed_types,
            allocation_strategy=group.allocation_strategy,
        ),
        scaling=group.scaling,
        finding=_finding(group, machine),
        finding_reason_codes=machine.finding_reason_codes,
        utilization=machine.utilization,
        lookback_days=machine.lookback_days,
        options=options,
        current_performance_risk=machine.current_performance_risk,
        preferences=machine.preferences,
        idle=machine.idle,
        last_refresh=machine.last_refresh,
        inferred_workload_types=machine.inferred_workload_types,
        evidence=machine.evidence,
        other=machine.other,
        current_hourly_usd=machine.current_hourly_usd,
    )


def _finding(group: AutoScalingGroup, machine: Ec2InstanceRecommendation) -> Finding:
    """Return the finding of the group.

    A fixed pool is not optimized when its machines are too large or too small; another group when
    another type carries the demand at lower cost (spec 3.1).
    """
    if group.scaling == FIXED:
        settled = machine.finding is Finding.OPTIMIZED
    else:
        settled = not any(_saves(option) for option in machine.options)
    return Finding.OPTIMIZED if settled else Finding.NOT_OPTIMIZED


def _saves(option: RecommendationOption) -> bool:
    """Return whether the option saves anything without another architecture."""
    if option.architecture_pool != CURRENT or option.savings is None:
        return False
    return option.savings.monthly_usd > 0


def _group_option(
    group: AutoScalingGroup, machine: Ec2InstanceRecommendation, option: RecommendationOption
) -> GroupOption:
    of_one = option.savings
    whole = of_one and Savings(of_one.percentage, of_one.monthly_usd * group.desired_capacity)
    hours = _hour_reduction(machine, option) if group.scaling == DYNAMIC else None
    return GroupOption(**{**structs.asdict(option), "savings": whole}, hour_reduction=hours)


def _hour_reduction(
    machine: Ec2InstanceRecommendation, option: RecommendationOption
) -> float | None:
    """Return the percentage of instance hours that the option spares.

    A policy that keeps the CPU where it is needs as many fewer machines as each does more work.
    """
    now, then = _cpu(machine.utilization), _cpu(option.projected_utilization)
    return None if not now or then is None else round(max(0.0, 1 - then / now) * 100, DECIMALS)


def _cpu(metrics: Sequence[UtilizationMetric]) -> float | None:
    return next((metric.value for metric in metrics if metric.name == CPU_NAME), None)
