"""When EC2 instances are idle."""

from collections.abc import Sequence
from datetime import datetime

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
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.recommendation import HOURS_PER_MONTH, Finding
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.idleness import IdleRule, Shown


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


LIMITS = limits_on("CPUUtilization", "NetworkIn", "NetworkOut")


def _concerned(instances: Sequence[Resource], types: InstanceTypes, _since: datetime) -> Booleans:
    """Return those of known types without accelerators: of GPUs no use is known."""
    places = [types.index.get(one.instance_type) for one in instances]
    found = [place is not None and not types.accelerated[place] for place in places]
    return np.array(found, dtype=np.bool_)


def _monthly_usd(
    instances: Sequence[Resource], _samples: ShardSamples, types: InstanceTypes, _as_of: datetime
) -> Floats:
    markets = {(one.region, one.platform) for one in instances}
    prices = {market: hourly_prices(types, *market) for market in markets}
    hourly = [prices[one.region, one.platform][types.index[one.instance_type]] for one in instances]
    return np.array(hourly) * HOURS_PER_MONTH


RULES = (
    IdleRule(
        idle_type="EC2Instance",
        finding=Finding.IDLE,
        description=(
            "The peak CPU utilization was below {cpu_percent:g}% and the network I/O was less than "
            "{network_megabytes_per_day:g} MB/day over the {days}-day lookback period."
        ),
        limits=LIMITS,
        shown={
            "CPUUtilization": Shown("CPU"),
            "NetworkOut": Shown("NetworkOutBytesPerSecond", per_second=True),
            "NetworkIn": Shown("NetworkInBytesPerSecond", per_second=True),
        },
        monthly_usd=_monthly_usd,
        concerned=_concerned,
    ),
)
