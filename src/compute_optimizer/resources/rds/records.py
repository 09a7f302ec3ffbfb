"""From the arrays that decided about DB instances to the records that are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isnan

import numpy as np

from compute_optimizer.catalog.database_classes import DatabaseClasses
from compute_optimizer.catalog.database_prices import database_price_date
from compute_optimizer.catalog.database_storage import LEAST_GROWTH, storage_types, type_name
from compute_optimizer.catalog.volume_types import ROUNDING
from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.engine.dimensions import CPU_PLACE
from compute_optimizer.engine.figures import DECIMALS, known
from compute_optimizer.engine.finding import finding_of, reason_codes
from compute_optimizer.engine.ranking import NONE, Options
from compute_optimizer.engine.risk import RISK_NAMES
from compute_optimizer.engine.savings import savings_of
from compute_optimizer.engine.statistics import highest
from compute_optimizer.engine.usage import CPU_METRIC, Chosen
from compute_optimizer.model.database import (
    ClassOption,
    Database,
    DatabaseRecommendation,
    StorageConfiguration,
    StorageOption,
)
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.model.preferences import ARCHITECTURES, Preferences
from compute_optimizer.model.recommendation import (
    HOURS_PER_MONTH,
    Finding,
    UtilizationMetric,
)
from compute_optimizer.resources.rds.analysis import InstanceAnalysis
from compute_optimizer.resources.rds.dimensions import (
    DIMENSION_NAMES,
    EBS_METRICS,
    STORAGE_SPACE,
    WIRE_NAMES,
)
from compute_optimizer.resources.rds.storage import UNKNOWN, StorageAnalysis

WRITER_UNDER = "DBClusterWriterUnderprovisioned"
NEWER_CLASS = "NewGenerationDBInstanceClassAvailable"
NEWER_ENGINE = "NewEngineVersionAvailable"
NEWER_STORAGE = "NewGenerationStorageTypeAvailable"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the records of a shard's DB instances are read from."""

    instances: InstanceAnalysis
    storage: StorageAnalysis
    options: Options
    """With those of the writers that readers follow."""
    aligned: Booleans
    """(resources,): follow their writer."""
    classes: DatabaseClasses
    peaks: Mapping[str, list[float]]
    """By reported metric the highest sample, (resources,); NaN where there is none."""


def peaks_of(chosen: Chosen) -> dict[str, list[float]]:
    """Return the highest sample of every reported metric that was sent, rounded."""
    found = {
        metric: highest(chosen.series[metric]) for metric in WIRE_NAMES if metric in chosen.series
    }
    return {
        metric: np.round(values.astype(np.float64), DECIMALS).tolist()
        for metric, values in found.items()
    }


def instance_recommendation(
    row: int, database: Database, judged: Judged, *, as_of: datetime, preferences: Preferences
) -> DatabaseRecommendation:
    """Return the recommendation for one DB instance that has no obstacle."""
    instances, storage = judged.instances, judged.storage
    has_storage = storage.entries[row] != UNKNOWN
    return DatabaseRecommendation(
        resource_arn=database.arn,
        account_id=database.account_id,
        name=database.name,
        tags=dict(database.tags),
        engine=database.engine,
        engine_version=database.engine_version,
        promotion_tier=database.promotion_tier,
        cluster=database.cluster,
        db_class=database.instance_type,
        storage=storage_at(storage, row, -1, database) if has_storage else None,
        instance_finding=class_finding_at(judged, row),
        instance_reason_codes=class_codes_at(judged, row),
        storage_finding=storage_finding_at(storage, row) if has_storage else None,
        storage_reason_codes=storage_codes_at(storage, row) if has_storage else (),
        instance_options=_class_options(row, judged),
        storage_options=_storage_options(storage, row, database) if has_storage else (),
        current_performance_risk=RISK_NAMES[int(instances.current_risk[row])],
        cost_variation=None,
        utilization=_utilization(row, database, judged),
        lookback_days=float(preferences.lookback_days),
        preferences=preferences,
        idle=bool(instances.idle[row]),
        last_refresh=as_of,
        hourly_usd=known(instances.decisions.current_price[row]),
        storage_monthly_usd=known(storage.choices.monthly_usd[row, -1]),
        price_date=database_price_date(judged.classes, database.region, database.engine),
        multi_az=database.multi_az,
        writer=database.writer if database.is_aurora else None,
    )


def class_finding_at(judged: Judged, row: int) -> Finding:
    """Return the finding of the class of one DB instance."""
    decided = judged.instances.decisions
    under = bool(decided.under[row].any()) or bool(judged.aligned[row])
    return finding_of(bool(decided.over[row].any()), under)


