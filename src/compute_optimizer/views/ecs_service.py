"""ECS service recommendations in the spelling of the wire."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from compute_optimizer.model import ecs_service as model
from compute_optimizer.model.recommendation import UtilizationMetric
from compute_optimizer.resources.services.projection import ProjectedSeries
from compute_optimizer.shapes import (
    ECSServiceProjectedUtilizationMetric,
    ECSServiceRecommendation,
    ECSServiceRecommendationOption,
    ECSServiceRecommendedOptionProjectedMetric,
    ECSServiceUtilizationMetric,
    ServiceConfiguration,
)
from compute_optimizer.views.preferences import look_back_period
from compute_optimizer.views.savings import estimation_source, savings_members
from compute_optimizer.views.tags import tag_list


def service_recommendation(
    one: model.EcsServiceRecommendation, region: str
) -> ECSServiceRecommendation:
    """Return the recommendation as a member of ecsServiceRecommendations."""
    return {
        "serviceArn": one.resource_arn,
        "accountId": one.account_id,
        "currentServiceConfiguration": _configuration(one),
        "utilizationMetrics": [_metric(metric) for metric in one.utilization],
        "lookbackPeriodInDays": one.lookback_days,
        "launchType": cast(Any, one.launch_type),
        "lastRefreshTimestamp": one.last_refresh,
        "finding": cast(Any, one.finding.value),
        "findingReasonCodes": cast(Any, list(one.finding_reason_codes)),
        "serviceRecommendationOptions": [_option(option, region) for option in one.options],
        "currentPerformanceRisk": one.current_performance_risk.value,
        "effectiveRecommendationPreferences": {
            "savingsEstimationMode": {"source": estimation_source(one)},
            "lookBackPeriod": look_back_period(one.preferences),
        },
        "tags": tag_list(one.tags),
    }


def option_projected_metrics(
    option: model.TaskSizeOption, series: Sequence[ProjectedSeries]
) -> ECSServiceRecommendedOptionProjectedMetric:
    """Return a member of recommendedOptionProjectedMetrics; metrics without points are absent."""
    return {
        "recommendedCpuUnits": option.cpu_units,
        "recommendedMemorySize": option.memory,
        "projectedMetrics": [
            {
                "name": cast(Any, one.name),
                "timestamps": [datetime.fromtimestamp(start, UTC) for start in one.starts.tolist()],
                "upperBoundValues": one.upper.tolist(),
                "lowerBoundValues": one.lower.tolist(),
            }
            for one in series
            if len(one.starts)
        ],
    }


def _configuration(one: model.EcsServiceRecommendation) -> ServiceConfiguration:
    found: ServiceConfiguration = {
        "memory": one.memory,
        "cpu": one.cpu_units,
        "containerConfigurations": [_container(container) for container in one.containers],
    }
    if one.auto_scaling is not None:
        found["autoScalingConfiguration"] = cast(Any, one.auto_scaling)
    if one.task_definition_arn is not None:
        found["taskDefinitionArn"] = one.task_definition_arn
    return found


def _container(one: model.Container) -> Any:
    """Return a container as it is or as it is recommended: both shapes have the same members."""
    sizes = {"memory": one.memory, "memoryReservation": one.memory_reservation}
    found: dict[str, Any] = {
        "containerName": one.name,
        "memorySizeConfiguration": {name: v for name, v in sizes.items() if v is not None},
    }
    return found if one.cpu is None else found | {"cpu": one.cpu}


def _option(option: model.TaskSizeOption, region: str) -> ECSServiceRecommendationOption:
    found: ECSServiceRecommendationOption = {
        "memory": option.memory,
        "cpu": option.cpu_units,
        "projectedUtilizationMetrics": [_projected(one) for one in option.projected],
        "containerRecommendations": [_container(one) for one in option.containers],
    }
    found |= savings_members(option, region)
    return found


def _projected(one: model.ProjectedUse) -> ECSServiceProjectedUtilizationMetric:
    return {
        "name": cast(Any, one.name),
        "statistic": "Maximum",
        "lowerBoundValue": one.lower,
        "upperBoundValue": one.upper,
    }


def _metric(metric: UtilizationMetric) -> ECSServiceUtilizationMetric:
    return {"name": cast(Any, metric.name), "statistic": "Maximum", "value": metric.value}
