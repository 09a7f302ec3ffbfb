"""The fleets that a simulation asks: the metric store, or a trace file with stand-in instances."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.backtest.fleet import CPU, DISK, MEMORY, NETWORK, TraceFleet
from compute_optimizer.backtest.options import (
    PLATFORM,
    REGION,
    cheapest_that_carries,
    ec2_options,
)
from compute_optimizer.catalog import InstanceTypes, load_instance_types
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.engine.usage import CPU_METRIC, MEMORY_METRIC
from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.analyze import check_moment
from compute_optimizer.jobs.readings import forget_after
from compute_optimizer.model.effective_preferences import LONGEST_LOOK_BACK
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
    look_back,
)
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.resources.ec2.dimensions import METRICS
from compute_optimizer.sources.traces import read_trace
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import analyzed_as_of
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.inventory import arns_of, resources_of, shards
from compute_optimizer.store.tiles import TileStore, read_samples, tile_paths

TRACE_ACCOUNT = "000000000000"
"""Stands in for the owner of a trace's machines."""

COUNTERS = {DISK: "VolumeReadBytes", NETWORK: "NetworkIn"}
"""The counter that carries a trace's bytes per second: its two directions are one figure."""


UNKEPT = ShardKey(TRACE_ACCOUNT, REGION, EC2_INSTANCE, 0)
"""Stands for the key of what no inventory has."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Resources, and how to read their samples; can be sent to another process."""

    resources: tuple[Resource, ...]
    read: Callable[[Window], ShardSamples]
    """The samples of a window, of which nothing from `as_of` on is known."""
    key: ShardKey = UNKEPT


@dataclass(frozen=True, slots=True)
class FleetPart:
    """A part of the imported fleet that is small enough to be simulated while somebody waits."""

    account_id: str
    region: str
    most: int
    """Instances; of more, every n-th in the order of ARNs stands for them."""


@dataclass(frozen=True, slots=True)
class SimulatedFleet:
    """What a simulation asks."""

    name: str
    as_of: datetime
    days: Window
    """From the oldest day with samples, 93 days back at most, to the newest one before `as_of`."""
    shards: tuple[Shard, ...]
    instances: int = 0
    """Of the fleet, where a part was asked for; the shards may have fewer."""


