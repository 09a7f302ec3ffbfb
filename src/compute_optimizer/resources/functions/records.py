"""From the arrays that decided to the records that are stored."""

from collections.abc import Sequence
from datetime import datetime
from math import isnan

from compute_optimizer.catalog.serverless_prices import lambda_price_date
from compute_optimizer.engine.figures import DECIMALS, known
from compute_optimizer.engine.risk import RISK_NAMES
from compute_optimizer.engine.savings import savings_of
from compute_optimizer.model.lambda_function import (
    LambdaFunction,
    LambdaFunctionRecommendation,
    MemorySizeOption,
    ProjectedDuration,
    version_of,
)
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Finding,
    PerformanceRisk,
    UtilizationMetric,
)
from compute_optimizer.resources.functions.analysis import FunctionAnalysis
from compute_optimizer.resources.functions.use import FunctionUse


def recommendations_of(
    functions: Sequence[LambdaFunction],
    analysis: FunctionAnalysis,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> tuple[LambdaFunctionRecommendation, ...]:
    """Return the recommendation of every function; those that cannot be judged are Unavailable."""
    return tuple(
        LambdaFunctionRecommendation(
            resource_arn=one.arn,
            account_id=one.account_id,
            name=one.name,
            tags=dict(one.tags),
            version=version_of(one.arn),
            architecture=one.instance_type,
            memory_size=one.memory_size,
            invocations=round(float(analysis.use.invocations[row])),
            finding=finding_at(analysis, row),
            finding_reason_codes=reason_codes_at(analysis, row),
            utilization=_utilization(analysis.use, row),
            lookback_days=float(preferences.lookback_days),
            options=_options(analysis, row),
            current_performance_risk=_risk(analysis, row),
            preferences=preferences,
            last_refresh=as_of,
            monthly_usd=known(analysis.monthly_usd[row]),
            price_date=lambda_price_date(one.region, analysis.own),
            timeout_seconds=one.timeout_seconds,
        )
        for row, one in enumerate(functions)
    )


def finding_at(analysis: FunctionAnalysis, row: int) -> Finding:
    """Return the finding of one function."""
    if analysis.insufficient[row] or analysis.inconclusive[row]:
        return Finding.UNAVAILABLE
    moves = analysis.under[row] or analysis.over[row]
    return Finding.NOT_OPTIMIZED if moves else Finding.OPTIMIZED


def reason_codes_at(analysis: FunctionAnalysis, row: int) -> tuple[str, ...]:
    """Return the reason codes of one function."""
    told = {
        "MemoryOverprovisioned": analysis.over,
        "MemoryUnderprovisioned": analysis.under,
        "InsufficientData": analysis.insufficient,
        "Inconclusive": analysis.inconclusive,
    }
    return tuple(code for code, holds in told.items() if holds[row])


def _utilization(use: FunctionUse, row: int) -> tuple[UtilizationMetric, ...]:
    told = (
        ("Duration", "Maximum", use.highest_ms),
        ("Duration", "Average", use.mean_ms),
        ("Memory", "Maximum", use.highest_mb),
        ("Memory", "Average", use.mean_mb),
    )
    return tuple(
        UtilizationMetric(name, round(float(values[row]), DECIMALS), statistic)
        for name, statistic, values in told
        if not isnan(values[row])
    )


def _options(analysis: FunctionAnalysis, row: int) -> tuple[MemorySizeOption, ...]:
    if not (analysis.under[row] or analysis.over[row]):
        return ()
    mean = float(analysis.use.mean_ms[row])
    now, then = known(analysis.monthly_usd[row]), known(analysis.recommended_usd[row])
    factors = (analysis.lower, analysis.upper, analysis.expected)
    durations = (round(mean * float(factor[row]), DECIMALS) for factor in factors)
    option = MemorySizeOption(
        memory_size=int(analysis.recommended[row]),
        rank=1,
        duration=ProjectedDuration(*durations),
        savings=savings_of(now, then),
        monthly_usd=then,
        monthly_low_usd=known(analysis.low_usd[row]),
        monthly_high_usd=known(analysis.high_usd[row]),
    )
    return (option,)


def _risk(analysis: FunctionAnalysis, row: int) -> PerformanceRisk | None:
    score = int(analysis.risk[row])
    return None if score < 0 else RISK_NAMES[score]
