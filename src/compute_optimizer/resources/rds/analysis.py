"""From the samples of a shard of databases to the arrays that decide about DB instances."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.database_classes import DatabaseClasses, newer_available
from compute_optimizer.catalog.database_prices import hourly_database_prices
from compute_optimizer.catalog.database_storage import is_deprecated
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import (
    OTHER_PERCENTILE,
    Demand,
    demand_of,
    headrooms,
    percentiles,
)
from compute_optimizer.engine.dimensions import CPU_PLACE, capacities
from compute_optimizer.engine.idle import idle_rows
from compute_optimizer.engine.matching import Fleet
from compute_optimizer.engine.options import Current, Market
from compute_optimizer.engine.recommender import Decisions, decide
from compute_optimizer.engine.risk import overall
from compute_optimizer.engine.usage import (
    MINIMUM_SAMPLES,
    Chosen,
    DimensionUsage,
    Usage,
    choose_series,
    measure,
)
from compute_optimizer.model.database import AURORA_STANDARD, Database
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, Matrix, ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.resources.idleness import ENOUGH
from compute_optimizer.resources.rds.dimensions import (
    DIMENSIONS,
    EBS_PLACES,
    EPHEMERAL,
    GAUGES,
    KILLS,
    LASTING_PRESSURE,
    MEMORY_PLACE,
    RATE_PLACES,
    VCPU_PLACE,
)
from compute_optimizer.resources.rds.idleness import LIMITS as IDLE_LIMITS
from compute_optimizer.resources.rds.idleness import concerned

UNKNOWN_CLASS = -1
"""Stands for a class that is not supported with the engine."""

PRESSED_RISK = 3.0
"""What an instance scores at least that is short of memory (assumed)."""


@dataclass(frozen=True, slots=True, eq=False)
class InstanceAnalysis:
    """Every intermediate array of the DB instances of a shard; clusters have rows that say nothing.

    (resources, dimensions) unless said otherwise.
    """

    market: Market
    fleet: Fleet
    decisions: Decisions
    current_risk: Floats
    """(resources,): 0 to 4."""
    pressed: Booleans
    """(resources,): short of memory."""
    idle: Booleans
    newer_class: Booleans
    """(resources,): a later generation of the class is on offer."""
    newer_engine: Booleans
    """(resources,): standard support of the engine's version has ended."""
    measured: Booleans
    """(resources,): samples of 30 hours (spec 2.1)."""
    supported: Booleans
    """(resources,): engine and class get recommendations."""


def analyze_instances(
    databases: Sequence[Database],
    samples: ShardSamples,
    classes: DatabaseClasses,
    preferences: Preferences,
    as_of: datetime,
) -> InstanceAnalysis:
    """Return every array that decides; the databases are in the row order of the samples."""
    chosen = choose_series(samples, GAUGES)
    usage = measured_usage(databases, chosen, preferences)
    places = class_places(databases, classes)
    pressed = _pressed(chosen)
    market = _market(databases, classes)
    supported = places != UNKNOWN_CLASS
    capacity = np.where(supported[:, None], market.capacity[places], np.nan)
    demand = _demand(databases, usage, capacity, pressed, preferences)
    enough = usage.dimensions[CPU_PLACE].counts >= MINIMUM_SAMPLES
    fleet = Fleet(
        _currents(databases, places, chosen, supported & enough),
        chosen,
        usage,
        demand,
        percentiles(DIMENSIONS, preferences),
        headrooms(DIMENSIONS, preferences),
    )
    decisions = _without_blind_codes(databases, decide(fleet, market, DIMENSIONS))
    risk = overall(decisions.current_risk)
    return InstanceAnalysis(
        market=market,
        fleet=fleet,
        decisions=decisions,
        current_risk=np.where(pressed, np.maximum(risk, PRESSED_RISK), risk),
        pressed=pressed,
        idle=_idle(databases, chosen),
        newer_class=_newer_classes(databases, places, classes),
        newer_engine=np.array(
            [is_deprecated(one.engine, one.engine_version, as_of.date()) for one in databases]
        ),
        measured=enough,
        supported=supported,
    )


def class_places(databases: Sequence[Database], classes: DatabaseClasses) -> Integers:
    """Return the place of each instance's class, (resources,), or UNKNOWN_CLASS."""
    return np.array([_place_of(one, classes) for one in databases], dtype=np.int64)


def _place_of(one: Database, classes: DatabaseClasses) -> int:
    place = classes.types.index.get(one.instance_type, UNKNOWN_CLASS)
    if one.is_cluster or place == UNKNOWN_CLASS or not classes.supported(one.engine)[place]:
        return UNKNOWN_CLASS
    return place


def measured_usage(
    databases: Sequence[Database], chosen: Chosen, preferences: Preferences
) -> Usage:
    """Return the usage, without that of EBS for instances of Aurora: they have none."""
    usage = measure(chosen, DIMENSIONS, percentiles(DIMENSIONS, preferences))
    aurora = np.array([one.is_aurora for one in databases], dtype=np.bool_)
    found = [
        _without(used, aurora) if place in EBS_PLACES else used
        for place, used in enumerate(usage.dimensions)
    ]
    return replace(usage, dimensions=tuple(found))


