"""Auto Scaling group recommendations in the spelling of the wire."""

from collections.abc import Sequence
from typing import Any, cast

from compute_optimizer.model import auto_scaling_group as model
from compute_optimizer.shapes import (
    AutoScalingGroupConfiguration,
    AutoScalingGroupRecommendation,
    AutoScalingGroupRecommendationOption,
)
from compute_optimizer.views.ec2_instance import (
    Presentation,
    effective_preferences,
    ranked_options,
    spelled,
    utilization_metrics,
)
from compute_optimizer.views.savings import estimation_source, savings_members


def group_recommendation(
    one: model.AutoScalingGroupRecommendation, shown: Presentation
) -> AutoScalingGroupRecommendation:
    """Return the recommendation as a member of autoScalingGroupRecommendations."""
    now = one.configuration
    options = ranked_options(one.options, shown.architectures)
    found: AutoScalingGroupRecommendation = {
        "accountId": one.account_id,
        "autoScalingGroupArn": one.resource_arn,
        "autoScalingGroupName": one.name,
        "finding": spelled(one.finding.value, shown),
        "utilizationMetrics": utilization_metrics(one.utilization, shown),
        "lookBackPeriodInDays": one.lookback_days,
        "currentConfiguration": current_configuration(now),
        "recommendationOptions": [
            _option(option, rank, now, shown) for rank, option in enumerate(options, 1)
        ],
        "lastRefreshTimestamp": one.last_refresh,
        "currentPerformanceRisk": one.current_performance_risk.value,
        "effectiveRecommendationPreferences": effective_preferences(
            one.preferences, shown, estimation_source(one)
        ),
        "inferredWorkloadTypes": cast(Any, list(one.inferred_workload_types)),
    }
    if gpus := shown.gpus.get(now.instance_type):
        found["currentInstanceGpuInfo"] = gpus
    return found


def current_configuration(now: model.GroupConfiguration) -> AutoScalingGroupConfiguration:
    """Return sizes and types of a group as it is."""
    return _configuration(now, now.instance_type, now.mixed_types, now.allocation_strategy)


def recommended_configuration(
    now: model.GroupConfiguration, option: model.GroupOption
) -> AutoScalingGroupConfiguration:
    """Return sizes and types of a group that follows the option."""
    # The recommended type comes first where the order decides (spec 6.2), also of those mixed now.
    first = option.instance_type
    mixed = (first, *(one for one in now.mixed_types if one != first))
    configuration = _configuration(now, first, mixed, model.PRIORITIZED)
    if option.hour_reduction is not None:
        configuration["estimatedInstanceHourReductionPercentage"] = option.hour_reduction
    return configuration


def _configuration(
    now: model.GroupConfiguration, instance_type: str, mixed: Sequence[str], strategy: str | None
) -> AutoScalingGroupConfiguration:
    """Return the sizes, and the type or, of a group that mixes some, all of them."""
    found: AutoScalingGroupConfiguration = {
        "desiredCapacity": now.desired_capacity,
        "minSize": now.min_size,
        "maxSize": now.max_size,
    }
    if not now.mixed_types:
        return {**found, "type": "SingleInstanceType", "instanceType": instance_type}
    found |= {"type": "MixedInstanceTypes", "mixedInstanceTypes": list(mixed)}
    if strategy is not None:
        found["allocationStrategy"] = cast(Any, strategy)
    return found


def _option(
    option: model.GroupOption, rank: int, now: model.GroupConfiguration, shown: Presentation
) -> AutoScalingGroupRecommendationOption:
    found: AutoScalingGroupRecommendationOption = {
        "configuration": recommended_configuration(now, option),
        "projectedUtilizationMetrics": utilization_metrics(option.projected_utilization, shown),
        "performanceRisk": option.performance_risk,
        "rank": rank,
        "migrationEffort": cast(Any, option.migration_effort),
    }
    found |= savings_members(option, shown.region)
    if gpus := shown.gpus.get(option.instance_type):
        found["instanceGpuInfo"] = gpus
    return found
