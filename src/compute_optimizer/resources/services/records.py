"""From the arrays that decided to the records that are stored."""

from collections.abc import Sequence
from datetime import datetime
from math import isnan

from compute_optimizer.catalog.serverless_prices import fargate_price_date
from compute_optimizer.engine.figures import DECIMALS, known
from compute_optimizer.engine.risk import RISK_NAMES
from compute_optimizer.engine.savings import savings_of
from compute_optimizer.model.ecs_service import (
    TRACKS_CPU,
    TRACKS_MEMORY,
    EcsService,
    EcsServiceRecommendation,
    ProjectedUse,
    TaskSizeOption,
)
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Finding, UtilizationMetric
from compute_optimizer.resources.services.analysis import ServiceAnalysis
from compute_optimizer.resources.services.containers import containers_for
from compute_optimizer.resources.services.projection import LOWER, UPPER

WIRE_NAMES = ("Cpu", "Memory")
"""The dimensions in enum ECSServiceMetricName."""

CODES = ("CPU", "Memory")
"""The dimensions as finding reason codes begin."""


def recommendations_of(
    services: Sequence[EcsService],
    analysis: ServiceAnalysis,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> tuple[EcsServiceRecommendation, ...]:
    """Return the recommendation of every service that has no obstacle."""
    idle = analysis.demand.idle
    return tuple(
        EcsServiceRecommendation(
            resource_arn=one.arn,
            account_id=one.account_id,
            name=one.name,
            tags=dict(one.tags),
            cpu_units=one.cpu_units,
            memory=one.task_memory,
            auto_scaling=_policy(one),
            task_definition_arn=one.task_definition_arn,
            containers=one.containers,
            launch_type=one.instance_type,
            finding=finding_at(analysis, row),
            finding_reason_codes=reason_codes_at(analysis, row),
            utilization=_utilization(analysis, row),
            lookback_days=float(preferences.lookback_days),
            options=_options(one, analysis, row),
            current_performance_risk=RISK_NAMES[int(analysis.demand.risk[row])],
            preferences=preferences,
            idle=bool(idle[row]),
            last_refresh=as_of,
            monthly_usd=known(analysis.monthly_usd[row]),
            price_date=fargate_price_date(one.region, analysis.own),
        )
        for row, one in enumerate(services)
        if analysis.obstacles[row] is None
    )


def _policy(one: EcsService) -> str | None:
    policies = (TRACKS_CPU, TRACKS_MEMORY)
    return next((policy for policy in policies if policy in one.auto_scaling), None)


def finding_at(analysis: ServiceAnalysis, row: int) -> Finding:
    """Return the finding of one service that has no obstacle."""
    if analysis.under[row].any():
        return Finding.UNDER_PROVISIONED
    return Finding.OVER_PROVISIONED if analysis.moves[row] else Finding.OPTIMIZED


def reason_codes_at(analysis: ServiceAnalysis, row: int) -> tuple[str, ...]:
    """Return the reason codes of one service."""
    told = (("Overprovisioned", analysis.over), ("Underprovisioned", analysis.under))
    return tuple(
        f"{name}{how}"
        for place, name in enumerate(CODES)
        for how, holds in told
        if holds[row, place]
    )


def _utilization(analysis: ServiceAnalysis, row: int) -> tuple[UtilizationMetric, ...]:
    peaks = zip(WIRE_NAMES, analysis.demand.peaks[row].tolist(), strict=True)
    return tuple(
        UtilizationMetric(name, round(value, DECIMALS)) for name, value in peaks if not isnan(value)
    )


def _options(one: EcsService, analysis: ServiceAnalysis, row: int) -> tuple[TaskSizeOption, ...]:
    if not analysis.moves[row]:
        return ()
    cpu_units, memory = (int(value) for value in analysis.best[row])
    now, then = known(analysis.monthly_usd[row]), known(analysis.best_usd[row])
    option = TaskSizeOption(
        cpu_units=cpu_units,
        memory=memory,
        savings=savings_of(now, then),
        monthly_usd=then,
        projected=_projected(analysis, row),
        containers=containers_for(
            one.containers, (one.cpu_units, one.task_memory), (cpu_units, memory)
        ),
    )
    return (option,)


def _projected(analysis: ServiceAnalysis, row: int) -> tuple[ProjectedUse, ...]:
    expected = analysis.demand.peaks[row] * analysis.size[row] / analysis.best[row]
    return tuple(
        ProjectedUse(name, round(value * LOWER, DECIMALS), round(value * UPPER, DECIMALS))
        for name, value in zip(WIRE_NAMES, expected.tolist(), strict=True)
        if not isnan(value)
    )