def _without(used: DimensionUsage, rows: Booleans) -> DimensionUsage:
    tail = np.where(rows[:, None], np.float32(-np.inf), used.tail)
    return DimensionUsage(tail, np.where(rows, 0, used.counts))


def _demand(
    databases: Sequence[Database],
    usage: Usage,
    capacity: Floats,
    pressed: Booleans,
    preferences: Preferences,
) -> Demand:
    """Return the demand; what is short of memory requires more of it than there is."""
    insights = np.array([one.performance_insights for one in databases], dtype=np.bool_)
    capacity[:, VCPU_PLACE] = np.where(insights, np.nan, capacity[:, VCPU_PLACE])
    found = demand_of(usage, DIMENSIONS, capacity, preferences)
    per_second = np.ones(len(DIMENSIONS))
    per_second[list(RATE_PLACES)] = SLOT_SECONDS
    required = found.required * per_second
    more = capacity[:, MEMORY_PLACE] / (1 - preferences.memory_headroom)
    required[:, MEMORY_PLACE] = np.where(
        pressed, np.fmax(required[:, MEMORY_PLACE], more), required[:, MEMORY_PLACE]
    )
    return Demand(found.used * per_second, required, capacity, found.scale * per_second)


def _market(databases: Sequence[Database], classes: DatabaseClasses) -> Market:
    """Return the classes with the prices of the databases' Regions, engines and deployments."""
    types = classes.types
    _, family = np.unique(np.array(types.families), return_inverse=True)
    sold = {(one.region, deployment_of(one)): one for one in databases}
    return Market(
        types=types,
        family=family,
        hpc=np.zeros(len(types.names), dtype=np.bool_),
        capacity=capacities(DIMENSIONS, types),
        prices={
            key: hourly_database_prices(
                classes, key[0], one.engine, multi_az=one.multi_az, storage=one.storage_type
            )
            for key, one in sold.items()
        },
        preferred=np.ones(len(types.names), dtype=np.bool_),
    )


def deployment_of(one: Database) -> str:
    """Return what decides the price of a class in a Region, such as `mysql multi-az`."""
    if one.is_aurora:
        return f"{one.engine} {one.storage_type or AURORA_STANDARD}"
    return f"{one.engine} multi-az" if one.multi_az else one.engine


def _currents(
    databases: Sequence[Database], places: Integers, chosen: Chosen, decided: Booleans
) -> tuple[Current | None, ...]:
    uses_store = np.zeros(chosen.rows, dtype=np.bool_)
    for metric in EPHEMERAL:
        if metric in chosen.series:
            uses_store |= (chosen.series[metric] > 0).any(axis=1)
    rows = zip(databases, places.tolist(), uses_store.tolist(), decided.tolist(), strict=True)
    return tuple(
        Current(place, one.region, deployment_of(one), used) if is_decided else None
        for one, place, used, is_decided in rows
    )


def _without_blind_codes(databases: Sequence[Database], found: Decisions) -> Decisions:
    """Return the decisions without codes that the service does not have (spec 6.6).

    Memory is never too much, and without Performance Insights neither is the CPU.
    """
    over = found.over.copy()
    over[:, MEMORY_PLACE] = False
    insights = np.array([one.performance_insights for one in databases], dtype=np.bool_)
    over[~insights, CPU_PLACE] = False
    return replace(found, over=over)


def _pressed(chosen: Chosen) -> Booleans:
    """Return which instances are short of memory, (resources,)."""
    found = np.zeros(chosen.rows, dtype=np.bool_)
    for metrics, forgiven in ((LASTING_PRESSURE, 1 - OTHER_PERCENTILE / 100), (KILLS, 0.0)):
        for metric in metrics:
            if metric in chosen.series:
                found |= _above_zero(chosen.series[metric], forgiven)
    return found


def _above_zero(series: Matrix, forgiven: float) -> Booleans:
    counts = np.count_nonzero(np.isfinite(series), axis=1)
    above: Booleans = np.count_nonzero(series > 0, axis=1) > counts * forgiven
    return above


def _idle(databases: Sequence[Database], chosen: Chosen) -> Booleans:
    """Return which instances are idle by the published limits; unknown use is not idle."""
    found = np.zeros(chosen.rows, dtype=np.bool_)
    days = chosen.slots // SLOTS_PER_DAY
    found[idle_rows(chosen, IDLE_LIMITS, ENOUGH, days, concerned(databases))] = True
    return found


def _newer_classes(
    databases: Sequence[Database], places: Integers, classes: DatabaseClasses
) -> Booleans:
    asked = [
        (place, one.region, one.engine)
        for one, place in zip(databases, places.tolist(), strict=True)
    ]
    known = {key: key[0] != UNKNOWN_CLASS and newer_available(classes, *key) for key in set(asked)}
    return np.array([known[key] for key in asked], dtype=np.bool_)
