"""The columns of an export of Lambda functions, in the order of the service's files (spec E.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from compute_optimizer.engine.running_time import slots_seen
from compute_optimizer.model import lambda_function as model
from compute_optimizer.model.metrics import SLOTS_PER_HOUR, look_back
from compute_optimizer.model.recommendation import HOURS_PER_MONTH
from compute_optimizer.shapes import LambdaFunctionRecommendationFindingReasonCode
from compute_optimizer.views.export_columns import (
    ACCOUNT,
    COUNT,
    CURRENT_RISK,
    ERRORS,
    ESTIMATION_MODE,
    FINDING,
    LOOK_BACK,
    REFRESHED,
    TAGS,
    Column,
    ExportTable,
    Shown,
    arn,
    double,
    integer,
    of_ranks,
    reasons,
    savings_columns,
    text,
)
from compute_optimizer.views.savings import currency_of


@dataclass(frozen=True, slots=True)
class FunctionOptionCells:
    """What the columns of one option read."""

    option: model.MemorySizeOption
    low_usd: float | None
    """Of the look-back period, as the next."""
    high_usd: float | None
    currency: str


@dataclass(frozen=True, slots=True)
class FunctionCells:
    """What the columns of one function read."""

    one: model.LambdaFunctionRecommendation
    options: tuple[FunctionOptionCells, ...]
    use: Mapping[tuple[str, str], float]
    """By metric and statistic."""
    usd: float | None
    """Of the look-back period."""

    @property
    def usd_each(self) -> float | None:
        """Return what the mean invocation costs; None where unknown."""
        if self.usd is None or not self.one.invocations:
            return None
        return self.usd / self.one.invocations


def function_cells(one: model.LambdaFunctionRecommendation, shown: Shown) -> FunctionCells:
    """Return what the columns of a function read."""
    currency = currency_of(shown.region)
    looked_at = look_back(one.last_refresh, int(one.lookback_days))
    months = slots_seen(looked_at, one.last_refresh) / SLOTS_PER_HOUR / HOURS_PER_MONTH

    def in_period(monthly_usd: float | None) -> float | None:
        return None if monthly_usd is None else monthly_usd * months

    options = tuple(
        FunctionOptionCells(
            option, in_period(option.monthly_low_usd), in_period(option.monthly_high_usd), currency
        )
        for option in one.options
    )
    use = {(metric.name, metric.source_statistic): metric.value for metric in one.utilization}
    return FunctionCells(one, options, use, in_period(one.monthly_usd))


def _use(metric: str, statistic: str) -> Column:
    return double(
        f"utilizationMetrics_{metric.lower()}{statistic}",
        f"UtilizationMetrics{metric}{statistic}",
        lambda row: row.use.get((metric, statistic)),
    )


def _duration(bound: str, member: str) -> Column:
    return double(
        f"projectedUtilizationMetrics_duration{bound}",
        f"RecommendationOptionsProjectedUtilizationMetricsDuration{bound}",
        lambda cells: getattr(cells.option.duration, member),
    )


OPTION_COLUMNS = (
    integer(
        "configuration_memorySize",
        "RecommendationOptionsConfigurationMemorySize",
        lambda cells: cells.option.memory_size,
    ),
    double("costLow", "RecommendationOptionsCostLow", lambda cells: cells.low_usd),
    double("costHigh", "RecommendationOptionsCostHigh", lambda cells: cells.high_usd),
    _duration("LowerBound", "lower_ms"),
    _duration("UpperBound", "upper_ms"),
    _duration("Expected", "expected_ms"),
)

COLUMNS = (
    ACCOUNT,
    arn("functionArn", "FunctionArn"),
    text("functionVersion", "FunctionVersion", lambda row: row.one.version),
    FINDING,
    *reasons(get_args(LambdaFunctionRecommendationFindingReasonCode)),
    integer("numberOfInvocations", "NumberOfInvocations", lambda row: row.one.invocations),
    LOOK_BACK,
    REFRESHED,
    integer(
        "currentConfiguration_memorySize",
        "CurrentConfigurationMemorySize",
        lambda row: row.one.memory_size,
    ),
    double(
        "currentConfiguration_timeout",
        "CurrentConfigurationTimeout",
        lambda row: row.one.timeout_seconds,
    ),
    double("current_costTotal", "CurrentCostTotal", lambda row: row.usd),
    double("current_costAverage", "CurrentCostAverage", lambda row: row.usd_each),
    COUNT,
    *of_ranks(*OPTION_COLUMNS),
    _use("Duration", "Maximum"),
    _use("Memory", "Maximum"),
    _use("Duration", "Average"),
    _use("Memory", "Average"),
    CURRENT_RISK,
    *of_ranks(*savings_columns()),
    # From here on no public file has shown the place or the name (spec 9.5, a proposal).
    *ERRORS,
    TAGS,
    ESTIMATION_MODE,
    *of_ranks(*savings_columns("AfterDiscounts")),
)

TABLE = ExportTable("Lambda Function Recommendations", COLUMNS, function_cells)
