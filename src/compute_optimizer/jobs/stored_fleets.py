"""The instances of the metric store as a backtest sees them, read a shard at a time."""

from collections.abc import Container, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.backtest.fleet import CPU, DISK, MEMORY, NETWORK, TraceFleet, saturated
from compute_optimizer.catalog import InstanceTypes, load_instance_types
from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.engine.dimensions import Dimension, combine
from compute_optimizer.engine.usage import Chosen, choose_series
from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.interfaces import Executor, Progress, no_progress
from compute_optimizer.jobs.executors.local import locally
from compute_optimizer.model.effective_preferences import LONGEST_LOOK_BACK
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, Matrix, Statistic, Window
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS, METRICS
from compute_optimizer.store import State
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.inventory import resources_of, shard_sizes, shards
from compute_optimizer.store.tiles import TileStore, read_samples, tile_paths

ENGINE_DIMENSIONS = {
    CPU: "CPU",
    MEMORY: "Memory",
    DISK: "EBSThroughput",
    NETWORK: "NetworkBandwidth",
}
"""The dimension of an EC2 instance that each dimension of a backtest is."""

STORE = "the metric store"
"""What people call the fleet."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Which part of the metric store is replayed."""

    accounts: frozenset[str] | None = None
    """None for all that are opted in, and nobody else in any case."""
    every: int = 1
    """Every n-th resource of a shard stands for the others."""


EVERYBODY = Whose()


def stored_fleet(
    state: State,
    tiles: TileStore,
    dimensions: Sequence[str] = tuple(ENGINE_DIMENSIONS),
    executor: Executor | None = None,
    progress: Progress = no_progress,
    whose: Whose = EVERYBODY,
) -> TraceFleet:
    """Return the instances of opted-in accounts with what the metric store knows of them.

    Only the dimensions asked for are read, a shard at a time, each as one view; those that nobody
    sent are left out. This process reads, or an `executor`. Raises Conflict where nobody opted in,
    and InvalidInput where there is no sample.
    """
    readings = readings_of(state, tiles, dimensions, whose)
    read = executor or locally(workers=1)
    parts = read(read_part, readings.tasks, progress, resources=readings.resources)
    known = [part for part in parts if part.ids]
    return joined_fleet(known, readings.window, dimensions_of(part.demand for part in known))


@dataclass(frozen=True, slots=True)
class Readings:
    """What there is to read of the metric store."""

    tasks: Sequence["Reading"]
    window: Window
    resources: int
    """About."""


def readings_of(
    state: State, tiles: TileStore, dimensions: Sequence[str], whose: Whose = EVERYBODY
) -> Readings:
    """Return how to read the instances of opted-in accounts; raises as `stored_fleet`."""
    wanted = tuple(engine_dimensions(dimensions))
    with state.reading() as connection:
        keys = shards_of_opted_in(connection, EC2_INSTANCE, whose.accounts)
        window = stored_window(connection, keys, "instances")
        sizes = shard_sizes(connection, {key.account_id for key in keys})
    tasks = [Reading(state.url, tiles, key, window, wanted, whose.every) for key in keys]
    return Readings(tasks, window, sum(sizes.get(key, 0) for key in keys))


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that another process needs to read one shard."""

    state_url: str = field(repr=False)
    """Holds a password, which no message and no log may."""
    tiles: TileStore
    shard: ShardKey
    window: Window
    dimensions: tuple[str, ...]
    every: int
    """Every n-th resource is read."""

    @property
    def name(self) -> str:
        """Return what people call its shard."""
        return self.shard.name


@dataclass(frozen=True, slots=True, eq=False)
class ShardTraces:
    """One shard; every matrix has a row per resource."""

    ids: tuple[str, ...]
    demand: dict[str, Matrix]
    provisioned: dict[str, Matrix]
    saturated: Booleans
    averaged: bool


def engine_dimensions(dimensions: Sequence[str]) -> dict[str, Dimension]:
    """Return the engine's dimensions by name; the CPU is always among them."""
    absent = [name for name in dimensions if name not in ENGINE_DIMENSIONS]
    if absent:
        raise InvalidInput(
            f"there is no dimension {absent[0]!r}; expected some of {', '.join(ENGINE_DIMENSIONS)}"
        )
    known = {dimension.name: dimension for dimension in DIMENSIONS}
    return {
        name: known[engine_name]
        for name, engine_name in ENGINE_DIMENSIONS.items()
        if name in (CPU, *dimensions)
    }


def shards_of_opted_in(
    connection: Connection, resource_type: str, among: frozenset[str] | None = None
) -> list[ShardKey]:
    """Return the shards of a type in opted-in accounts, of all or of those that are named.

    Raises Conflict where no account is opted in.
    """
    accounts = opted_in_accounts(connection)
    if among is not None:
        accounts &= among
    if not accounts:
        raise Conflict(
            "no account is opted in, so there is no fleet to test on; opt in with "
            "`compute-optimizer accounts enroll ACCOUNT`, or give --trace FILE"
        )
    return [key for key in shards(connection, accounts) if key.resource_type == resource_type]


