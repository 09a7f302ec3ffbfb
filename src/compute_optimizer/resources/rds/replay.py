"""How the advice for DB instances is replayed: that for the class and that for the storage."""

from collections.abc import Mapping, Sequence
from math import inf, isnan

import numpy as np

from compute_optimizer.catalog.database_classes import DatabaseClasses
from compute_optimizer.engine.dimensions import capacities, combine
from compute_optimizer.engine.peaks import FORGIVEN
from compute_optimizer.engine.replay import Move, Replay, ReplayedDimension
from compute_optimizer.engine.usage import Chosen, choose_series
from compute_optimizer.model.database import (
    Database,
    DatabaseRecommendation,
    StorageConfiguration,
)
from compute_optimizer.model.metrics import Matrix, MetricKey, ShardSamples, Statistic
from compute_optimizer.model.options import first_option
from compute_optimizer.model.recommendation import HOURS_PER_MONTH
from compute_optimizer.model.units import BYTES_PER_GIB, BYTES_PER_MIB
from compute_optimizer.resources.rds.analysis import UNKNOWN_CLASS, class_places
from compute_optimizer.resources.rds.dimensions import (
    DIMENSIONS,
    EBS_PLACES,
    FREE_STORAGE,
    GAUGES,
    IOPS_PLACE,
    MEMORY_PLACE,
    THROUGHPUT_PLACE,
    VCPU_PLACE,
)

CLASS_DIMENSIONS = DIMENSIONS[:VCPU_PLACE]
"""All that have metrics."""

SPACE, IOPS, THROUGHPUT = "StorageSpace", "StorageIOPS", "StorageThroughput"


def _demand(
    databases: Sequence[Database], samples: ShardSamples, classes: DatabaseClasses
) -> Mapping[str, Matrix]:
    chosen = choose_series(samples, GAUGES)
    places = class_places(databases, classes)
    every = capacities(CLASS_DIMENSIONS, classes.types)
    capacity = np.where((places != UNKNOWN_CLASS)[:, None], every[places], np.nan)
    aurora = np.array([one.is_aurora for one in databases])[:, None]
    found = dict(_of_class(chosen, capacity, aurora))
    return found | _of_storage(databases, samples, found)


def _of_class(chosen: Chosen, capacity: np.ndarray, aurora: np.ndarray) -> dict[str, Matrix]:
    found: dict[str, Matrix] = {}
    for place, dimension in enumerate(CLASS_DIMENSIONS):
        parts = chosen.parts(dimension)
        if not parts:
            continue
        used = combine(parts, dimension.combine)
        if dimension.percentage:
            used = used * (capacity[:, [place]] / 100).astype(np.float32)
        # What Aurora sends under the names of EBS is about its storage network.
        found[dimension.name] = np.where(aurora, np.nan, used) if place in EBS_PLACES else used
    return {name: matrix.astype(np.float32) for name, matrix in found.items()}


def _of_storage(
    databases: Sequence[Database], samples: ShardSamples, of_class: Mapping[str, Matrix]
) -> dict[str, Matrix]:
    """Return what the storage carries: the same operations and bytes, and the space in use."""
    found: dict[str, Matrix] = {}
    iops, flow = (DIMENSIONS[place].name for place in (IOPS_PLACE, THROUGHPUT_PLACE))
    if iops in of_class:
        found[IOPS] = of_class[iops]
    if flow in of_class:
        found[THROUGHPUT] = of_class[flow] / np.float32(BYTES_PER_MIB)
    free = samples.series.get(MetricKey(FREE_STORAGE, Statistic.AVERAGE))
    if free is not None:
        allocated = np.array([one.allocated_gib for one in databases], np.float32)[:, None]
        used = allocated - free / np.float32(BYTES_PER_GIB)
        found[SPACE] = np.where(allocated > 0, used, np.float32(np.nan))
    return found


def _move(
    database: Database, found: DatabaseRecommendation, classes: DatabaseClasses
) -> Move | None:
    """Return the advice for a DB instance; of a cluster no capacity is at stake."""
    if database.is_cluster or found.db_class is None:
        return None
    first = first_option(found.instance_options)
    advised = first.db_class if first else found.db_class
    hourly = first.hourly_usd if first else found.hourly_usd
    storage = next(iter(found.storage_options), None)
    then = storage.configuration if storage else found.storage
    then_usd = storage.monthly_usd if storage else found.storage_monthly_usd
    has_storage = found.storage is not None
    return Move(
        (*class_capacity(found.db_class, classes), *storage_capacity(found.storage)),
        (*class_capacity(advised, classes), *storage_capacity(then)),
        _together(found.hourly_usd, found.storage_monthly_usd if has_storage else 0.0),
        _together(hourly, then_usd if has_storage else 0.0),
    )


def class_capacity(db_class: str, classes: DatabaseClasses) -> tuple[float, ...]:
    """Return the capacity of a class by CLASS_DIMENSIONS; infinite where unknown."""
    place = classes.types.index.get(db_class)
    if place is None:
        return (inf,) * len(CLASS_DIMENSIONS)
    figures = capacities(CLASS_DIMENSIONS, classes.types)[place].tolist()
    return tuple(inf if isnan(figure) else figure for figure in figures)


def storage_capacity(storage: StorageConfiguration | None) -> tuple[float, float, float]:
    """Return GiB, operations and MiB per second of a storage; infinite where unknown."""
    figures = (
        (None, None, None)
        if storage is None
        else (storage.allocated_gib, storage.iops, storage.throughput_mibps)
    )
    space, iops, flow = (inf if figure is None else float(figure) for figure in figures)
    return space, iops, flow


def _together(hourly: float | None, storage: float | None) -> float | None:
    """Return USD a month of class and storage; None where either is unknown."""
    if hourly is None or storage is None:
        return None
    return hourly * HOURS_PER_MONTH + storage


REPLAY = Replay(
    dimensions=(
        *(
            ReplayedDimension(one.name, one.unit, 0.0 if place == MEMORY_PLACE else FORGIVEN)
            for place, one in enumerate(CLASS_DIMENSIONS)
        ),
        ReplayedDimension(SPACE, "GiB", 0.0),
        ReplayedDimension(IOPS, "operations/s", FORGIVEN),
        ReplayedDimension(THROUGHPUT, "MiB/s", FORGIVEN),
    ),
    demand=_demand,
    move=_move,
)
