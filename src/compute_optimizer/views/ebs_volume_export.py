"""The columns of an export of EBS volumes, in the order of the service's files (spec E.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from compute_optimizer.model import ebs_volume as model
from compute_optimizer.model.recommendation import Savings
from compute_optimizer.views.export_columns import (
    ACCOUNT,
    COUNT,
    CURRENT_RISK,
    EFFECTIVE_LOOK_BACK,
    ERRORS,
    ESTIMATION_MODE,
    FINDING,
    LOOK_BACK,
    REFRESHED,
    TAGS,
    Column,
    ExportTable,
    Shown,
    Value,
    arn,
    boolean,
    double,
    integer,
    known,
    of_ranks,
    savings_columns,
    text,
    values_by_name,
)
from compute_optimizer.views.savings import after_discounts, currency_of


@dataclass(frozen=True, slots=True)
class VolumeOptionCells:
    """What the columns of one option read."""

    configuration: model.VolumeConfiguration
    monthly_usd: float | None
    performance_risk: float
    savings: Savings | None
    after_discounts: Savings | None
    currency: str


@dataclass(frozen=True, slots=True)
class VolumeCells:
    """What the columns of one volume read."""

    one: model.EbsVolumeRecommendation
    options: tuple[VolumeOptionCells, ...]
    use: Mapping[str, float]


def volume_cells(one: model.EbsVolumeRecommendation, shown: Shown) -> VolumeCells:
    """Return what the columns of a volume read."""
    currency = currency_of(shown.region)
    options = tuple(
        VolumeOptionCells(
            option.configuration,
            option.monthly_usd,
            option.performance_risk,
            option.savings,
            after_discounts(option),
            currency,
        )
        for option in one.options
    )
    return VolumeCells(one, options, values_by_name(one.utilization))


def _configuration(prefix: str) -> tuple[Column, ...]:
    """Return the columns of a configuration; `prefix` is Current or RecommendationOptions."""
    field = f"{prefix}ConfigurationVolume"

    def figure(name: str, read: Callable[[model.VolumeConfiguration], int]) -> Column:
        header = f"configuration_volume{name}"
        return integer(header, f"{field}{name}", lambda cells: read(cells.configuration))

    return (
        text(
            "configuration_volumeType",
            f"{field}Type",
            lambda cells: cells.configuration.volume_type,
        ),
        figure("Size", lambda one: one.size_gib),
        figure("BaselineIOPS", lambda one: one.baseline_iops),
        figure("BaselineThroughput", lambda one: one.baseline_throughput),
        figure("BurstIOPS", lambda one: one.burst_iops),
        figure("BurstThroughput", lambda one: one.burst_throughput),
    )


def _current(column: Column) -> Column:
    """Return the column of the present configuration."""

    def cell(row: VolumeCells) -> Value:
        return column.read(row.one)

    name = column.name.replace("configuration_", "currentConfiguration_")
    return Column(name, column.kind, column.field, cell)


def _use(metric: str) -> Column:
    header = f"utilizationMetrics_{metric[0].lower()}{metric[1:]}Maximum"
    return double(header, f"UtilizationMetrics{metric}Maximum", lambda row: row.use.get(metric))


COLUMNS = (
    ACCOUNT,
    arn("volumeArn", "VolumeArn"),
    FINDING,
    LOOK_BACK,
    REFRESHED,
    *map(_current, _configuration("Current")),
    double("current_monthlyPrice", "CurrentMonthlyPrice", lambda row: known(row.one.monthly_usd)),
    COUNT,
    *of_ranks(
        *_configuration("RecommendationOptions"),
        double(
            "monthlyPrice",
            "RecommendationOptionsMonthlyPrice",
            lambda option: known(option.monthly_usd),
        ),
        double(
            "performanceRisk",
            "RecommendationOptionsPerformanceRisk",
            lambda option: option.performance_risk,
        ),
    ),
    _use("VolumeReadOpsPerSecond"),
    _use("VolumeWriteOpsPerSecond"),
    _use("VolumeReadBytesPerSecond"),
    _use("VolumeWriteBytesPerSecond"),
    *ERRORS,
    CURRENT_RISK,
    *of_ranks(*savings_columns()),
    boolean(
        "currentConfiguration_rootVolume",
        "CurrentConfigurationRootVolume",
        lambda row: row.one.root,
    ),
    boolean("rootVolume", "RootVolume", lambda row: row.one.root),
    TAGS,
    # From here on no public file has shown the place or the name (spec 9.5, a proposal).
    _use("VolumeIOPSExceeded"),
    _use("VolumeThroughputExceeded"),
    ESTIMATION_MODE,
    *of_ranks(*savings_columns("AfterDiscounts")),
    EFFECTIVE_LOOK_BACK,
)

TABLE = ExportTable("EBS Volume Recommendations", COLUMNS, volume_cells)
