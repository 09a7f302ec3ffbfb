"""Lambda function recommendations in the spelling of the wire."""

from typing import Any, cast

from compute_optimizer.model import lambda_function as model
from compute_optimizer.model.recommendation import UtilizationMetric
from compute_optimizer.shapes import (
    LambdaFunctionMemoryProjectedMetric,
    LambdaFunctionMemoryRecommendationOption,
    LambdaFunctionRecommendation,
    LambdaFunctionUtilizationMetric,
)
from compute_optimizer.views.savings import estimation_source, savings_members
from compute_optimizer.views.tags import tag_list


def function_recommendation(
    one: model.LambdaFunctionRecommendation, region: str
) -> LambdaFunctionRecommendation:
    """Return the recommendation as a member of lambdaFunctionRecommendations."""
    found: LambdaFunctionRecommendation = {
        "functionArn": one.resource_arn,
        "functionVersion": one.version,
        "accountId": one.account_id,
        "currentMemorySize": one.memory_size,
        "numberOfInvocations": one.invocations,
        "utilizationMetrics": [_metric(metric) for metric in one.utilization],
        "lookbackPeriodInDays": one.lookback_days,
        "lastRefreshTimestamp": one.last_refresh,
        "finding": cast(Any, one.finding.value),
        "findingReasonCodes": cast(Any, list(one.finding_reason_codes)),
        "memorySizeRecommendationOptions": [_option(option, region) for option in one.options],
        "effectiveRecommendationPreferences": {
            "savingsEstimationMode": {"source": estimation_source(one)}
        },
        "tags": tag_list(one.tags),
    }
    if one.current_performance_risk is not None:
        found["currentPerformanceRisk"] = one.current_performance_risk.value
    return found


def _option(
    option: model.MemorySizeOption, region: str
) -> LambdaFunctionMemoryRecommendationOption:
    found: LambdaFunctionMemoryRecommendationOption = {
        "rank": option.rank,
        "memorySize": option.memory_size,
        "projectedUtilizationMetrics": _durations(option.duration),
    }
    found |= savings_members(option, region)
    return found


def _durations(one: model.ProjectedDuration) -> list[LambdaFunctionMemoryProjectedMetric]:
    return [
        {"name": "Duration", "statistic": "LowerBound", "value": one.lower_ms},
        {"name": "Duration", "statistic": "UpperBound", "value": one.upper_ms},
        {"name": "Duration", "statistic": "Expected", "value": one.expected_ms},
    ]


def _metric(metric: UtilizationMetric) -> LambdaFunctionUtilizationMetric:
    return {
        "name": cast(Any, metric.name),
        "statistic": cast(Any, metric.source_statistic),
        "value": metric.value,
    }
