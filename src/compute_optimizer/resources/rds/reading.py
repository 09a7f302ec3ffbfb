"""How the recommendation of a database is read: by filters, by totals and in one line."""

from compute_optimizer.model.database import (
    ClassOption,
    DatabaseRecommendation,
    StorageConfiguration,
    StorageOption,
)
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.options import first_option
from compute_optimizer.model.recommendation import HOURS_PER_MONTH, Finding
from compute_optimizer.model.resource import AURORA_STORAGE, RDS_DB_INSTANCE, RDS_STORAGE
from compute_optimizer.model.summary import Summary
from compute_optimizer.model.tally import ResourcePart

INSTANCE_FINDING = "instance_finding"
STORAGE_FINDING = "storage_finding"
STORAGE_CODES = "storage_codes"
IDLE = "idle"
"""Marks of a database beside what every resource has."""

COUNTED = (Finding.OVER_PROVISIONED, Finding.NOT_OPTIMIZED)
"""Findings whose savings totals count (spec 10)."""


def facets_of(recommendation: DatabaseRecommendation) -> Facets:
    """Return what filters look at."""
    instance, storage = recommendation.instance_finding, recommendation.storage_finding
    idle = recommendation.idle
    return Facets(
        finding=recommendation.finding.value,
        reason_codes=recommendation.instance_reason_codes,
        source_type=AURORA_STORAGE if instance is None else RDS_DB_INSTANCE,
        workload_types=(),
        tags=dict(recommendation.tags),
        marks={
            INSTANCE_FINDING: () if instance is None else (instance.value,),
            STORAGE_FINDING: () if storage is None else (storage.value,),
            STORAGE_CODES: recommendation.storage_reason_codes,
            IDLE: () if idle is None else (str(idle),),
        },
    )


def counted_savings(recommendation: DatabaseRecommendation) -> float:
    """Return the monthly savings that totals count, of the class and of the storage together.

    In the currency of the Region (spec 3.9).
    """
    return sum((part.savings_usd for part in parts_of(recommendation)), 0.0)


def parts_of(recommendation: DatabaseRecommendation) -> tuple[ResourcePart, ...]:
    """Return what is found of the class and of the storage, each with what it saves and costs.

    Savings are those of the first option where the finding is Overprovisioned or NotOptimized.
    """
    chosen = first_option(recommendation.instance_options)
    storage = next(iter(recommendation.storage_options), None)
    hourly, is_cluster = recommendation.hourly_usd, recommendation.instance_finding is None
    sides = (
        (
            RDS_DB_INSTANCE,
            recommendation.instance_finding,
            chosen,
            None if hourly is None else hourly * HOURS_PER_MONTH,
        ),
        (
            AURORA_STORAGE if is_cluster else RDS_STORAGE,
            recommendation.storage_finding,
            storage,
            _storage_usd(recommendation),
        ),
    )
    return tuple(
        ResourcePart(name, finding, _saved(option) if finding in COUNTED else 0.0, cost)
        for name, finding, option, cost in sides
        if finding is not None
    )


def _storage_usd(recommendation: DatabaseRecommendation) -> float | None:
    """Return what storage costs a month: of a cluster without its instances, which cost as such."""
    cluster = recommendation.cluster_costs
    return recommendation.storage_monthly_usd if cluster is None else cluster.storage + cluster.io


def _saved(option: ClassOption | StorageOption | None) -> float:
    return option.savings.monthly_usd if option and option.savings else 0.0


def summary_of(recommendation: DatabaseRecommendation) -> Summary:
    """Return the recommendation in one line."""
    first = first_option(recommendation.instance_options)
    storage = next(iter(recommendation.storage_options), None)
    return Summary(
        name=recommendation.name,
        reason_codes=(
            *recommendation.instance_reason_codes,
            *recommendation.storage_reason_codes,
        ),
        current=database_text(recommendation.db_class, recommendation.storage),
        recommended=database_text(
            first.db_class if first else None, storage.configuration if storage else None
        )
        or None,
        performance_risk=first.performance_risk if first else None,
    )


def database_text(db_class: str | None, storage: StorageConfiguration | None) -> str:
    """Return such as `db.m5.large, gp3 200 GiB`; only the type where the size is not stated."""
    parts = [db_class] if db_class else []
    if storage and storage.allocated_gib:
        parts.append(f"{storage.storage_type} {storage.allocated_gib:,} GiB")
    elif storage:
        parts.append(storage.storage_type)
    return ", ".join(parts)
