"""From the arrays that decided to the records that are stored."""

from collections.abc import Sequence
from datetime import datetime
from math import isnan

import numpy as np

from compute_optimizer.catalog.volume_prices import volume_price_date
from compute_optimizer.catalog.volume_types import VolumeTypes
from compute_optimizer.engine.figures import DECIMALS, known
from compute_optimizer.engine.ranking import NONE
from compute_optimizer.engine.risk import RISK_NAMES
from compute_optimizer.engine.savings import savings_of
from compute_optimizer.engine.statistics import highest
from compute_optimizer.model.ebs_volume import (
    EbsVolume,
    EbsVolumeRecommendation,
    VolumeConfiguration,
    VolumeOption,
)
from compute_optimizer.model.metrics import SLOT_SECONDS
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Finding, UtilizationMetric
from compute_optimizer.resources.ebs.analysis import VolumeAnalysis
from compute_optimizer.resources.ebs.configurations import Configurations
from compute_optimizer.resources.ebs.demand import CHECKS, METRICS, WIRE_NAMES


def recommendations_of(
    volumes: Sequence[EbsVolume],
    analysis: VolumeAnalysis,
    types: VolumeTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> tuple[EbsVolumeRecommendation, ...]:
    """Return the recommendation of every volume that has no obstacle."""
    utilization = _utilization(analysis, len(volumes))
    findings = [
        Finding.NOT_OPTIMIZED if one else Finding.OPTIMIZED
        for one in analysis.not_optimized.tolist()
    ]
    risks = analysis.current_risk.tolist()
    return tuple(
        EbsVolumeRecommendation(
            resource_arn=volume.arn,
            account_id=volume.account_id,
            name=volume.name,
            tags=dict(volume.tags),
            root=volume.root,
            configuration=configuration_at(analysis.now, types, (row,)),
            finding=findings[row],
            utilization=utilization[row],
            lookback_days=float(preferences.lookback_days),
            options=_options(analysis, types, row),
            current_performance_risk=RISK_NAMES[int(risks[row])],
            preferences=preferences,
            idle=bool(analysis.idle[row]),
            last_refresh=as_of,
            monthly_usd=known(analysis.now.monthly_usd[row]),
            price_date=volume_price_date(volume.region, types.own_prices),
        )
        for row, volume in enumerate(volumes)
        if analysis.obstacles[row] is None
    )


def configuration_at(
    found: Configurations, types: VolumeTypes, at: tuple[int, ...]
) -> VolumeConfiguration:
    """Return the configuration at one place of the arrays."""
    return VolumeConfiguration(
        volume_type=types.types[found.types[at]].name,
        size_gib=int(found.gib[at]),
        baseline_iops=int(found.iops[at]),
        burst_iops=int(found.burst_iops[at]),
        baseline_throughput=int(found.throughput[at]),
        burst_throughput=int(found.burst_throughput[at]),
    )


def _options(analysis: VolumeAnalysis, types: VolumeTypes, row: int) -> tuple[VolumeOption, ...]:
    every, now = analysis.choices.all, known(analysis.now.monthly_usd[row])
    ranked = [choice for choice in analysis.ranked[row].tolist() if choice != NONE]
    return tuple(
        VolumeOption(
            configuration=configuration_at(every, types, (row, choice)),
            rank=rank,
            performance_risk=float(analysis.risks[row, choice]),
            savings=savings_of(now, price),
            monthly_usd=price,
        )
        for rank, choice in enumerate(ranked, 1)
        for price in [known(every.monthly_usd[row, choice])]
    )


def _utilization(analysis: VolumeAnalysis, volumes: int) -> list[tuple[UtilizationMetric, ...]]:
    """Return the highest values of every volume: per second, or 0 or 1 of a check."""
    columns = [
        (WIRE_NAMES[key.metric], key.statistic.value, _reported(analysis, key.metric))
        for key in METRICS
        if key.metric in analysis.demand.chosen.series
    ]
    return [
        tuple(
            UtilizationMetric(name, values[row], statistic)
            for name, statistic, values in columns
            if not isnan(values[row])
        )
        for row in range(volumes)
    ]


def _reported(analysis: VolumeAnalysis, metric: str) -> list[float]:
    demand = analysis.demand
    if metric in CHECKS.values():
        return [float(value) for value in highest(demand.chosen.series[metric])]
    rates = demand.usage.peaks[metric].astype(np.float64) / SLOT_SECONDS
    values: list[float] = np.round(rates, DECIMALS).tolist()
    return values
