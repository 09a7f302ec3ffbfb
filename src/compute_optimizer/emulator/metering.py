"""What resources have sent, by the loads that a test states: one function for each type.

The highest sample of the stated metric is the stated one. What goes with it (network, disk, other
statistics) follows it in round proportions, and is next to nothing where the load is idle.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.volume_types import load_volume_types, performance_of
from compute_optimizer.emulator import state
from compute_optimizer.emulator.loads import Period, Stated, is_idle, percent_of
from compute_optimizer.model.metrics import SLOT_SECONDS, Matrix, MetricKey, Statistic
from compute_optimizer.model.units import BYTES_PER_GBIT, BYTES_PER_GIB
from compute_optimizer.resources import idle_only, nat_gateway
from compute_optimizer.resources.functions.failures import ERRORS, THROTTLES
from compute_optimizer.resources.functions.use import INVOCATIONS
from compute_optimizer.scenario.databases import OPERATION_BYTES
from compute_optimizer.scenario.idle_resources import BUSY, QUIET
from compute_optimizer.scenario.licenses import FEATURES
from compute_optimizer.scenario.samples import (
    BYTES_PER_OPERATION,
    CPU_AVERAGE,
    CPU_MAXIMUM,
    FALLBACK_GBPS,
    FALLBACK_IOPS,
    MEMORY,
    NETWORK_SHARE,
    VOLUME_SHARE,
)
from compute_optimizer.scenario.volumes import READ_SHARE

DAYS = 14.0
"""How long a resource has sent metrics where nobody says: the default look-back period."""

DAYS_OF: Mapping[type, float] = {state.NatGateway: float(nat_gateway.UNUSED_DAYS)}
"""The same of types whose rule looks further back."""

QUIET_BYTES = 1_000.0
"""In five minutes, of an idle instance: 0.3 MB a day, and 5 MB are the limit (docs/idle.md)."""

USED_CONNECTIONS = 5.0
"""At once, of a NAT gateway that is used."""

Series = dict[MetricKey, Matrix]


def days_of(record: state.Fleet) -> float:
    """Return how long the resources of a record have sent metrics."""
    if record.days is not None:
        return record.days
    if isinstance(record, state.IdleResource):
        workspaces = record.resource_type == "WorkSpaces"
        return float(idle_only.WORKSPACES_DAYS if workspaces else idle_only.DAYS)
    return DAYS_OF.get(type(record), DAYS)


def series_of(record: state.Fleet, period: Period) -> Series:
    """Return what the resources of a record sent, (count, slots) each; NaN for nothing.

    The same for the same record, period and account. Raises InvalidInput for a load that is none.
    """
    if period.first == period.end:
        return {}
    return _SERIES[type(record)](record, period)


def _percent(record: state.Fleet, stated: Stated, period: Period, of: str = "load") -> Matrix:
    place = f"{type(record).__name__} {record.name} {of}"
    return percent_of(stated, period, record.count, crc32(place.encode()))


def _always(record: state.Fleet, period: Period, value: float) -> Matrix:
    found = np.full((record.count, period.slots), np.nan, np.float32)
    found[:, period.first : period.end] = value
    return found


def _machines(record: state.Instance | state.AutoScalingGroup, period: Period) -> Series:
    """Return what one machine of each row sends."""
    load = _percent(record, record.load, period)
    series = {CPU_AVERAGE: load, CPU_MAXIMUM: load}
    if record.memory is not None:
        series[MEMORY] = _percent(record, record.memory, period, "memory")
    types = load_instance_types()
    place = types.index[record.instance_type]
    gbps = float(np.nan_to_num(types.network_baseline_gbps[place], nan=FALLBACK_GBPS))
    most = gbps * BYTES_PER_GBIT * SLOT_SECONDS * NETWORK_SHARE
    sent: Matrix = load * np.float32(most / 100)
    if is_idle(record.load):
        sent = _always(record, period, QUIET_BYTES)
    return series | {MetricKey(name, Statistic.SUM): sent for name in ("NetworkIn", "NetworkOut")}


def _instances(record: state.Instance, period: Period) -> Series:
    if record.state != "running":
        return {}
    types = load_instance_types()
    baseline = types.ebs_baseline_iops[types.index[record.instance_type]]
    series = _machines(record, period)
    iops = float(np.nan_to_num(baseline, nan=FALLBACK_IOPS)) * VOLUME_SHARE
    series |= _operations(series[CPU_AVERAGE], 0.0 if is_idle(record.load) else iops)
    if record.enterprise_features is not None:
        series[FEATURES] = _always(record, period, float(record.enterprise_features))
    return series


def _operations(percent: Matrix, iops: float) -> Series:
    """Return reads and writes of a volume, or of a machine's volumes, that can do so many."""
    series: Series = {}
    for direction, share in (("Read", READ_SHARE), ("Write", 1 - READ_SHARE)):
        counted: Matrix = np.floor(percent * np.float32(iops * share * SLOT_SECONDS / 100))
        series[MetricKey(f"Volume{direction}Ops", Statistic.SUM)] = counted
        series[MetricKey(f"Volume{direction}Bytes", Statistic.SUM)] = counted * BYTES_PER_OPERATION
    return series


