"""Idle recommendations in the spelling of the wire."""

from typing import Any, cast

from compute_optimizer.model import recommendation as model
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.shapes import IdleRecommendation, IdleUtilizationMetric, MetricStatistic
from compute_optimizer.views.savings import savings_members
from compute_optimizer.views.tags import tag_list

STATISTIC: MetricStatistic = "Maximum"
"""Of every utilization metric: its value is the highest of the look-back period (documented). Sums
are told by exports only."""


def idle_recommendation(one: model.IdleRecommendation, region: str) -> IdleRecommendation:
    """Return the recommendation as a member of idleRecommendations."""
    found: IdleRecommendation = {
        "resourceArn": one.resource_arn,
        "resourceId": one.resource_id,
        "resourceType": cast(Any, one.idle_type),
        "accountId": one.account_id,
        "finding": cast(Any, one.finding.value),
        "findingDescription": one.description,
        "utilizationMetrics": [
            _metric(metric)
            for metric in one.utilization
            if metric.source_statistic != Statistic.SUM.value
        ],
        "lookBackPeriodInDays": one.lookback_days,
        "lastRefreshTimestamp": one.last_refresh,
        "tags": tag_list(one.tags),
    }
    found |= savings_members(one, region)
    return found


def _metric(metric: model.UtilizationMetric) -> IdleUtilizationMetric:
    found: IdleUtilizationMetric = {
        "name": cast(Any, metric.name),
        "statistic": STATISTIC,
        "value": metric.value,
    }
    if metric.dimensions:
        found["dimensions"] = [
            {"key": part.key, "values": list(part.values)} for part in metric.dimensions
        ]
    return found
