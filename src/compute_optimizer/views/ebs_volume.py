"""EBS volume recommendations in the spelling of the wire."""

from typing import Any, cast

from compute_optimizer.model import ebs_volume as model
from compute_optimizer.model.recommendation import UtilizationMetric
from compute_optimizer.shapes import (
    EBSUtilizationMetric,
    MetricStatistic,
    VolumeConfiguration,
    VolumeRecommendation,
    VolumeRecommendationOption,
)
from compute_optimizer.views.preferences import look_back_period
from compute_optimizer.views.savings import estimation_source, savings_members
from compute_optimizer.views.tags import tag_list

STATISTIC: MetricStatistic = "Maximum"
"""Of every utilization metric: its value is the highest of the look-back period (spec 2.4)."""


def volume_recommendation(one: model.EbsVolumeRecommendation, region: str) -> VolumeRecommendation:
    """Return the recommendation as a member of volumeRecommendations."""
    return {
        "volumeArn": one.resource_arn,
        "accountId": one.account_id,
        "currentConfiguration": _configuration(one.configuration, one.root),
        "finding": cast(Any, one.finding.value),
        "utilizationMetrics": [_metric(metric) for metric in one.utilization],
        "lookBackPeriodInDays": one.lookback_days,
        "volumeRecommendationOptions": [
            _option(option, one.root, region) for option in one.options
        ],
        "lastRefreshTimestamp": one.last_refresh,
        "currentPerformanceRisk": one.current_performance_risk.value,
        "effectiveRecommendationPreferences": {
            "savingsEstimationMode": {"source": estimation_source(one)},
            "lookBackPeriod": look_back_period(one.preferences),
        },
        "tags": tag_list(one.tags),
    }


def _configuration(one: model.VolumeConfiguration, root: bool) -> VolumeConfiguration:
    return {
        "volumeType": one.volume_type,
        "volumeSize": one.size_gib,
        "volumeBaselineIOPS": one.baseline_iops,
        "volumeBurstIOPS": one.burst_iops,
        "volumeBaselineThroughput": one.baseline_throughput,
        "volumeBurstThroughput": one.burst_throughput,
        "rootVolume": root,
    }


def _option(option: model.VolumeOption, root: bool, region: str) -> VolumeRecommendationOption:
    found: VolumeRecommendationOption = {
        "configuration": _configuration(option.configuration, root),
        "performanceRisk": option.performance_risk,
        "rank": option.rank,
    }
    found |= savings_members(option, region)
    return found


def _metric(metric: UtilizationMetric) -> EBSUtilizationMetric:
    return {"name": cast(Any, metric.name), "statistic": STATISTIC, "value": metric.value}