def _groups(record: state.AutoScalingGroup, period: Period) -> Series:
    series = _machines(record, period)
    size = np.float32(max(record.desired_capacity, 1))
    # The counters of a group are those of all its instances.
    return {
        key: matrix * size if key.statistic is Statistic.SUM else matrix
        for key, matrix in series.items()
    }


def _volumes(record: state.Volume, period: Period) -> Series:
    if not record.attached:
        return {}
    types = load_volume_types()
    kind = types.types[types.index[record.volume_type]]
    figures = (record.size_gib, record.iops, record.throughput_mibps)
    gib, iops, flow = (np.array([np.nan if one is None else float(one)]) for one in figures)
    steady = float(performance_of(kind, gib, iops, flow).iops[0])
    load = _percent(record, record.load, period)
    return _operations(load, 0.0 if is_idle(record.load) else steady)


def _functions(record: state.Function, period: Period) -> Series:
    load = _percent(record, record.load, period)
    invocations = np.floor(load / 100 * np.float32(record.invocations))
    ran = np.where(invocations > 0, np.float32(1), np.float32(np.nan))
    duration = ran * np.float32(record.duration_ms)
    away = record.throttles / (100 - record.throttles)
    series = {
        INVOCATIONS: invocations,
        ERRORS: np.round(invocations * np.float32(record.errors / 100)),
        THROTTLES: np.round(invocations * np.float32(away)),
        MetricKey("Duration", Statistic.AVERAGE): duration,
        MetricKey("Duration", Statistic.MAXIMUM): duration,
    }
    if record.memory is not None:
        used = _percent(record, record.memory, period, "memory") / 100
        key = MetricKey("used_memory_max", Statistic.MAXIMUM)
        series[key] = ran * used * np.float32(record.memory_size)
    return series


def _services(record: state.Service, period: Period) -> Series:
    load = _percent(record, record.load, period)
    memory = _percent(record, record.memory, period, "memory")
    return {CPU_AVERAGE: load, CPU_MAXIMUM: load, MEMORY: memory}


def _databases(record: state.Database, period: Period) -> Series:
    load, peak = _percent(record, record.load, period), Statistic.MAXIMUM
    share = _of_highest(load, record.load)
    operations = share * np.float32(record.operations / 2)
    series = {
        MetricKey("CPUUtilization", peak): load,
        MetricKey("DatabaseConnections", peak): np.floor(share * np.float32(record.connections)),
    }
    for direction in ("Read", "Write"):
        series[MetricKey(f"{direction}IOPS", peak)] = operations
        series[MetricKey(f"{direction}Throughput", peak)] = operations * OPERATION_BYTES
    if record.cluster is None:
        free = record.allocated_gib * BYTES_PER_GIB * record.free_storage / 100
        series[MetricKey("FreeStorageSpace", Statistic.AVERAGE)] = _always(record, period, free)
    if record.memory is not None:
        series[MEMORY] = _percent(record, record.memory, period, "memory")
    return series


def _of_highest(load: Matrix, stated: Stated) -> Matrix:
    """Return a load as shares of its highest sample; nothing where it is idle."""
    highest = np.nanmax(load, axis=1, keepdims=True)
    busy = np.float32(not is_idle(stated))
    return np.asarray(load / np.where(highest > 0, highest, np.float32(1)) * busy, np.float32)


def _clusters(record: state.AuroraCluster, period: Period) -> Series:
    load = _percent(record, record.load, period)
    slot = np.floor(load * np.float32(record.operations * SLOT_SECONDS / 100 / 2))
    used = record.used_gib * BYTES_PER_GIB
    return {
        MetricKey("VolumeReadIOPs", Statistic.SUM): slot,
        MetricKey("VolumeWriteIOPs", Statistic.SUM): slot,
        MetricKey("VolumeBytesUsed", Statistic.AVERAGE): _always(record, period, used),
    }


def _gateways(record: state.NatGateway, period: Period) -> Series:
    level = USED_CONNECTIONS if record.used else 0.0
    return {key: _always(record, period, level) for key in nat_gateway.METRICS}


def _idle(record: state.IdleResource, period: Period) -> Series:
    keys: Sequence[MetricKey] = idle_only.metrics_of(record.resource_type)
    more = BUSY if record.used else 0.0
    return {key: _always(record, period, QUIET.get(key.metric, 0.0) + more) for key in keys}


_SERIES: Mapping[type, Callable[[Any, Period], Series]] = {
    state.Instance: _instances,
    state.AutoScalingGroup: _groups,
    state.Volume: _volumes,
    state.Function: _functions,
    state.Service: _services,
    state.Database: _databases,
    state.AuroraCluster: _clusters,
    state.NatGateway: _gateways,
    state.IdleResource: _idle,
}
"""What is sent, by the record that says how much."""
