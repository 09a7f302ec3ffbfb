"""The columns of an export of databases, in the order of the service's files (spec E.7)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, get_args

from compute_optimizer.model import database as model
from compute_optimizer.shapes import RDSInstanceFindingReasonCode, RDSStorageFindingReasonCode
from compute_optimizer.views.database import AVERAGED, MAX_OPTIONS, ranked_options
from compute_optimizer.views.export_columns import (
    ACCOUNT,
    COUNT,
    CURRENT_RISK,
    EFFECTIVE_LOOK_BACK,
    ERRORS,
    ESTIMATION_MODE,
    LOOK_BACK,
    REFRESHED_FRACTION,
    TAGS,
    Column,
    ExportTable,
    Shown,
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
from compute_optimizer.views.machine_columns import LIST_SEPARATOR, PREFERENCE_COLUMNS
from compute_optimizer.views.savings import currency_of

INSTANCE, STORAGE = "instance", "storage"
"""What a database has findings and options of."""

PUBLIC_INSTANCE_CODES = (
    "CPUOverprovisioned",
    "NetworkBandwidthOverprovisioned",
    "EBSIOPSOverprovisioned",
    "EBSThroughputOverprovisioned",
    "CPUUnderprovisioned",
    "NetworkBandwidthUnderprovisioned",
    "EBSThroughputUnderprovisioned",
    "NewGenerationDBInstanceClassAvailable",
    "NewEngineVersionAvailable",
)
PUBLIC_STORAGE_CODES = (
    "EBSVolumeAllocatedStorageUnderprovisioned",
    "EBSVolumeThroughputUnderprovisioned",
    "EBSVolumeIOPSOverprovisioned",
    "EBSVolumeThroughputOverprovisioned",
    "NewGenerationStorageTypeAvailable",
)
"""Reason codes that the public files show, in their order; those of the model's enum that are newer
come last."""

PUBLIC_METRICS = (
    "CPU",
    "Memory",
    "EBSVolumeStorageSpaceUtilization",
    "NetworkReceiveThroughput",
    "NetworkTransmitThroughput",
    "EBSVolumeReadIOPS",
    "EBSVolumeWriteIOPS",
    "EBSVolumeReadThroughput",
    "EBSVolumeWriteThroughput",
    "DatabaseConnections",
)
"""Metrics that the public files show, by enum RDSDBMetricName."""

NEWER_METRICS = (
    "StorageNetworkReceiveThroughput",
    "StorageNetworkTransmitThroughput",
    "AuroraMemoryHealthState",
    "AuroraMemoryNumDeclinedSql",
    "AuroraMemoryNumKillConnTotal",
    "AuroraMemoryNumKillQueryTotal",
    "ReadIOPSEphemeralStorage",
    "WriteIOPSEphemeralStorage",
    "VolumeBytesUsed",
    "VolumeReadIOPs",
    "VolumeWriteIOPs",
)
"""Metrics that only the fields name."""

FIELD_WORDS = {"CPU": "Cpu", "AuroraMemoryNumDeclinedSql": "AuroraMemoryNumDeclinedSqlTotal"}
"""Metrics that fields and headers call otherwise."""

Option = TypeVar("Option")


@dataclass(frozen=True, slots=True)
class ClassOptionCells:
    """What the columns of one option of the class read."""

    option: model.ClassOption
    rank: int
    currency: str


@dataclass(frozen=True, slots=True)
class StorageOptionCells:
    """What the columns of one option of the storage read."""

    option: model.StorageOption
    currency: str


@dataclass(frozen=True, slots=True)
class DatabaseCells:
    """What the columns of one database read."""

    one: model.DatabaseRecommendation
    options: tuple[ClassOptionCells | StorageOptionCells | None, ...]
    """Three places of the class, then those of the storage."""
    use: Mapping[str, float]
    architectures: str


def database_cells(one: model.DatabaseRecommendation, shown: Shown) -> DatabaseCells:
    """Return what the columns of a database read."""
    currency = currency_of(shown.region)
    ranked = enumerate(ranked_options(one, shown.architectures), 1)
    classes = [ClassOptionCells(option, rank, currency) for rank, option in ranked]
    storages = [StorageOptionCells(option, currency) for option in one.storage_options]
    return DatabaseCells(
        one,
        (*_padded(classes), *_padded(storages)),
        values_by_name(one.utilization),
        LIST_SEPARATOR.join(shown.architectures),
    )


def _padded(options: Sequence[Option]) -> tuple[Option | None, ...]:
    return (*options, *(None,) * (MAX_OPTIONS - len(options)))


def _codes(of: str, codes: Iterable[str]) -> tuple[Column, ...]:
    """Return a column for each reason code of the class or of the storage; empty without one."""
    return tuple(
        boolean(
            f"{of}FindingReasonCodes_is{code}",
            f"{of.title()}FindingReasonCodes",
            partial(_has_code, of, code),
        )
        for code in codes
    )


def _has_code(of: str, code: str, row: DatabaseCells) -> bool | None:
    if getattr(row.one, f"{of}_finding") is None:
        return None
    return code in getattr(row.one, f"{of}_reason_codes")


def _finding(of: str) -> Column:
    def value(row: DatabaseCells) -> str | None:
        found = getattr(row.one, f"{of}_finding")
        return None if found is None else str(found.value)

    return text(f"{of}Finding", f"{of.title()}Finding", value)


def _count(of: str, first: int) -> Column:
    """Return the column of how many options there are from a place on."""

    def value(row: DatabaseCells) -> int:
        return sum(one is not None for one in row.options[first : first + MAX_OPTIONS])

    return replace(COUNT, name=f"{of}_recommendations_count", read=value)


def _use(metric: str) -> Column:
    word = FIELD_WORDS.get(metric, metric)
    name = f"tilizationMetrics{word}{'Average' if metric in AVERAGED else 'Maximum'}"
    return double(f"u{name}", f"U{name}", lambda row: row.use.get(metric))


def _figure(header: str, field: str, member: str, read: Callable[[Any], Any]) -> Column:
    """Return a column of a whole number of a storage configuration, which may be unknown."""
    return integer(
        header,
        field,
        lambda cells: None if (found := read(cells)) is None else getattr(found, member),
    )


CURRENT_STORAGE = tuple(
    _figure(f"c{name}", f"C{name}", member, lambda row: row.one.storage)
    for name, member in (
        ("urrentStorageConfigurationMaxAllocatedStorage", "max_allocated_gib"),
        ("urrentStorageConfigurationAllocatedStorage", "allocated_gib"),
        ("urrentStorageConfigurationIOPS", "iops"),
        ("urrentStorageConfigurationStorageThroughput", "throughput_mibps"),
    )
)

CLUSTER_COSTS = {"Instance": "instances", "Storage": "storage", "StorageIO": "io"}
"""By the word in headers and fields: the part of what a cluster costs."""


def _cluster_costs(header: str, field: str, read: Callable[[Any], Any]) -> tuple[Column, ...]:
    """Return columns of what a cluster costs, as it is or with an option."""

    def value(member: str, cells: Any) -> float | None:
        costs: model.ClusterCosts | None = read(cells).cluster_costs
        return None if costs is None else known(getattr(costs, member))

    return tuple(
        double(
            f"{header}stimatedCluster{word}OnDemandMonthlyCost",
            f"{field}EstimatedCluster{word}OnDemandMonthlyCost",
            partial(value, member),
        )
        for word, member in CLUSTER_COSTS.items()
    )


def _money(options: str) -> tuple[Column, ...]:
    """Return what an option saves, without discounts and with them."""
    words = ("Currency", "Value")
    return tuple(
        column
        for after in ("", "AfterDiscounts")
        for column in savings_columns(after, options, words)
    )


_CLASS, _STORAGE = "InstanceRecommendationOptions", "StorageRecommendationOptions"
_CLASS_HEADER, _STORAGE_HEADER = "instanceRecommendationOptions", "storageRecommendationOptions"

CLASS_COLUMNS = of_ranks(
    text("dbInstanceClass", f"{_CLASS}DBInstanceClass", lambda cells: cells.option.db_class),
    integer("rank", f"{_CLASS}Rank", lambda cells: cells.rank),
    double(
        "performanceRisk",
        f"{_CLASS}PerformanceRisk",
        lambda cells: cells.option.performance_risk,
    ),
    double(
        "projectedUtilizationMetricsCpuMaximum",
        f"{_CLASS}ProjectedUtilizationMetricsCpuMaximum",
        lambda cells: known(cells.option.projected_cpu),
    ),
    double(
        "instanceOnDemandHourlyPrice",
        f"{_CLASS}InstanceOnDemandHourlyPrice",
        lambda cells: known(cells.option.hourly_usd),
    ),
    *_money(_CLASS),
    options=_CLASS_HEADER,
)


def _option_figure(header: str, word: str, member: str) -> Column:
    return _figure(header, f"{_STORAGE}{word}", member, lambda cells: cells.option.configuration)


STORAGE_COLUMNS = of_ranks(
    text(
        "storageType",
        f"{_STORAGE}StorageType",
        lambda cells: cells.option.configuration.storage_type,
    ),
    _option_figure("allocatedStorage", "AllocatedStorage", "allocated_gib"),
    _option_figure("maxAllocatedStorage", "MaxAllocatedStorage", "max_allocated_gib"),
    _option_figure("iops", "IOPS", "iops"),
    _option_figure("storageThroughput", "StorageThroughput", "throughput_mibps"),
    integer("rank", f"{_STORAGE}Rank", lambda cells: cells.option.rank),
    double(
        "onDemandMonthlyPrice",
        f"{_STORAGE}OnDemandMonthlyPrice",
        lambda cells: known(cells.option.monthly_usd),
    ),
    *_money(_STORAGE),
    options=_STORAGE_HEADER,
    first=MAX_OPTIONS,
)


def _newer(codes: Iterable[str], public: Sequence[str]) -> tuple[str, ...]:
    return tuple(code for code in codes if code not in public)


NEWER_COLUMNS = (
    text("dbClusterIdentifier", "DBClusterIdentifier", lambda row: row.one.cluster or None),
    integer("promotionTier", "PromotionTier", lambda row: row.one.promotion_tier),
    boolean("clusterWriter", "ClusterWriter", lambda row: row.one.writer),
    replace(
        CURRENT_RISK,
        name="currentInstancePerformanceRisk",
        field="CurrentInstancePerformanceRisk",
    ),
    text(
        "currentStorageEstimatedMonthlyVolumeIOPsCostVariation",
        "CurrentStorageEstimatedMonthlyVolumeIOPsCostVariation",
        lambda row: row.one.cost_variation,
    ),
    *_cluster_costs("currentStorageE", "CurrentStorage", lambda row: row.one),
    *map(_use, NEWER_METRICS),
    *_codes(INSTANCE, _newer(get_args(RDSInstanceFindingReasonCode), PUBLIC_INSTANCE_CODES)),
    *_codes(STORAGE, _newer(get_args(RDSStorageFindingReasonCode), PUBLIC_STORAGE_CODES)),
    *of_ranks(
        text(
            "estimatedMonthlyVolumeIOPsCostVariation",
            f"{_STORAGE}EstimatedMonthlyVolumeIOPsCostVariation",
            lambda cells: cells.option.cost_variation,
        ),
        *_cluster_costs("e", _STORAGE, lambda cells: cells.option),
        options=_STORAGE_HEADER,
        first=MAX_OPTIONS,
    ),
)
"""No public file has shown their places or names (spec 9.5, a proposal)."""

COLUMNS = (
    ACCOUNT,
    arn("resourceArn", "ResourceArn"),
    text("engine", "Engine", lambda row: row.one.engine),
    text("engineVersion", "EngineVersion", lambda row: row.one.engine_version),
    boolean("idle", "Idle", lambda row: row.one.idle),
    boolean("multiAZDBInstance", "MultiAZDBInstance", lambda row: row.one.multi_az),
    text("currentDBInstanceClass", "CurrentDBInstanceClass", lambda row: row.one.db_class),
    text(
        "currentStorageConfigurationStorageType",
        "CurrentStorageConfigurationStorageType",
        lambda row: None if row.one.storage is None else row.one.storage.storage_type,
    ),
    *CURRENT_STORAGE,
    double(
        "currentStorageOnDemandMonthlyPrice",
        "CurrentStorageOnDemandMonthlyPrice",
        lambda row: known(row.one.storage_monthly_usd),
    ),
    double(
        "currentInstanceOnDemandHourlyPrice",
        "CurrentInstanceOnDemandHourlyPrice",
        lambda row: known(row.one.hourly_usd),
    ),
    LOOK_BACK,
    replace(REFRESHED_FRACTION, name="lastRefreshTimestamp"),
    *map(_use, PUBLIC_METRICS),
    _finding(INSTANCE),
    *_codes(INSTANCE, PUBLIC_INSTANCE_CODES),
    _finding(STORAGE),
    *_codes(STORAGE, PUBLIC_STORAGE_CODES),
    _count(INSTANCE, 0),
    *CLASS_COLUMNS,
    _count(STORAGE, MAX_OPTIONS),
    *STORAGE_COLUMNS,
    *PREFERENCE_COLUMNS,
    EFFECTIVE_LOOK_BACK,
    replace(ESTIMATION_MODE, name=f"{ESTIMATION_MODE.name}Source"),
    *ERRORS,
    TAGS,
    *NEWER_COLUMNS,
)

TABLE = ExportTable("RDS Database Recommendations", COLUMNS, database_cells)
