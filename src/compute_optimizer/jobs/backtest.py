"""Backtest: replay a trace file, or the fleet of the metric store, and score the advice."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.backtest.ablation import ablation_study
from compute_optimizer.backtest.fleet import CPU, DISK, MEMORY, NETWORK, TraceFleet, saturated
from compute_optimizer.backtest.run import BUDGETS, SEED, Settings, run
from compute_optimizer.backtest.studies import lookback_study, robustness_study
from compute_optimizer.catalog import InstanceTypes, load_instance_types
from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.engine.dimensions import Dimension, combine
from compute_optimizer.engine.usage import Chosen, choose_series
from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.interfaces import Executor
from compute_optimizer.jobs.executors.local import locally
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, Matrix, Statistic, Window
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS, METRICS
from compute_optimizer.sources.traces import read_trace
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

LONGEST_DAYS = 93
"""Days of the metric store that are replayed at most: the longest look-back period there is."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the steps that are done and their number."""


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What is asked for."""

    dimensions: tuple[str, ...] = ()
    """Empty for all that the fleet has."""
    budgets: tuple[float, ...] = BUDGETS
    seed: int = SEED
    origins: tuple[date, ...] = ()
    """First days of the test windows; empty for the fleet's own."""
    processor_speed: bool = False
    """Whether faster processors count as larger."""
    robustness: bool = False
    lookbacks: tuple[int, ...] = ()
    """Days; empty for no ablation."""
    ablation: bool = False
    """Whether to fit the risk on other features too."""


def backtest(
    fleet: TraceFleet,
    request: BacktestRequest,
    fit_on: TraceFleet | None = None,
    progress: Progress = lambda doing, done, total: None,
) -> dict[str, Any]:
    """Return every score of a fleet, ready for JSON; with `fit_on`, knobs come from that fleet.

    Raises InvalidInput for what the fleet cannot give.
    """
    types, settings = load_instance_types(), _settings(fleet, request)

    def telling(doing: str) -> Callable[[int, int], None]:
        return lambda done, total: progress(doing, done, total)

    report = run(fleet, types, settings, fit_on, telling("Scoring policies"))
    if request.robustness:
        report["robustness"] = robustness_study(
            fleet, types, settings, fit_on, telling("Worse data")
        )
    if request.ablation:
        report["ablation"] = ablation_study(fleet, types, settings, fit_on, telling("Features"))
    if request.lookbacks:
        report["lookbacks"] = lookback_study(
            fleet, types, settings, request.lookbacks, telling("Lookbacks")
        )
    return report


def _settings(fleet: TraceFleet, request: BacktestRequest) -> Settings:
    if not request.budgets:
        raise InvalidInput("no budget is given; expected at least one, such as 0.05")
    for budget in request.budgets:
        if not 0 < budget < 1:
            raise InvalidInput(f"the budget {budget:g} is no share; expected 0.01 for 1 %, say")
    return Settings(
        dimensions=request.dimensions or tuple(fleet.demand),
        budgets=request.budgets,
        seed=request.seed,
        processor_speed=request.processor_speed,
        origins=tuple(fleet.day_number(day) for day in request.origins),
    )


def trace_fleet(path: Path, statistic: Statistic | None = None) -> TraceFleet:
    """Return the fleet of a trace file; raises InvalidInput as `read_trace`."""
    return read_trace(path, statistic)


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
    progress: Callable[[int, int], None] = lambda done, total: None,
    whose: Whose = EVERYBODY,
) -> TraceFleet:
    """Return the instances of opted-in accounts with what the metric store knows of them.

    Only the dimensions asked for are read, a shard at a time, each as one view; those that nobody
    sent are left out. This process reads, or an `executor`. Raises Conflict where nobody opted in,
    and InvalidInput where there is no sample.
    """
    wanted = tuple(_wanted(dimensions))
    with state.reading() as connection:
        keys = shards_of_opted_in(connection, EC2_INSTANCE, whose.accounts)
        window = stored_window(connection, keys, "instances")
        sizes = shard_sizes(connection, {key.account_id for key in keys})
    tasks = [_Reading(state.url, tiles, key, window, wanted, whose.every) for key in keys]
    read = executor or locally(workers=1)
    parts = read(_part, tasks, progress, resources=sum(sizes.get(key, 0) for key in keys))
    return _joined([part for part in parts if part.ids], window)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Everything that another process needs to read one shard."""

    state_url: str = field(repr=False)
    """Holds a password, which no message and no log may."""
    tiles: TileStore
    shard: ShardKey
    window: Window
    dimensions: tuple[str, ...]
    every: int
    """Every n-th resource is read."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One shard; every matrix has a row per resource."""

    ids: tuple[str, ...]
    demand: dict[str, Matrix]
    provisioned: dict[str, Matrix]
    saturated: Booleans
    averaged: bool


def _wanted(dimensions: Sequence[str]) -> dict[str, Dimension]:
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
    """Return the days of which the shards have samples, at most the newest LONGEST_DAYS.

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
    first = max(min(days), date.fromordinal(last.toordinal() - LONGEST_DAYS + 1))
    return Window(first, last)


def _part(task: _Reading) -> _Part:
    types, wanted, window = load_instance_types(), _wanted(task.dimensions), task.window
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
    return _Part(
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


def _joined(parts: Sequence[_Part], window: Window) -> TraceFleet:
    """Return all shards as one fleet; a dimension that a shard lacks is NaN there."""
    names = [name for name in ENGINE_DIMENSIONS if any(name in part.demand for part in parts)]
    if CPU not in names:
        raise InvalidInput("the metric store has no CPUUtilization, and a backtest needs it")

    def rows(part: _Part, name: str) -> Matrix:
        empty = np.full(part.saturated.shape, np.nan, np.float32)
        return part.demand.get(name, empty)

    averaged = any(part.averaged for part in parts)
    return TraceFleet(
        name="the metric store",
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
