"""From the samples of a shard of instances to the arrays that decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.engine.arrays import Booleans, Floats, Integers, Singles
from compute_optimizer.engine.demand import demand_of, headrooms, percentiles
from compute_optimizer.engine.digests import DigestedSamples, Steps, completed
from compute_optimizer.engine.dimensions import CPU_PLACE, capacities
from compute_optimizer.engine.idle import IDLE_PEAK_CPU, Required, idle_rows
from compute_optimizer.engine.matching import Fleet
from compute_optimizer.engine.obstacles import (
    INSUFFICIENT_METRIC_DATA,
    UNSUPPORTED_RESOURCE,
    Obstacle,
)
from compute_optimizer.engine.options import Current, Market
from compute_optimizer.engine.peaks import LEAST_DAYS
from compute_optimizer.engine.prediction import Prediction, predict
from compute_optimizer.engine.recommender import Decisions, begun, decided, samples_wanted
from compute_optimizer.engine.usage import (
    CPU_METRIC,
    MINIMUM_SAMPLES,
    Chosen,
    Usage,
    choose_series,
    measure,
    tails_wanted,
)
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples
from compute_optimizer.model.preferences import PUBLISHED, Preferences
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.resources.ec2.dimensions import (
    DIMENSIONS,
    DISK_METRICS,
    MEMORY_PLACE,
    PEAK_MODELS,
    WIRE_NAMES,
)
from compute_optimizer.resources.ec2.idleness import LIMITS as IDLE_LIMITS
from compute_optimizer.resources.ec2.preferred_types import types_left

HPC_PREFIX = "hpc"
"""Families for tightly coupled clusters (Amazon EC2 User Guide)."""

NO_MODEL = "no risk model is at hand"
SATURATED = (
    "the CPU was at its ceiling, so what is needed beyond is unknown: this is a first step, to be "
    "looked at again once it is taken"
)
SHORT = "the present type falls short by the published rule"
LITTLE_HISTORY = f"there are fewer than {LEAST_DAYS} days of CPU samples to predict from"
"""Why the published rule decides where the calibrated profile is asked for."""

UNKNOWN_TYPE = -1
"""Stands for an instance type that the catalog does not have."""


@dataclass(frozen=True, slots=True, eq=False)
class Ec2Analysis:
    """Every intermediate array of one shard."""

    market: Market
    fleet: Fleet
    decisions: Decisions
    idle: Booleans
    """(resources,)."""
    obstacles: tuple[Obstacle | None, ...]
    """(resources,): None where there is a recommendation."""
    predicted: Fleet | None = None
    """The fleet with its coming peaks, whatever profile decides; None without a risk model."""
    other: Decisions | None = None
    """By the other profile; None where nobody asked."""


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
    risk_model: RiskModel | None = None,
    *,
    both: bool = False,
) -> Ec2Analysis:
    """Return every array that decides; the resources are in the row order of the samples.

    Without a risk model the published rule decides; with `both` the other profile is heard too.
    """
    steps = analyzed(resources, samples, types, preferences, risk_model, both=both)
    return completed(steps, lambda _wanted: {})


def analyzed(
    resources: Sequence[Resource],
    samples: ShardSamples | DigestedSamples,
    types: InstanceTypes,
    preferences: Preferences,
    risk_model: RiskModel | None = None,
    *,
    both: bool = False,
) -> Steps[Ec2Analysis]:
    """Return the same in steps; of days in short they ask for the whole rows that they need."""
    thresholds = percentiles(DIMENSIONS, preferences)
    chosen = choose_series(samples, tuple(WIRE_NAMES))
    if wanted := tails_wanted(chosen, DIMENSIONS, thresholds):
        chosen = chosen.with_whole((yield wanted))
    found = measured(resources, chosen, types, thresholds)
    market = preferring(found.market, preferences)
    fleets = _fleets(found, preferences, risk_model)
    heard = fleets if both else fleets[:1]
    first = begun(heard, market, DIMENSIONS)
    if wanted := chosen.unread(samples_wanted(fleets[0], DIMENSIONS, first)):
        chosen = chosen.with_whole((yield wanted))
    decisions = decided(
        [replace(fleet, chosen=chosen) for fleet in heard], market, DIMENSIONS, first
    )
    peak_cpu = found.usage.peaks.get(CPU_METRIC, np.full(chosen.rows, np.nan, np.float32))
    return Ec2Analysis(
        market,
        fleets[0],
        decisions[0],
        idle_instances(chosen, peak_cpu, types, found.places),
        found.obstacles,
        next((fleet for fleet in fleets if fleet.prediction is not None), None),
        decisions[1] if len(decisions) > 1 else None,
    )


def _fleets(found: Measured, preferences: Preferences, risk_model: RiskModel | None) -> list[Fleet]:
    """Return the fleet as the profile in force sees it, and with a risk model as the other does."""
    ruled = fleet_at(found, preferences)
    if risk_model is None:
        return [ruled]
    predicted = replace(ruled, prediction=prediction_of(ruled, preferences, risk_model))
    return [ruled, predicted] if preferences.profile == PUBLISHED else [predicted, ruled]


def published_because(analysis: Ec2Analysis, preferences: Preferences) -> list[str | None]:
    """Return why the published rule decided although the calibrated profile is asked for."""
    if preferences.profile == PUBLISHED:
        return [None] * analysis.fleet.chosen.rows
    if analysis.predicted is None or analysis.predicted.prediction is None:
        return [NO_MODEL] * analysis.fleet.chosen.rows
    prediction, under = analysis.predicted.prediction, analysis.decisions.under.any(axis=1)
    cases = [analysis.decisions.predicted, prediction.saturated, under]
    found = np.select(cases, [0, 1, 2], 3).tolist()
    return [(None, SATURATED, SHORT, LITTLE_HISTORY)[case] for case in found]


def measure_shard(
    resources: Sequence[Resource],
    samples: ShardSamples,
    types: InstanceTypes,
    thresholds: Sequence[float],
) -> Measured:
    """Return the tails that tell percentiles from `thresholds` (dimensions,) upwards."""
    return measured(resources, choose_series(samples, tuple(WIRE_NAMES)), types, thresholds)


def measured(
    resources: Sequence[Resource],
    chosen: Chosen,
    types: InstanceTypes,
    thresholds: Sequence[float],
) -> Measured:
    """Return the same of series that are chosen."""
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


def prediction_of(fleet: Fleet, preferences: Preferences, risk_model: RiskModel) -> Prediction:
    """Return the coming peaks of a fleet, with the risk that its preferences allow."""
    models = {
        name: risk_model.peaks[model]
        for name, model in PEAK_MODELS.items()
        if model in risk_model.peaks
    }
    incident = preferences.incident_usd
    return predict(
        fleet.chosen,
        fleet.usage,
        fleet.demand,
        DIMENSIONS,
        models,
        risk_cap=preferences.risk_cap,
        incident_usd=risk_model.shipped_incident_usd if incident is None else incident,
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


def capacity_ratios(now: Resource, types: InstanceTypes, options: Sequence[str]) -> Floats:
    """Return the present capacity as a share of each type's, (options, dimensions).

    What a resource uses in percent times this is what it would use on the type. NaN where either
    is unknown.
    """
    market = market_of([now], types)
    place = types.index.get(now.instance_type, UNKNOWN_TYPE)
    present = _provisioned([now], market, np.array([place]))
    places = np.array([types.index.get(name, UNKNOWN_TYPE) for name in options], np.int64)
    capacity = market.capacity[places]
    capacity[places == UNKNOWN_TYPE] = np.nan
    found: Floats = present / capacity
    return found


def preferring(market: Market, preferences: Preferences) -> Market:
    """Return the market with the preferred types only."""
    include, exclude = preferences.include_types, preferences.exclude_types
    if not (include or exclude):
        return market
    return replace(market, preferred=types_left(market.types, include, exclude))


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


def idle_instances(
    chosen: Chosen, peak_cpu: Singles, types: InstanceTypes, places: Integers
) -> Booleans:
    """Return which are idle; GPU use is unknown, so an accelerated instance never is.

    `peak_cpu` (resources,) is in percent, NaN where unknown.
    """
    quiet = (peak_cpu < IDLE_PEAK_CPU) & ~types.accelerated[places]
    days = chosen.slots // SLOTS_PER_DAY
    found = np.zeros(chosen.rows, dtype=np.bool_)
    if CPU_METRIC in chosen.series:
        found[idle_rows(chosen, IDLE_LIMITS, Required(), days, quiet)] = True
    return found
