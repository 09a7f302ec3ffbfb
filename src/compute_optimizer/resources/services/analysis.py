"""From what services ask for to the arrays that decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.fargate_sizes import CPU_UNITS_PER_VCPU, GIB, TaskSizes
from compute_optimizer.catalog.own_prices import OwnPrices
from compute_optimizer.catalog.serverless_prices import fargate_rates
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import FIT_TOLERANCE
from compute_optimizer.engine.obstacles import (
    INSUFFICIENT_METRIC_DATA,
    RECOMMENDATION_NOT_FOUND,
    UNSUPPORTED_RESOURCE,
    Obstacle,
)
from compute_optimizer.model.ecs_service import (
    FARGATE,
    RUNNING_STATES,
    STEPS,
    TRACKS_CPU,
    TRACKS_MEMORY,
    EcsService,
)
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import HOURS_PER_MONTH
from compute_optimizer.resources.services.demand import (
    MINIMUM_SAMPLES,
    ServiceDemand,
    demand_of,
)

WINDOWS = "windows"

OTHER_PLATFORM = "not for tasks of Windows"
HELD = "the service's scaling policy holds a target: that size stays"
CPU_SHORT = "CPU too small"
MEMORY_SHORT = "Memory too small"


@dataclass(frozen=True, slots=True, eq=False)
class ServiceAnalysis:
    """Every intermediate array of one shard of services."""

    demand: ServiceDemand
    size: Floats
    """(services, 2): CPU units and MiB of a task."""
    required: Floats
    """(services, 2): what a size must have at least: the demand, or as it is where that stays."""
    refused: Mapping[str, Booleans]
    """By reason, in the order in which they are told, (services, sizes)."""
    best: Floats
    """(services, 2): the same of the smallest size that carries the demand; where none does, as
    it is."""
    under: Booleans
    """(services, 2): the demand fails, and some size carries it."""
    over: Booleans
    """(services, 2): the best size has less."""
    moves: Booleans
    """(services,): the best size is an option."""
    monthly_usd: Floats
    """(services,): as it is; NaN where unknown."""
    best_usd: Floats
    own: OwnPrices
    """What counted before the shipped prices."""
    obstacles: tuple[Obstacle | None, ...]
    """(services,): None where there is a recommendation."""


def analyze(
    services: Sequence[EcsService],
    samples: ShardSamples,
    sizes: TaskSizes,
    as_of: datetime,
    preferences: Preferences,
) -> ServiceAnalysis:
    """Return every array that decides; the services are in the row order of the samples."""
    demand = demand_of(services, samples, as_of, preferences)
    size = np.array([(one.cpu_units, one.task_memory) for one in services], np.float64)
    fixed = _fixed(services)
    # What is not measured is never reduced, and what a policy holds to its target says nothing.
    own = sizes.own_prices
    required = np.where(fixed | np.isnan(demand.required), size, demand.required)
    refused = _refused(services, required, size, fixed, sizes)
    best, found = _smallest(refused, size, sizes)
    under = (required > size * (1 + FIT_TOLERANCE)) & found[:, None]
    fails: Booleans = np.any(under, axis=1)
    shrinks: Booleans = np.all(best <= size, axis=1)
    over = (best < size) & (fails | shrinks)[:, None]
    return ServiceAnalysis(
        demand=demand,
        size=size,
        required=required,
        refused=refused,
        best=best,
        under=under,
        over=over,
        moves=np.asarray(np.any(under | over, axis=1)),
        monthly_usd=monthly_usd(services, demand, size, own),
        best_usd=monthly_usd(services, demand, best, own),
        own=own,
        obstacles=_obstacles(services, demand, size, sizes),
    )


def _fixed(services: Sequence[EcsService]) -> Booleans:
    """Return which dimensions a policy holds at its target, (services, 2): they stay (spec 6.5)."""
    found = [
        (TRACKS_CPU in one.auto_scaling, TRACKS_MEMORY in one.auto_scaling) for one in services
    ]
    return np.array(found, np.bool_)


def _refused(
    services: Sequence[EcsService],
    required: Floats,
    size: Floats,
    fixed: Booleans,
    sizes: TaskSizes,
) -> dict[str, Booleans]:
    """Return by reason which sizes each service cannot have, (services, sizes)."""
    pairs = np.stack([sizes.cpu_units, sizes.memory], axis=1)
    short = pairs[None] * (1 + FIT_TOLERANCE) < required[:, None, :]
    moves = fixed[:, None, :] & (pairs[None] != size[:, None, :])
    windows = np.array([one.platform == WINDOWS for one in services])
    return {
        OTHER_PLATFORM: windows[:, None] & ~sizes.windows,
        HELD: moves.any(axis=2),
        CPU_SHORT: short[:, :, 0],
        MEMORY_SHORT: short[:, :, 1],
    }


def _smallest(
    refused: Mapping[str, Booleans], size: Floats, sizes: TaskSizes
) -> tuple[Floats, Booleans]:
    """Return the first size that carries the requirement, (services, 2), and where there is one."""
    pairs = np.stack([sizes.cpu_units, sizes.memory], axis=1)
    fits: Booleans = ~np.any(np.stack(list(refused.values())), axis=0)
    found: Booleans = np.any(fits, axis=1, keepdims=False)
    place: Integers = np.argmax(fits, axis=1)
    return np.where(found[:, None], pairs[place], size), found


def monthly_usd(
    services: Sequence[EcsService], demand: ServiceDemand, size: Floats, own: OwnPrices
) -> Floats:
    """Return USD a month of all tasks at some size, (services,); NaN where unknown."""
    rates = [fargate_rates(one.region, one.platform, one.architecture, own) for one in services]
    vcpu = size[:, 0] / CPU_UNITS_PER_VCPU * np.array([one.vcpu_hour for one in rates])
    memory = size[:, 1] / GIB * np.array([one.gb_hour for one in rates])
    # Running time is extrapolated from the look-back period (spec 3.9).
    hours = HOURS_PER_MONTH * demand.running_share * demand.tasks
    cost: Floats = (vcpu + memory) * hours
    return cost


def _obstacles(
    services: Sequence[EcsService], demand: ServiceDemand, size: Floats, sizes: TaskSizes
) -> tuple[Obstacle | None, ...]:
    valid = set(zip(sizes.cpu_units.tolist(), sizes.memory.tolist(), strict=True))
    measured = (demand.counts[:, 0] >= MINIMUM_SAMPLES).tolist()
    rows = zip(services, size.tolist(), measured, strict=True)
    return tuple(_obstacle(one, tuple(pair) in valid, enough) for one, pair, enough in rows)


def _obstacle(one: EcsService, valid: bool, measured: bool) -> Obstacle | None:
    scaled = STEPS in one.auto_scaling or {TRACKS_CPU, TRACKS_MEMORY} <= set(one.auto_scaling)
    if one.instance_type != FARGATE or scaled or not valid:
        return UNSUPPORTED_RESOURCE
    if one.state not in RUNNING_STATES:
        return RECOMMENDATION_NOT_FOUND
    return None if measured else INSUFFICIENT_METRIC_DATA
