"""The columns of an export of idle resources, in the order of the service's files (spec E.8)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from compute_optimizer.model.metrics import Statistic
from compute_optimizer.model.recommendation import IdleRecommendation, Savings
from compute_optimizer.views.export_columns import (
    ACCOUNT,
    COUNT,
    ERRORS,
    FINDING,
    LOOK_BACK,
    REFRESHED_ISO,
    TAGS,
    Column,
    ExportTable,
    Shown,
    arn,
    double,
    text,
)
from compute_optimizer.views.savings import after_discounts, currency_of, listed_savings

PUBLIC_METRICS = (
    "CPU",
    "Memory",
    "NetworkOutBytesPerSecond",
    "NetworkInBytesPerSecond",
    "DatabaseConnections",
    "EBSVolumeReadIOPS",
    "EBSVolumeWriteIOPS",
    "VolumeReadOpsPerSecond",
    "VolumeWriteOpsPerSecond",
)
"""Maxima that the public files show, by enum IdleMetricName."""

NEWER_MAXIMA = (
    "ActiveConnectionCount",
    "PacketsInFromSource",
    "PacketsInFromDestination",
    "EngineCPUUtilization",
)
"""Maxima that only the fields name."""

OTHERS = (
    "ConsumedReadCapacityUnitsSum",
    "ConsumedWriteCapacityUnitsSum",
    "NewConnectionsSum",
    "CacheHitsSum",
    "CacheMissesSum",
    "KeyspaceHitsSum",
    "KeyspaceMissesSum",
    "IsIdleMinimum",
    "UserConnectedSum",
    "InvocationsSum",
    "GetTypeCmdsSum",
    "SetTypeCmdsSum",
    "ElastiCacheProcessingUnitsSum",
    "CurrConnectionsSum",
    "DatabaseConnectionsSum",
)
"""Metrics by another statistic than the maximum, as the newer fields name them. Nothing public says
what IsIdle is of, so its column stays empty."""


@dataclass(frozen=True, slots=True)
class IdleCells:
    """What the columns of one idle resource read."""

    one: IdleRecommendation
    use: Mapping[str, float]
    """The highest values."""
    others: Mapping[str, float]
    """By the names of OTHERS; of a table what its indexes consumed is counted too."""
    currency: str
    options: tuple[()] = ()
    """None: what can be done about it is not ranked."""


def idle_cells(one: IdleRecommendation, shown: Shown) -> IdleCells:
    """Return what the columns of an idle resource read."""
    sums: dict[str, float] = {}
    peaks: dict[str, float] = {}
    for metric in one.utilization:
        if metric.source_statistic == Statistic.SUM.value:
            name = f"{metric.name}{metric.source_statistic}"
            sums[name] = sums.get(name, 0.0) + metric.value
        else:
            peaks[metric.name] = max(metric.value, peaks.get(metric.name, metric.value))
    return IdleCells(one, peaks, sums, currency_of(shown.region))


def _maximum(metric: str) -> Column:
    name = f"tilizationMetrics{metric if metric != 'CPU' else 'Cpu'}Maximum"
    return double(f"u{name}", f"U{name}", lambda row: row.use.get(metric))


def _other(name: str) -> Column:
    ending = f"tilizationMetrics{name}"
    return double(f"u{ending}", f"U{ending}", lambda row: row.others.get(name))


def _savings(field: str, after: str = "") -> tuple[Column, ...]:
    """Return percentage, currency and value of the savings, which are one field.

    `after` is AfterDiscounts for those with discounts; without any the figures are the same
    (spec 3.9).
    """
    savings_of = after_discounts if after else listed_savings

    def of(read: Callable[[Savings], float]) -> Callable[[IdleCells], float | None]:
        return lambda row: None if (found := savings_of(row.one)) is None else read(found)

    return (
        double(f"savingsOpportunityPercentage{after}", field, of(lambda found: found.percentage)),
        text(
            f"estimatedMonthlySavingsCurrency{after}",
            field,
            lambda row: None if row.one.savings is None else row.currency,
        ),
        double(f"estimatedMonthlySavingsValue{after}", field, of(lambda found: found.monthly_usd)),
    )


COLUMNS = (
    ACCOUNT,
    arn("resourceArn", "ResourceArn"),
    text("resourceId", "ResourceId", lambda row: row.one.resource_id),
    text("resourceType", "ResourceType", lambda row: row.one.idle_type),
    REFRESHED_ISO,
    LOOK_BACK,
    replace(COUNT, read=lambda row: 1),
    *_savings("SavingsOpportunity"),
    *_savings("SavingsOpportunityAfterDiscount", "AfterDiscounts"),
    *map(_maximum, PUBLIC_METRICS),
    FINDING,
    text("findingDescription", "FindingDescription", lambda row: row.one.description),
    *ERRORS,
    TAGS,
    # From here on no public file has shown the place or the name (spec 9.5, a proposal).
    *map(_maximum, NEWER_MAXIMA),
    *map(_other, OTHERS),
)

TABLE = ExportTable("Idle Recommendations", COLUMNS, idle_cells)
