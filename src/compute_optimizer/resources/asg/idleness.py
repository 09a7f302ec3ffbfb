"""When Auto Scaling groups are idle: when every one of their instances is."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import nan

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.usage import (
    AVERAGE_CPU,
    CPU_METRIC,
    MINIMUM_SAMPLES,
    count_samples,
)
from compute_optimizer.model.auto_scaling_group import AutoScalingGroup
from compute_optimizer.model.metrics import Matrix, MetricKey, ShardSamples, Statistic
from compute_optimizer.model.recommendation import HOURS_PER_MONTH, Finding
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.asg.analysis import MAXIMUM_CPU, cheapest_type
from compute_optimizer.resources.asg.machines import per_machine
from compute_optimizer.resources.asg.support import types_of
from compute_optimizer.resources.ec2.dimensions import GPU_ENCODER, GPU_MEMORY, GPU_USE
from compute_optimizer.resources.ec2.idleness import (
    has_gpus,
    limits_on,
    of_gpus,
    shown_of,
    with_gpu_memory,
)
from compute_optimizer.resources.idleness import IdleRule

PREFIX = "Busiest"
"""Begins the name of what no instance of a group exceeds."""

BUSIEST: Mapping[MetricKey, MetricKey] = {
    MetricKey(metric, statistic): MetricKey(f"{PREFIX}{metric}", Statistic.MAXIMUM)
    for metric, statistic in (
        (CPU_METRIC, Statistic.MAXIMUM),
        ("NetworkIn", Statistic.SUM),
        ("NetworkOut", Statistic.SUM),
        (GPU_USE, Statistic.MAXIMUM),
        (GPU_ENCODER, Statistic.MAXIMUM),
        (GPU_MEMORY, Statistic.MAXIMUM),
    )
}
"""What no instance of a group exceeds, under a name of its own, by the series that tells it."""

CPU, NETWORK_IN, NETWORK_OUT, USE, ENCODER, MEMORY = (key.metric for key in BUSIEST.values())


def with_busiest(
    groups: Sequence[AutoScalingGroup],
    own: ShardSamples,
    members: Sequence[Resource] = (),
    of_members: ShardSamples | None = None,
) -> ShardSamples:
    """Return the samples of `per_machine`, and besides what no instance of a group exceeds.

    Counters of a group are those of all its instances, so none has more; in place of a highest CPU
    the mean times the size tells it. Of a group that sends neither, its members tell in each slot
    the highest, if the inventory has as many as the group wants.
    """
    machines = per_machine(groups, own, members, of_members)
    sizes = np.array([max(group.desired_capacity, 1) for group in groups], np.float32)[:, None]
    found = Counter(one.auto_scaling_group_arn for one in members)
    complete = np.array([found[group.arn] >= group.desired_capacity for group in groups])
    busiest = {}
    for key, name in BUSIEST.items():
        told = _at_most(own, machines, key, complete)
        means = _at_most(own, machines, AVERAGE_CPU, complete) if key == MAXIMUM_CPU else None
        if means is not None:
            told = means * sizes if told is None else _either(told, means * sizes)
        if told is not None:
            busiest[name] = told
    return replace(machines, series={**machines.series, **busiest})


def _at_most(
    own: ShardSamples, machines: ShardSamples, key: MetricKey, complete: Booleans
) -> Matrix | None:
    """Return one series, (groups, slots): the groups' own, or that of all of their members."""
    filled = machines.series.get(key)
    if filled is None:
        return None
    sent = own.series.get(key)
    if sent is None:
        sent = np.full(filled.shape, np.nan, np.float32)
    by_members = count_samples(filled) > count_samples(sent)
    told: Matrix = np.where(by_members[:, None], filled, sent)
    told[by_members & ~complete] = np.nan
    return told


def _either(first: Matrix, second: Matrix) -> Matrix:
    short = count_samples(first) < MINIMUM_SAMPLES
    return np.where(short[:, None], second, first)


def _concerned(
    groups: Sequence[AutoScalingGroup], types: InstanceTypes, _since: datetime
) -> Booleans:
    """Return those that want instances, all of known types without accelerators."""
    return _all_of_types(groups, types, lambda place: not types.accelerated[place])


def _with_gpus(
    groups: Sequence[AutoScalingGroup], types: InstanceTypes, _since: datetime
) -> Booleans:
    """Return those that want instances, all of types with GPUs."""
    return _all_of_types(groups, types, lambda place: has_gpus(types, place))


def _all_of_types(
    groups: Sequence[AutoScalingGroup], types: InstanceTypes, fits: Callable[[int], bool]
) -> Booleans:
    found = [
        group.desired_capacity > 0
        and all(name in types.index and fits(types.index[name]) for name in types_of(group))
        for group in groups
    ]
    return np.array(found, dtype=np.bool_)


def _prepared(
    groups: Sequence[AutoScalingGroup], samples: ShardSamples, types: InstanceTypes
) -> ShardSamples:
    """Return the samples with the GPU memory in percent of the type that has the least."""
    memory = [
        min(types.gpu_memory_mib[types.index[name]] if name in types.index else nan for name in of)
        for of in map(types_of, groups)
    ]
    return with_gpu_memory(samples, MEMORY, memory)


def _monthly_usd(
    groups: Sequence[AutoScalingGroup],
    _samples: ShardSamples,
    types: InstanceTypes,
    _as_of: datetime,
) -> Floats:
    """Return the cost of the wanted instances, all of the cheapest type; Spot has no price."""
    return np.array([_hourly_usd(group, types) for group in groups]) * HOURS_PER_MONTH


def _hourly_usd(group: AutoScalingGroup, types: InstanceTypes) -> float:
    if group.spot:
        return nan
    prices = hourly_prices(types, group.region, group.platform)
    return float(prices[types.index[cheapest_type(group, types)]]) * group.desired_capacity


def _saved_share(groups: Sequence[AutoScalingGroup]) -> Floats:
    """Return the share that is saved: all of one instance, else all but one (spec 15, #38)."""
    sizes = np.array([group.desired_capacity for group in groups], np.float64)
    return np.where(sizes <= 1, 1.0, (sizes - 1) / np.maximum(sizes, 1))


GROUP = IdleRule(
    idle_type="AutoScalingGroup",
    finding=Finding.IDLE,
    description=(
        "The peak CPU utilization was below {cpu_percent:g}% and the network I/O was less than "
        "{network_megabytes_per_day:g} MB/day on every instance of the group over the "
        "{days}-day lookback period."
    ),
    limits=limits_on(CPU, NETWORK_IN, NETWORK_OUT),
    shown=shown_of(CPU, NETWORK_IN, NETWORK_OUT),
    monthly_usd=_monthly_usd,
    concerned=_concerned,
    saved_share=_saved_share,
)

RULES = (
    GROUP,
    of_gpus(GROUP, USE, ENCODER, concerned=_with_gpus, prepared=_prepared),
)
"""Of machines without accelerators, and of those with GPUs."""