def imported_fleet(
    state: State,
    tiles: TileStore,
    clock: Clock,
    as_of: datetime | None = None,
    part: FleetPart | None = None,
) -> SimulatedFleet:
    """Return the instances of all opted-in accounts, or a part of them, as of a moment.

    By default that of the newest analysis, or the end of the newest day with samples. Raises
    Conflict where nobody opted in; InvalidInput for a moment in the future or without samples.
    """
    with state.reading() as connection:
        keys = [key for key in _instances_of_opted_in(connection) if _is_in(key, part)]
        days = _days_with_samples(connection, keys)
        moment = as_of or analyzed_as_of(connection, keys) or _end_of(max(days), clock)
        check_moment(moment, clock)
        last = look_back(moment, 1).last
        if min(days) > last:
            raise InvalidInput(
                f"no sample is older than {moment:%Y-%m-%d}; expected a later --as-of"
            )
        by_key = {key: tuple(resources_of(connection, key)) for key in keys}
    instances = sum(map(len, by_key.values()))
    step = 1 if part is None else max(1, -(-instances // part.most))
    found = tuple(
        Shard(
            resources[::step],
            _StoredSamples(
                state.url, tiles, key, tuple(one.arn for one in resources), step, moment
            ),
            key,
        )
        for key, resources in by_key.items()
    )
    newest = max(day for day in days if day <= last)
    first = max(min(days), newest - timedelta(days=LONGEST_LOOK_BACK - 1))
    return SimulatedFleet("the metric store", moment, Window(first, newest), found, instances)


def _is_in(key: ShardKey, part: FleetPart | None) -> bool:
    return part is None or (key.account_id, key.region) == (part.account_id, part.region)


def _instances_of_opted_in(connection: Connection) -> list[ShardKey]:
    accounts = opted_in_accounts(connection)
    if not accounts:
        raise Conflict(
            "no account is opted in, so there is no fleet to simulate; opt in with "
            "`compute-optimizer accounts enroll ACCOUNT`, or give --trace FILE"
        )
    return [key for key in shards(connection, accounts) if key.resource_type == EC2_INSTANCE]


def _days_with_samples(connection: Connection, keys: Sequence[ShardKey]) -> set[date]:
    wanted = set(keys)
    days = {day for key, day in tile_paths(connection) if key in wanted}
    if not days:
        raise InvalidInput(
            "the metric store has no samples of instances; bring some in with "
            "`compute-optimizer import --metrics FILE`, or give --trace FILE"
        )
    return days


def _end_of(day: date, clock: Clock) -> datetime:
    return min(datetime.combine(day, time(), UTC) + timedelta(days=1), clock.now())


@dataclass(frozen=True, slots=True)
class _StoredSamples:
    """Reads the samples of a stored shard in any process."""

    state_url: str = field(repr=False)
    """Holds a password, which no message and no log may."""
    tiles: TileStore
    key: ShardKey
    arns: tuple[str, ...]
    """Of all resources, as the inventory had them."""
    step: int
    """Every n-th of them is read."""
    as_of: datetime

    def __call__(self, window: Window) -> ShardSamples:
        """Return the samples; raise Conflict where the inventory has changed."""
        with closing(State(self.state_url)) as state, state.reading() as connection:
            known = tuple(arns_of(connection, self.key))
            wanted = self.arns[:: self.step]
            samples = read_samples(connection, self.tiles, self.key, window, METRICS, wanted)
        if known != self.arns:
            raise Conflict(
                "the inventory changed while it was being simulated; simulate again when the "
                "import has ended"
            )
        forget_after(samples, self.as_of)
        return samples


def traced_fleet(path: Path, statistic: Statistic | None = None) -> SimulatedFleet:
    """Return the machines of a trace file as of its end; raises InvalidInput as `read_trace`.

    Each stands on the cheapest type that carries its largest capacity, and keeps that capacity.
    """
    trace = read_trace(path, statistic)
    types = load_instance_types()
    provisioned = {
        name: np.fmax.reduce(capacity, axis=1).astype(np.float64)
        for name, capacity in trace.provisioned.items()
    }
    known = np.flatnonzero(np.logical_and.reduce([np.isfinite(c) for c in provisioned.values()]))
    capacity = {name: figures[known] for name, figures in provisioned.items()}
    resources = _stand_ins([trace.ids[row] for row in known], capacity, types)
    days = Window(trace.first, trace.day(trace.days - 1))
    series = {key: matrix[known] for key, matrix in _as_metrics(trace, provisioned).items()}
    samples = ShardSamples(tuple(one.arn for one in resources), days, series)
    moment = datetime.combine(days.last, time(), UTC) + timedelta(days=1)
    return SimulatedFleet(trace.name, moment, days, (Shard(resources, partial(within, samples)),))


def _stand_ins(
    ids: Sequence[str], capacity: dict[str, Floats], types: InstanceTypes
) -> tuple[Resource, ...]:
    options = ec2_options(types, tuple(capacity))
    chosen = cheapest_that_carries(options, np.stack(list(capacity.values()), axis=1))
    memory = capacity.get(MEMORY, np.full(len(ids), np.nan))
    rows = zip(ids, chosen.tolist(), capacity[CPU].tolist(), memory.tolist(), strict=True)
    return tuple(
        Resource(
            arn=f"arn:aws:ec2:{REGION}:{TRACE_ACCOUNT}:instance/{name}",
            account_id=TRACE_ACCOUNT,
            region=REGION,
            resource_type=EC2_INSTANCE,
            resource_id=name,
            instance_type=options.names[option],
            name=name,
            platform=PLATFORM,
            vcpus=vcpus,
            memory_mib=None if np.isnan(mib) else mib,
        )
        for name, option, vcpus, mib in rows
    )


def _as_metrics(trace: TraceFleet, provisioned: dict[str, Floats]) -> dict[MetricKey, Matrix]:
    """Return a trace's absolute demand as the metrics of an instance."""
    percentages = {CPU: CPU_METRIC, MEMORY: MEMORY_METRIC}
    found: dict[MetricKey, Matrix] = {}
    for name, demand in trace.demand.items():
        if name in percentages:
            share = demand / provisioned[name][:, None] * 100
            found[MetricKey(percentages[name], trace.statistic)] = share.astype(np.float32)
        else:
            found[MetricKey(COUNTERS[name], Statistic.SUM)] = demand * np.float32(SLOT_SECONDS)
    return found


def within(samples: ShardSamples, window: Window) -> ShardSamples:
    """Return the samples of a window; days that they do not have are NaN."""
    begin = (window.first - samples.window.first).days
    end = begin + window.days
    kept = slice(max(begin, 0) * SLOTS_PER_DAY, max(end, 0) * SLOTS_PER_DAY)
    before = min(max(-begin, 0), window.days) * SLOTS_PER_DAY
    series = {}
    for key, matrix in samples.series.items():
        known = matrix[:, kept]
        after = window.days * SLOTS_PER_DAY - before - known.shape[1]
        series[key] = np.pad(known, ((0, 0), (before, after)), constant_values=np.nan)
    return ShardSamples(samples.resource_arns, window, series)
