"""Database recommendations in the spelling of the wire."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isnan
from typing import Any, cast

from compute_optimizer.engine.arrays import Floats
from compute_optimizer.model import database as model
from compute_optimizer.model.recommendation import UtilizationMetric
from compute_optimizer.resources.rds.dimensions import CLUSTER_WIRE_NAMES
from compute_optimizer.shapes import (
    CpuVendorArchitecture,
    DBStorageConfiguration,
    RDSDatabaseRecommendedOptionProjectedMetric,
    RDSDBInstanceRecommendationOption,
    RDSDBRecommendation,
    RDSDBStorageRecommendationOption,
    RDSDBUtilizationMetric,
    RDSEffectiveRecommendationPreferences,
)
from compute_optimizer.views.preferences import enhanced_metrics, look_back_period
from compute_optimizer.views.savings import estimation_source, savings_members
from compute_optimizer.views.tags import tag_list

MAX_OPTIONS = 3
"""Options in one answer, of the class and of the storage each (spec 3.7)."""

AVERAGED = frozenset(CLUSTER_WIRE_NAMES.values())
"""Metrics whose value is the mean of the look-back period; of all others it is the highest."""


def database_recommendation(
    one: model.DatabaseRecommendation,
    region: str,
    architectures: tuple[CpuVendorArchitecture, ...] = ("CURRENT",),
) -> RDSDBRecommendation:
    """Return the recommendation as a member of rdsDBRecommendations.

    The options of all the architectures are ranked together.
    """
    found: RDSDBRecommendation = {
        "resourceArn": one.resource_arn,
        "accountId": one.account_id,
        "engine": one.engine,
        "engineVersion": one.engine_version,
        "utilizationMetrics": [_metric(metric) for metric in one.utilization],
        "effectiveRecommendationPreferences": _preferences(one, architectures),
        "lookbackPeriodInDays": one.lookback_days,
        "lastRefreshTimestamp": one.last_refresh,
        "tags": tag_list(one.tags),
    }
    if one.cluster:
        found["dbClusterIdentifier"] = one.cluster
    if one.promotion_tier is not None:
        found["promotionTier"] = one.promotion_tier
    if one.instance_finding is not None:
        _add_instance(found, one, region, architectures)
    if one.storage is not None:
        _add_storage(found, one, region)
    return found


def _add_instance(
    found: RDSDBRecommendation,
    one: model.DatabaseRecommendation,
    region: str,
    architectures: Sequence[str],
) -> None:
    options = ranked_options(one, architectures)
    found["currentDBInstanceClass"] = one.db_class or ""
    found["idle"] = "True" if one.idle else "False"
    found["instanceFinding"] = cast(Any, one.instance_finding)
    found["instanceFindingReasonCodes"] = cast(Any, list(one.instance_reason_codes))
    found["currentInstancePerformanceRisk"] = cast(Any, one.current_performance_risk)
    found["instanceRecommendationOptions"] = [
        _class_option(option, rank, region) for rank, option in enumerate(options, 1)
    ]


def ranked_options(
    one: model.DatabaseRecommendation, architectures: Sequence[str]
) -> list[model.ClassOption]:
    """Return the best options of some architectures: by price, then risk, then name.

    A class may belong to both; it is listed once.
    """
    asked = {
        option.db_class: option
        for option in one.instance_options
        if option.architecture_pool in architectures
    }
    every = sorted(asked.values(), key=lambda o: (_price(o), o.performance_risk, o.db_class))
    return every[:MAX_OPTIONS]


def _price(option: model.ClassOption) -> float:
    return float("inf") if option.hourly_usd is None else option.hourly_usd


def _add_storage(
    found: RDSDBRecommendation, one: model.DatabaseRecommendation, region: str
) -> None:
    if one.storage is not None:
        found["currentStorageConfiguration"] = _storage(one.storage)
    found["storageFinding"] = cast(Any, one.storage_finding)
    found["storageFindingReasonCodes"] = cast(Any, list(one.storage_reason_codes))
    found["storageRecommendationOptions"] = [
        _storage_option(option, region) for option in one.storage_options
    ]
    if one.cost_variation is not None:
        found["currentStorageEstimatedMonthlyVolumeIOPsCostVariation"] = cast(
            Any, one.cost_variation
        )


def projected_metrics(
    names: Sequence[str], ratios: Sequence[float], starts: Sequence[int], values: Floats
) -> list[RDSDatabaseRecommendedOptionProjectedMetric]:
    """Return the CPU of every option by rank: the points times its ratio, in percent; no metric
    where there is no point, or no ratio (NaN).

    Values are not clipped at 100: what lies above shows an overload (spec 7).
    """
    moments = [datetime.fromtimestamp(start, UTC) for start in starts]
    return [
        {
            "recommendedDBInstanceClass": name,
            "rank": rank,
            "projectedMetrics": [
                {"name": "CPU", "timestamps": moments, "values": (values * ratio).tolist()}
            ]
            if moments and not isnan(ratio)
            else [],
        }
        for rank, (name, ratio) in enumerate(zip(names, ratios, strict=True), 1)
    ]


def _class_option(
    option: model.ClassOption, rank: int, region: str
) -> RDSDBInstanceRecommendationOption:
    found: RDSDBInstanceRecommendationOption = {
        "dbInstanceClass": option.db_class,
        "performanceRisk": option.performance_risk,
        "rank": rank,
        "projectedUtilizationMetrics": [],
    }
    if option.projected_cpu is not None:
        found["projectedUtilizationMetrics"] = [
            {"name": "CPU", "statistic": "Maximum", "value": option.projected_cpu}
        ]
    found |= savings_members(option, region)
    return found


def _storage_option(option: model.StorageOption, region: str) -> RDSDBStorageRecommendationOption:
    found: RDSDBStorageRecommendationOption = {
        "storageConfiguration": _storage(option.configuration),
        "rank": option.rank,
    }
    found |= savings_members(option, region)
    if option.cost_variation is not None:
        found["estimatedMonthlyVolumeIOPsCostVariation"] = cast(Any, option.cost_variation)
    return found


def _storage(one: model.StorageConfiguration) -> DBStorageConfiguration:
    sizes = {
        "allocatedStorage": one.allocated_gib,
        "iops": one.iops,
        "maxAllocatedStorage": one.max_allocated_gib,
        "storageThroughput": one.throughput_mibps,
    }
    known = {name: value for name, value in sizes.items() if value is not None}
    return cast(DBStorageConfiguration, {"storageType": one.storage_type, **known})


def _preferences(
    one: model.DatabaseRecommendation, architectures: Sequence[CpuVendorArchitecture]
) -> RDSEffectiveRecommendationPreferences:
    return {
        "cpuVendorArchitectures": list(architectures),
        "enhancedInfrastructureMetrics": enhanced_metrics(one.preferences),
        "lookBackPeriod": look_back_period(one.preferences),
        "savingsEstimationMode": {"source": estimation_source(one)},
    }


def _metric(metric: UtilizationMetric) -> RDSDBUtilizationMetric:
    return {
        "name": cast(Any, metric.name),
        "statistic": "Average" if metric.name in AVERAGED else "Maximum",
        "value": metric.value,
    }
