"""From the samples of a shard of instances to the arrays that decide."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import demand_of, headrooms, percentiles
from compute_optimizer.engine.dimensions import CPU_PLACE, capacities
from compute_optimizer.engine.idle import idle
from compute_optimizer.engine.matching import Fleet
from compute_optimizer.engine.obstacles import (
    INSUFFICIENT_METRIC_DATA,
    UNSUPPORTED_RESOURCE,
    Obstacle,
)
from compute_optimizer.engine.options import Current, Market
from compute_optimizer.engine.recommender import Decisions, decide
from compute_optimizer.engine.usage import (
    CPU_METRIC,
    MINIMUM_SAMPLES,
    Chosen,
    Usage,
    choose_series,
    measure,
)
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.ec2.dimensions import (
    DIMENSIONS,
    DISK_METRICS,
    MEMORY_PLACE,
    WIRE_NAMES,
)

HPC_PREFIX = "hpc"
"""Families for tightly coupled clusters (Amazon EC2 User Guide)."""

UNKNOWN_TYPE = -1
"""Stands for an instance type that the catalog does not have."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Every intermediate array of one shard."""

    market: Market
    fleet: Fleet
    decisions: Decisions
    idle: Booleans
    """(resources,)."""
    obstacles: tuple[Obstacle | None, ...]
    """(resources,): None where there is a recommendation."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a shard's samples say, whatever the headrooms and the types that are preferred."""

    market: Market
    chosen: Chosen
    usage: Usage
    capacity: Floats
    """(resources, dimensions): as provisioned; NaN where unknown."""
    places: Integers
    """(resources,): of the current types in the catalog, or UNKNOWN_TYPE."""
    currents: tuple[Current | None, ...]
    obstacles: tuple[Obstacle | None, ...]
    """(resources,): None where there is a recommendation."""


def analyze(
    resources: Sequence[Resource],
    samples: ShardSamples,
    types: InstanceTypes,
    preferences: Preferences,
) -> Analysis:
    """Return every array that decides; the resources are in the row order of the samples."""
    found = measure_shard(resources, samples, types, percentiles(DIMENSIONS, preferences))
    fleet = fleet_at(found, preferences)
    decisions = decide(fleet, found.market, DIMENSIONS)
    is_idle = _idle(found.chosen, found.usage, types, found.places)
    return Analysis(found.market, fleet, decisions, is_idle, found.obstacles)


def measure_shard(
    resources: Sequence[Resource],
    samples: ShardSamples,
    types: InstanceTypes,
    thresholds: Sequence[float],
) -> Measured:
    """Return the tails that tell percentiles from `thresholds` (dimensions,) upwards."""
    chosen = choose_series(samples, tuple(WIRE_NAMES))
    usage = measure(chosen, DIMENSIONS, thresholds)
    market = market_of(resources, types)
    places = np.array([types.index.get(r.instance_type, UNKNOWN_TYPE) for r in resources])
    capacity = _provisioned(resources, market, places)
    obstacles = _obstacles(types, places, usage)
    currents = _currents(resources, places, _uses_instance_store(chosen, usage), obstacles)
    return Measured(market, chosen, usage, capacity, places, currents, obstacles)


def fleet_at(measured: Measured, preferences: Preferences) -> Fleet:
    """Return the fleet with its demand at a threshold that the measured tails reach down to."""
    return Fleet(
        measured.currents,
        measured.chosen,
        measured.usage,
        demand_of(measured.usage, DIMENSIONS, measured.capacity, preferences),
        percentiles(DIMENSIONS, preferences),
        headrooms(DIMENSIONS, preferences),
    )


def market_of(resources: Sequence[Resource], types: InstanceTypes) -> Market:
    """Return the catalog with the prices of the resources' Regions and platforms."""
    markets = {(resource.region, resource.platform) for resource in resources}
    _, family = np.unique(np.array(types.families), return_inverse=True)
    return Market(
        types=types,
        family=family,
        hpc=np.array([name.startswith(HPC_PREFIX) for name in types.families]),
        capacity=capacities(DIMENSIONS, types),
        prices={market: hourly_prices(types, *market) for market in markets},
        preferred=np.ones(len(types.names), dtype=np.bool_),
    )


def _provisioned(resources: Sequence[Resource], market: Market, places: Integers) -> Floats:
    """Return the present capacity, (resources, dimensions): the type's, or what is stated.

    NaN throughout for an unknown type.
    """
    capacity = market.capacity[places]
    capacity[places == UNKNOWN_TYPE] = np.nan
    per_vcpu = capacity[:, CPU_PLACE] / market.types.vcpus[places]
    vcpus = np.array([resource.vcpus or np.nan for resource in resources])
    memory = np.array([resource.memory_mib or np.nan for resource in resources])
    for place, stated in ((CPU_PLACE, vcpus * per_vcpu), (MEMORY_PLACE, memory)):
        capacity[:, place] = np.where(np.isnan(stated), capacity[:, place], stated)
    return capacity


def _obstacles(types: InstanceTypes, places: Integers, usage: Usage) -> tuple[Obstacle | None, ...]:
    supported = (places != UNKNOWN_TYPE) & types.rightsizing_supported[places]
    measured = usage.dimensions[CPU_PLACE].counts >= MINIMUM_SAMPLES
    by_row = zip(supported.tolist(), measured.tolist(), strict=True)
    return tuple(
        (None if is_measured else INSUFFICIENT_METRIC_DATA)
        if is_supported
        else UNSUPPORTED_RESOURCE
        for is_supported, is_measured in by_row
    )


def _uses_instance_store(chosen: Chosen, usage: Usage) -> Booleans:
    """Return which instances read or wrote their instance store at all."""
    peaks = [usage.peaks[metric] for metric in DISK_METRICS if metric in usage.peaks]
    used = np.zeros(chosen.rows, dtype=np.bool_)
    for peak in peaks:
        used |= peak > 0
    return used


def _currents(
    resources: Sequence[Resource],
    places: Integers,
    uses_store: Booleans,
    obstacles: Sequence[Obstacle | None],
) -> tuple[Current | None, ...]:
    rows = zip(resources, places.tolist(), uses_store.tolist(), obstacles, strict=True)
    return tuple(
        None if obstacle else Current(place, resource.region, resource.platform, used)
        for resource, place, used, obstacle in rows
    )


def _idle(chosen: Chosen, usage: Usage, types: InstanceTypes, places: Integers) -> Booleans:
    """Return which are idle; GPU use is unknown, so an accelerated instance never is."""
    if CPU_METRIC not in usage.peaks:
        return np.zeros(chosen.rows, dtype=np.bool_)
    return idle(chosen, usage.peaks[CPU_METRIC]) & ~types.accelerated[places]
