"""Fleets and samples made by hand, for tests of the engine and of the resource types."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import ArrayLike

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES, Preferences
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.resources.ec2_instance import ShardResult, recommend

AS_OF = datetime(2026, 1, 15, tzinfo=UTC)
ACCOUNT = "111111111111"
REGION = "us-east-1"

CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
CPU_AVERAGE = MetricKey("CPUUtilization", Statistic.AVERAGE)
MEMORY = MetricKey("mem_used_percent", Statistic.MAXIMUM)


def counter(metric: str) -> MetricKey:
    return MetricKey(metric, Statistic.SUM)


def instance(
    number: int,
    instance_type: str,
    *,
    region: str = REGION,
    platform: str = "linux",
    vcpus: float | None = None,
    memory_mib: float | None = None,
) -> Resource:
    resource_id = f"i-{number:017x}"
    return Resource(
        arn=f"arn:aws:ec2:{region}:{ACCOUNT}:instance/{resource_id}",
        account_id=ACCOUNT,
        region=region,
        resource_type=EC2_INSTANCE,
        resource_id=resource_id,
        instance_type=instance_type,
        name=f"web-{number}",
        platform=platform,
        vcpus=vcpus,
        memory_mib=memory_mib,
    )


def shard(
    resources: Sequence[Resource], series: Mapping[MetricKey, ArrayLike], days: int = 14
) -> ShardSamples:
    """Return samples over `days`; each series broadcasts to (resources, slots)."""
    slots = days * SLOTS_PER_DAY
    last = date(2026, 1, 14)
    return ShardSamples(
        tuple(resource.arn for resource in resources),
        Window(last - timedelta(days=days - 1), last),
        {
            key: np.array(np.broadcast_to(values, (len(resources), slots)), np.float32)
            for key, values in series.items()
        },
    )


def analyzed(
    resources: Sequence[Resource],
    series: Mapping[MetricKey, ArrayLike],
    preferences: Preferences = DEFAULT_PREFERENCES,
) -> ShardResult:
    return recommend(
        resources,
        shard(resources, series),
        load_instance_types(),
        as_of=AS_OF,
        preferences=preferences,
    )


def recommended(
    resource: Resource,
    series: Mapping[MetricKey, ArrayLike],
    preferences: Preferences = DEFAULT_PREFERENCES,
) -> Ec2InstanceRecommendation:
    """Return the recommendation for one instance."""
    (found,) = analyzed([resource], series, preferences).recommendations
    return found


def option_types(found: Ec2InstanceRecommendation, pool: str = "CURRENT") -> list[str]:
    return [o.instance_type for o in found.options if o.architecture_pool == pool]


def option_families(found: Ec2InstanceRecommendation, pool: str = "CURRENT") -> set[str]:
    return {name.partition(".")[0] for name in option_types(found, pool)}