def class_codes_at(judged: Judged, row: int) -> tuple[str, ...]:
    """Return the reason codes of the class of one DB instance."""
    instances, decided = judged.instances, judged.instances.decisions
    over, under = (flags[row].tolist() for flags in (decided.over, decided.under))
    others = {
        NEWER_CLASS: instances.newer_class,
        NEWER_ENGINE: instances.newer_engine,
        WRITER_UNDER: judged.aligned,
    }
    told = (code for code, applies in others.items() if applies[row])
    return (*reason_codes(DIMENSION_NAMES, over, under), *told)


def _class_options(row: int, judged: Judged) -> tuple[ClassOption, ...]:
    instances, options = judged.instances, judged.options
    now = known(instances.decisions.current_price[row])
    found = []
    for pool, name in enumerate(ARCHITECTURES):
        chosen = [place for place in options.types[row, pool].tolist() if place != NONE]
        for rank, place in enumerate(chosen, 1):
            hourly = known(options.prices[row, pool, rank - 1])
            found.append(
                ClassOption(
                    db_class=judged.classes.types.names[place],
                    rank=rank,
                    architecture_pool=name,
                    performance_risk=float(options.risks[row, pool, rank - 1]),
                    projected_cpu=_projected_cpu(row, place, instances),
                    savings=savings_of(now, hourly, HOURS_PER_MONTH),
                    hourly_usd=hourly,
                )
            )
    return tuple(found)


def _projected_cpu(row: int, place: int, instances: InstanceAnalysis) -> float | None:
    """Return the highest CPU use in percent of what a class has (spec 7)."""
    peak = instances.fleet.usage.peaks[CPU_METRIC][row]
    has = instances.fleet.demand.capacity[row, CPU_PLACE]
    projected = float(peak) * has / instances.market.capacity[place, CPU_PLACE]
    return None if isnan(projected) else round(float(projected), DECIMALS)


def storage_finding_at(storage: StorageAnalysis, row: int) -> Finding:
    """Return the finding of the storage of one database, which is known."""
    under = (storage.under_space, storage.under_iops, storage.under_throughput)
    over = (storage.over_iops, storage.over_throughput)
    return finding_of(any(bool(o[row]) for o in over), any(bool(u[row]) for u in under))


def storage_codes_at(storage: StorageAnalysis, row: int) -> tuple[str, ...]:
    """Return the codes in the order of the service's enum, which has none for too few IOPS."""
    codes = {
        "EBSVolumeAllocatedStorageUnderprovisioned": storage.under_space,
        "EBSVolumeThroughputUnderprovisioned": storage.under_throughput,
        "EBSVolumeIOPSOverprovisioned": storage.over_iops,
        "EBSVolumeThroughputOverprovisioned": storage.over_throughput,
        NEWER_STORAGE: storage.newer,
    }
    return tuple(code for code, applies in codes.items() if applies[row])


def _storage_options(
    storage: StorageAnalysis, row: int, database: Database
) -> tuple[StorageOption, ...]:
    now = known(storage.choices.monthly_usd[row, -1])
    ranked = [choice for choice in storage.ranked[row].tolist() if choice != NONE]
    return tuple(
        StorageOption(
            configuration=storage_at(storage, row, choice, database),
            rank=rank,
            savings=savings_of(now, price),
            monthly_usd=price,
        )
        for rank, choice in enumerate(ranked, 1)
        for price in [known(storage.choices.monthly_usd[row, choice])]
    )


def storage_at(
    storage: StorageAnalysis, row: int, choice: int, database: Database
) -> StorageConfiguration:
    """Return one choice; storage autoscaling, where it is on, keeps room to grow."""
    figures = storage.choices
    gib = int(figures.gib[row, choice])
    limit, today = database.max_allocated_gib, choice in (-1, figures.gib.shape[1] - 1)
    if limit is not None and not today:
        limit = max(limit, int(np.ceil(gib * LEAST_GROWTH - ROUNDING)))
    entry = int(storage.entries[row]) if today else choice
    return StorageConfiguration(
        storage_type=type_name(storage_types()[entry].name),
        allocated_gib=gib,
        iops=int(figures.iops[row, choice]),
        throughput_mibps=int(figures.throughput[row, choice]),
        max_allocated_gib=limit,
    )


def _utilization(row: int, database: Database, judged: Judged) -> tuple[UtilizationMetric, ...]:
    """Return the highest values of the metrics that were sent; Aurora has no EBS volumes."""
    averaged, storage = judged.instances.fleet.chosen.averaged, judged.storage
    found: list[UtilizationMetric] = []
    for metric, values in judged.peaks.items():
        if isnan(values[row]) or (database.is_aurora and metric in EBS_METRICS):
            continue
        statistic = Statistic.AVERAGE if averaged[metric][row] else Statistic.MAXIMUM
        found.append(UtilizationMetric(WIRE_NAMES[metric], values[row], statistic.value))
    space = float(storage.peak_space[row])
    if not isnan(space) and storage.entries[row] != UNKNOWN:
        share = round(space, DECIMALS)
        found.append(UtilizationMetric(STORAGE_SPACE, share, Statistic.AVERAGE.value))
    return tuple(found)
