"""How the recommendation of a database is read: by filters, by totals and in one line."""

from compute_optimizer.model.database import DatabaseRecommendation, StorageConfiguration
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.preferences import CURRENT
from compute_optimizer.model.recommendation import Finding, Savings
from compute_optimizer.model.resource import AURORA_STORAGE, RDS_DB_INSTANCE
from compute_optimizer.model.summary import Summary

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

    Of the first option of each whose finding is Overprovisioned or NotOptimized, in the currency of
    the Region (spec 3.9).
    """
    classes = [o for o in recommendation.instance_options if o.architecture_pool == CURRENT]
    sides = (
        (recommendation.instance_finding, [option.savings for option in classes]),
        (recommendation.storage_finding, [o.savings for o in recommendation.storage_options]),
    )
    return sum((_first(savings) for finding, savings in sides if finding in COUNTED), 0.0)


def _first(savings: list[Savings | None]) -> float:
    return savings[0].monthly_usd if savings and savings[0] is not None else 0.0


def summary_of(recommendation: DatabaseRecommendation) -> Summary:
    """Return the recommendation in one line."""
    first = next(
        (o for o in recommendation.instance_options if o.architecture_pool == CURRENT), None
    )
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
