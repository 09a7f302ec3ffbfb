"""When EC2 instances are idle."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import nan

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.idle import (
    IDLE_NETWORK_MEGABYTES,
    IDLE_PEAK_CPU,
    MEGABYTE,
    IdleLimit,
    Measure,
)
from compute_optimizer.model.metrics import Matrix, MetricKey, ShardSamples
from compute_optimizer.model.recommendation import HOURS_PER_MONTH, Finding
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.ec2.dimensions import GPU_ENCODER, GPU_MEMORY, GPU_USE
from compute_optimizer.resources.idleness import Concerned, IdleRule, Prepared, Shown

IDLE_GPU_ACTIVE = 1.0
"""Percent of the samples in which a GPU does anything: fewer than that (spec 5.1, published)."""

IDLE_ENCODER_ACTIVE = 1.0
"""Percent of the samples in which its encoder does: as many at most (spec 5.1, published)."""

IDLE_GPU_MEMORY = 5.0
"""Percent of the memory of all GPUs: the peak lies below (spec 5.1, published)."""

GPU_MEMORY_PERCENT = "GpuMemoryPercent"
"""Our name of what GPU_MEMORY says in percent of what the type has."""

GPU_DESCRIPTION = (
    "The GPUs were active in less than {gpu_active_percent:g}% of it, their encoders in at most "
    "{encoder_active_percent:g}%, and less than {gpu_memory_percent:g}% of their memory was used."
)


def limits_on(cpu: str, network_in: str, network_out: str) -> tuple[IdleLimit, ...]:
    """Return the limits of a machine, on the metrics that tell its CPU and its network."""
    return (
        IdleLimit((cpu,), Measure.PEAK, IDLE_PEAK_CPU, name="cpu_percent"),
        IdleLimit(
            (network_in, network_out),
            Measure.DAILY_SUM,
            IDLE_NETWORK_MEGABYTES,
            name="network_megabytes_per_day",
            unit=MEGABYTE,
        ),
    )


def shown_of(cpu: str, network_in: str, network_out: str) -> dict[str, Shown]:
    """Return how the same metrics are reported."""
    return {
        cpu: Shown("CPU"),
        network_out: Shown("NetworkOutBytesPerSecond", per_second=True),
        network_in: Shown("NetworkInBytesPerSecond", per_second=True),
    }


def of_gpus(
    rule: IdleRule, use: str, encoder: str, *, concerned: Concerned, prepared: Prepared
) -> IdleRule:
    """Return the rule for machines with GPUs, by further limits on the metrics of these.

    `prepared` tells GPU_MEMORY_PERCENT.
    """
    limits = (
        IdleLimit((use,), Measure.ACTIVE_SHARE, IDLE_GPU_ACTIVE, name="gpu_active_percent"),
        IdleLimit(
            (encoder,),
            Measure.ACTIVE_SHARE,
            IDLE_ENCODER_ACTIVE,
            inclusive=True,
            name="encoder_active_percent",
        ),
        IdleLimit((GPU_MEMORY_PERCENT,), Measure.PEAK, IDLE_GPU_MEMORY, name="gpu_memory_percent"),
    )
    return replace(
        rule,
        description=f"{rule.description} {GPU_DESCRIPTION}",
        limits=(*rule.limits, *limits),
        concerned=concerned,
        prepared=prepared,
    )


def with_gpu_memory(samples: ShardSamples, metric: str, mebibytes: Sequence[float]) -> ShardSamples:
    """Return the samples, and besides the GPU memory in use in percent, under its own name.

    `metric` holds it in MiB; `mebibytes` (resources,) is what there is of it.
    """
    known: Matrix = np.array(mebibytes, np.float32)[:, None]
    whole: Matrix = np.where(known > 0, known, np.float32(nan))
    percent: dict[MetricKey, Matrix] = {
        MetricKey(GPU_MEMORY_PERCENT, key.statistic): matrix / whole * np.float32(100)
        for key, matrix in samples.series.items()
        if key.metric == metric
    }
    return replace(samples, series={**samples.series, **percent})


METRICS = ("CPUUtilization", "NetworkIn", "NetworkOut")
LIMITS = limits_on(*METRICS)


def _concerned(instances: Sequence[Resource], types: InstanceTypes, _since: datetime) -> Booleans:
    """Return those of known types without accelerators: of GPUs no use is known."""
    places = [types.index.get(one.instance_type) for one in instances]
    found = [place is not None and not types.accelerated[place] for place in places]
    return np.array(found, dtype=np.bool_)


def _with_gpus(instances: Sequence[Resource], types: InstanceTypes, _since: datetime) -> Booleans:
    """Return those of types with GPUs."""
    places = [types.index.get(one.instance_type) for one in instances]
    return np.array([has_gpus(types, place) for place in places], dtype=np.bool_)


def has_gpus(types: InstanceTypes, place: int | None) -> bool:
    """Return whether a type has GPUs, of whose use something may be known."""
    return place is not None and bool(types.gpu_count[place])


def _prepared(
    instances: Sequence[Resource], samples: ShardSamples, types: InstanceTypes
) -> ShardSamples:
    places = [types.index.get(one.instance_type) for one in instances]
    memory = [nan if place is None else types.gpu_memory_mib[place] for place in places]
    return with_gpu_memory(samples, GPU_MEMORY, memory)


def _monthly_usd(
    instances: Sequence[Resource], _samples: ShardSamples, types: InstanceTypes, _as_of: datetime
) -> Floats:
    markets = {(one.region, one.platform) for one in instances}
    prices = {market: hourly_prices(types, *market) for market in markets}
    hourly = [prices[one.region, one.platform][types.index[one.instance_type]] for one in instances]
    return np.array(hourly) * HOURS_PER_MONTH


MACHINE = IdleRule(
    idle_type="EC2Instance",
    finding=Finding.IDLE,
    description=(
        "The peak CPU utilization was below {cpu_percent:g}% and the network I/O was less than "
        "{network_megabytes_per_day:g} MB/day over the {days}-day lookback period."
    ),
    limits=LIMITS,
    shown=shown_of(*METRICS),
    monthly_usd=_monthly_usd,
    concerned=_concerned,
)

RULES = (
    MACHINE,
    of_gpus(MACHINE, GPU_USE, GPU_ENCODER, concerned=_with_gpus, prepared=_prepared),
)
"""Of machines without accelerators, and of those with GPUs."""
