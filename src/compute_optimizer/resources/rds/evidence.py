"""The evidence behind one DB instance's recommendation: of its class and of its storage."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.database_prices import database_price_date
from compute_optimizer.catalog.database_storage import storage_types, type_name
from compute_optimizer.catalog.instance_types import INSTANCE_TYPES_FILE
from compute_optimizer.engine.demand import CPU
from compute_optimizer.engine.evidence import (
    ONLY,
    binding,
    chosen_metrics,
    history_of,
    in_order,
    metric_evidence,
    reasons_at,
)
from compute_optimizer.engine.explanation import (
    ChoiceEvidence,
    Explanation,
    Figure,
    MetricEvidence,
)
from compute_optimizer.engine.figures import known
from compute_optimizer.engine.obstacles import Obstacle
from compute_optimizer.engine.type_evidence import (
    Weighed,
    dimensions_told,
    types_told,
    unpredicted,
)
from compute_optimizer.engine.usage import CPU_METRIC
from compute_optimizer.model.database import Database, StorageConfiguration
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.resources.rds.dimensions import (
    DIMENSIONS,
    FREE_STORAGE,
    GAUGES,
)
from compute_optimizer.resources.rds.reading import database_text
from compute_optimizer.resources.rds.records import (
    Judged,
    class_codes_at,
    class_finding_at,
    storage_at,
    storage_codes_at,
    storage_finding_at,
)
from compute_optimizer.resources.rds.storage import AS_IT_IS, UNKNOWN, StorageAnalysis

STATISTICS = dict.fromkeys(GAUGES, Statistic.MAXIMUM)

FREE = MetricKey(FREE_STORAGE, Statistic.AVERAGE)

SPACE, IOPS, THROUGHPUT = "Space", "IOPS", "Throughput"
"""What storage has."""


def instance_explanation(
    database: Database,
    samples: ShardSamples,
    alone: Judged,
    beside: Judged,
    obstacle: Obstacle | None,
    *,
    as_of: datetime,
) -> Explanation:
    """Return the explanation of one DB instance.

    `alone` is the analysis of a batch of one; `beside` the one in which it stands in the first row
    and, where it follows one, its writer in the second: that decides finding and options.
    """
    instances, storage = alone.instances, alone.storage
    weighed = Weighed(
        fleet=instances.fleet,
        market=instances.market,
        decisions=instances.decisions,
        dimensions=DIMENSIONS,
        options=beside.options,
        violations=unpredicted(DIMENSIONS),
        capped=lambda place: float("nan"),
    )
    told = types_told(weighed)
    dimensions = tuple(dimensions_told(weighed))
    has_storage = bool(storage.entries[ONLY] != UNKNOWN)
    judges_storage = has_storage and obstacle is None
    choices = in_order(_storage_choices(storage, database)) if has_storage else ()
    series = instances.fleet.chosen.series
    return Explanation(
        resource_arn=database.arn,
        instance_type=database.instance_type,
        current=database_text(
            database.instance_type, storage_at(storage, ONLY, -1, database) if has_storage else None
        ),
        as_of=as_of,
        window=samples.window,
        finding=obstacle.code if obstacle else class_finding_at(beside, ONLY).value,
        finding_reason_codes=() if obstacle else _codes(beside, has_storage),
        storage_finding=storage_finding_at(storage, ONLY).value if judges_storage else None,
        binding_dimension=binding(dimensions),
        idle=bool(instances.idle[ONLY]),
        history=history_of(series.get(CPU_METRIC), samples.window, CPU),
        metrics=tuple(_metrics(alone, samples)),
        dimensions=dimensions,
        current_hourly_usd=known(instances.decisions.current_price[ONLY]),
        current_monthly_usd=known(storage.choices.monthly_usd[ONLY, -1]) if has_storage else None,
        price_date=database_price_date(beside.classes, database.region, database.engine),
        types_date=instances.market.types.provenance[INSTANCE_TYPES_FILE].date,
        considered=told.considered,
        choices=choices,
        figures=tuple(_figures(beside, has_storage)),
        refusals=told.refusals,
        fitting_types=told.fitting,
    )


def _codes(judged: Judged, has_storage: bool) -> tuple[str, ...]:
    storage = storage_codes_at(judged.storage, ONLY) if has_storage else ()
    return (*class_codes_at(judged, ONLY), *storage)


def _metrics(judged: Judged, samples: ShardSamples) -> Iterator[MetricEvidence]:
    yield from chosen_metrics(judged.instances.fleet.chosen, STATISTICS)
    if FREE in samples.series:
        yield metric_evidence(FREE, samples.series[FREE])


def _storage_choices(storage: StorageAnalysis, database: Database) -> Iterator[ChoiceEvidence]:
    figures, repeated = storage.choices, storage.refused[AS_IT_IS]
    ranks = {choice: rank for rank, choice in enumerate(storage.ranked[ONLY].tolist(), 1)}
    for choice in range(figures.gib.shape[1]):
        place = (ONLY, choice)
        if repeated[place]:
            continue
        yield ChoiceEvidence(
            of="storage",
            configuration=_storage_text(storage, choice, database),
            rank=ranks.get(choice),
            monthly_usd=known(figures.monthly_usd[place]),
            performance_risk=None,
            capacity={
                SPACE: known(figures.gib[place]),
                IOPS: known(figures.iops[place]),
                THROUGHPUT: known(figures.throughput[place]),
            },
            refused_because=reasons_at(storage.refused, *place),
        )


def _storage_text(storage: StorageAnalysis, choice: int, database: Database) -> str:
    """Return such as `gp3 200 GiB, 3,000 IOPS, 125 MiB/s`."""
    figures = (storage.choices.iops, storage.choices.throughput)
    if not all(np.isfinite(one[ONLY, choice]) for one in figures):
        return f"{type_name(storage_types()[choice].name)} of any size"
    one: StorageConfiguration = storage_at(storage, ONLY, choice, database)
    speed = f"{one.iops:,} IOPS, {one.throughput_mibps:,} MiB/s"
    return f"{one.storage_type} {one.allocated_gib:,} GiB, {speed}"


def _figures(judged: Judged, has_storage: bool) -> Iterator[Figure]:
    instances, storage = judged.instances, judged.storage
    yield Figure(
        "short of memory",
        "1 where seen",
        float(instances.pressed[ONLY]),
        1.0,
        "more memory than there is is asked for",
    )
    if not has_storage:
        return
    needs, has = storage.needs, storage.choices
    rows = (
        ("storage needed", "GiB", needs.gib, has.gib),
        ("storage IOPS needed", "operations/s", needs.iops, has.iops),
        ("storage throughput needed", "MiB/s", needs.throughput, has.throughput),
    )
    for name, unit, needed, there in rows:
        yield Figure(
            name,
            unit,
            float(needed[ONLY]),
            known(there[ONLY, -1]),
            "beyond what there is the storage is too small",
        )