def stored_window(connection: Connection, keys: Sequence[ShardKey], plural: str) -> Window:
    """Return the days of which the shards have samples, at most the newest LONGEST_LOOK_BACK.

    Raises InvalidInput where there are none; `plural` is what people call the resources.
    """
    wanted = set(keys)
    days = [day for key, day in tile_paths(connection) if key in wanted]
    if not days:
        raise InvalidInput(
            f"the metric store has no samples of {plural}; bring some in with "
            "`compute-optimizer import --metrics FILE`, or give --trace FILE"
        )
    last = max(days)
    first = max(min(days), date.fromordinal(last.toordinal() - LONGEST_LOOK_BACK + 1))
    return Window(first, last)


def read_part(task: Reading) -> ShardTraces:
    """Return what the metric store has of one shard."""
    types, wanted, window = load_instance_types(), engine_dimensions(task.dimensions), task.window
    metrics = tuple(metric for dimension in wanted.values() for metric in dimension.metrics)
    series = [one for one in METRICS if one.metric in metrics]
    with closing(State(task.state_url)) as state, state.reading() as connection:
        resources = resources_of(connection, task.shard)[:: task.every]
        arns = None if task.every == 1 else [one.arn for one in resources]
        samples = read_samples(connection, task.tiles, task.shard, window, series, arns)
    chosen = choose_series(samples, metrics)
    capacity = _capacity(resources, types)
    demand = {
        name: _absolute(chosen, dimension, capacity.get(name))
        for name, dimension in wanted.items()
        if chosen.parts(dimension)
    }
    (cpu_metric,) = wanted[CPU].metrics
    percent = chosen.series.get(cpu_metric)
    shape = (len(resources), window.days * SLOTS_PER_DAY)
    averaged = chosen.averaged.get(cpu_metric)
    return ShardTraces(
        ids=tuple(resource.arn for resource in resources),
        demand=demand,
        provisioned={
            name: np.tile(one[:, None], (1, window.days)) for name, one in capacity.items()
        },
        saturated=np.zeros(shape, np.bool_) if percent is None else saturated(percent),
        averaged=bool(averaged is not None and averaged.any()),
    )


def _capacity(resources: Sequence[Resource], types: InstanceTypes) -> dict[str, Matrix]:
    """Return vCPUs and memory as stated, else of the type; NaN for a type nobody knows."""
    places = [types.index.get(resource.instance_type) for resource in resources]
    own = [(np.nan if p is None else types.vcpus[p]) for p in places]
    memory = [(np.nan if p is None else types.memory_mib[p]) for p in places]
    return {
        CPU: np.array([r.vcpus or v for r, v in zip(resources, own, strict=True)], np.float32),
        MEMORY: np.array(
            [r.memory_mib or m for r, m in zip(resources, memory, strict=True)], np.float32
        ),
    }


def _absolute(chosen: Chosen, dimension: Dimension, capacity: Matrix | None) -> Matrix:
    series = combine(chosen.parts(dimension), dimension.combine)
    if dimension.percentage and capacity is not None:
        return (series * (capacity[:, None] / np.float32(100))).astype(np.float32)
    return (series / np.float32(SLOT_SECONDS)).astype(np.float32)


def dimensions_of(shards: Iterable[Container[str]]) -> tuple[str, ...]:
    """Return the dimensions that any shard has; raise InvalidInput where none has the CPU."""
    known = list(shards)
    names = tuple(name for name in ENGINE_DIMENSIONS if any(name in one for one in known))
    if CPU not in names:
        raise InvalidInput("the metric store has no CPUUtilization, and a backtest needs it")
    return names


def joined_fleet(parts: Sequence[ShardTraces], window: Window, names: Sequence[str]) -> TraceFleet:
    """Return shards as one fleet of some dimensions; one that a shard lacks is NaN there."""

    def rows(part: ShardTraces, name: str) -> Matrix:
        empty = np.full(part.saturated.shape, np.nan, np.float32)
        return part.demand.get(name, empty)

    averaged = any(part.averaged for part in parts)
    return TraceFleet(
        name=STORE,
        ids=tuple(name for part in parts for name in part.ids),
        first=window.first,
        statistic=Statistic.AVERAGE if averaged else Statistic.MAXIMUM,
        demand={name: np.concatenate([rows(part, name) for part in parts]) for name in names},
        provisioned={
            name: np.concatenate([part.provisioned[name] for part in parts])
            for name in (CPU, MEMORY)
        },
        saturated=np.concatenate([part.saturated for part in parts]),
    )
