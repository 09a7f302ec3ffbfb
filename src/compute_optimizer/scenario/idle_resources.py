"""What idles beside a generated fleet, of each kind that the fleet has none of, and a busy twin.

Names, sizes and costs are round figures of no real fleet; what they send hardly matters but for
being below, or above, the limits of docs/idle.md.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

from compute_optimizer.model.auto_scaling_group import AutoScalingGroup
from compute_optimizer.model.database import Database
from compute_optimizer.model.ecs_service import FARGATE, STEADY_STATE, EcsService
from compute_optimizer.model.idle_only import (
    ALWAYS_ON,
    INSTANCES,
    NODES,
    PROVISIONED,
    REAL_TIME,
    SERVERLESS,
    WORKING,
    IdleOnly,
)
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.nat_gateway import AVAILABLE, NatGateway
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    DOCUMENTDB_CLUSTER,
    DYNAMODB_TABLE,
    ECS_SERVICE,
    ELASTICACHE_CLUSTER,
    MEMORYDB_CLUSTER,
    NAT_GATEWAY,
    RDS_DB_INSTANCE,
    SAGEMAKER_ENDPOINT,
    WORKSPACES,
    Resource,
)
from compute_optimizer.resources import idle_only, nat_gateway
from compute_optimizer.scenario.fleet import ACCOUNT_IDS

REGION = "us-east-1"
"""Where all of them are: NAT gateways have a price there."""

WINDOWS = (idle_only.DAYS, nat_gateway.UNUSED_DAYS, idle_only.WORKSPACES_DAYS)
"""Days of samples that the rules look at."""

QUIET: Mapping[str, float] = {"CPUUtilization": 0.5, "EngineCPUUtilization": 0.5}
"""Percent while nothing happens; of other metrics 0."""

BUSY = 5.0
"""What a busy twin sends besides: at or above the limit of every metric that can tell."""


@dataclass(frozen=True, slots=True)
class Make:
    """One kind of what idles."""

    arn: str
    """After the partition, of Region, account and name."""
    resource: type[Resource]
    resource_type: str
    instance_type: str
    name: str
    metrics: tuple[MetricKey, ...]
    days: int = idle_only.DAYS
    others: Mapping[str, Any] = field(default_factory=dict)
    """Further members of the resource."""


_CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
_NETWORK = tuple(MetricKey(name, Statistic.SUM) for name in ("NetworkIn", "NetworkOut"))
_DATABASE = tuple(
    MetricKey(name, Statistic.MAXIMUM) for name in ("DatabaseConnections", "ReadIOPS", "WriteIOPS")
)
_MEMORY = MetricKey("mem_used_percent", Statistic.MAXIMUM)


def _newer(
    resource_type: str, mode: str, arn: str, name: str, usd: float | None, **others: Any
) -> Make:
    days = idle_only.WORKSPACES_DAYS if resource_type == WORKSPACES else idle_only.DAYS
    state = WORKING.get(resource_type, "available")
    return Make(
        arn,
        IdleOnly,
        resource_type,
        mode,
        name,
        idle_only.metrics_of(resource_type),
        days,
        {"state": state, "monthly_usd": usd, **others},
    )


MAKES = (
    Make(
        "autoscaling:{}:{}:autoScalingGroup:0de4c0de-0000-4000-8000-000000000000"
        ":autoScalingGroupName/{}",
        AutoScalingGroup,
        AUTO_SCALING_GROUP,
        "m5.large",
        "campaign",
        (_CPU, *_NETWORK),
        others={"min_size": 3, "desired_capacity": 3, "max_size": 3},
    ),
    Make(
        "ecs:{}:{}:service/{}",
        EcsService,
        ECS_SERVICE,
        FARGATE,
        "prod/webhooks",
        (_CPU, _MEMORY),
        others={"state": STEADY_STATE, "cpu_units": 512, "task_memory": 1024, "desired_count": 2},
    ),
    Make(
        "rds:{}:{}:db:{}",
        Database,
        RDS_DB_INSTANCE,
        "db.r5.large",
        "intranet",
        (_CPU, *_DATABASE),
        others={
            "state": "available",
            "engine": "mysql",
            "engine_version": "8.4.3",
            "storage_type": "gp3",
            "allocated_gib": 100,
        },
    ),
    Make(
        "ec2:{}:{}:natgateway/{}",
        NatGateway,
        NAT_GATEWAY,
        "public",
        "nat-0de4c0de",
        nat_gateway.METRICS,
        days=nat_gateway.UNUSED_DAYS,
        others={"state": AVAILABLE, "in_route_table": False},
    ),
    _newer(
        DYNAMODB_TABLE,
        PROVISIONED,
        "dynamodb:{}:{}:table/{}",
        "sessions-2023",
        58.5,
        indexes=("by-date",),
    ),
    _newer(
        ELASTICACHE_CLUSTER,
        NODES,
        "elasticache:{}:{}:replicationgroup:{}",
        "carts",
        116.8,
        engine="redis",
    ),
    _newer(
        ELASTICACHE_CLUSTER,
        SERVERLESS,
        "elasticache:{}:{}:serverlesscache:{}",
        "fragments",
        90.0,
        engine="valkey",
    ),
    _newer(MEMORYDB_CLUSTER, NODES, "memorydb:{}:{}:cluster/{}", "scores", 226.3),
    # Nobody stated what the next costs: its savings are unknown.
    _newer(DOCUMENTDB_CLUSTER, INSTANCES, "rds:{}:{}:cluster:{}", "articles", None),
    _newer(WORKSPACES, ALWAYS_ON, "workspaces:{}:{}:workspace/{}", "ws-0de4c0de", 35.0),
    _newer(SAGEMAKER_ENDPOINT, REAL_TIME, "sagemaker:{}:{}:endpoint/{}", "churn", 83.95),
)


@dataclass(frozen=True, slots=True)
class Idler:
    """One resource that idles, or its busy twin."""

    resource: Resource
    make: Make
    busy: bool


def generate_idle_resources() -> tuple[Idler, ...]:
    """Return two of every make that idle and one that does not, each in another account."""
    return tuple(
        _idler(make, account, f"{make.name}-{number}", busy=number == len(ACCOUNT_IDS))
        for make in MAKES
        for number, account in enumerate(ACCOUNT_IDS, 1)
    )


def _idler(make: Make, account: str, name: str, *, busy: bool) -> Idler:
    of_type: Callable[..., Resource] = make.resource
    resource = of_type(
        arn="arn:aws:" + make.arn.format(REGION, account, name),
        account_id=account,
        region=REGION,
        resource_type=make.resource_type,
        resource_id=name,
        instance_type=make.instance_type,
        name=name.rpartition("/")[2],
        tags={"Environment": "prod"},
        **make.others,
    )
    return Idler(resource, make, busy)


def generate_idle_samples(idlers: Sequence[Idler], window: Window) -> Iterator[ShardSamples]:
    """Yield what they sent until the last day of a window, one batch for each of WINDOWS."""
    for days in WINDOWS:
        some = [one for one in idlers if one.make.days == days]
        whole = Window(window.last - timedelta(days=days - 1), window.last)
        keys = sorted({key for one in some for key in one.make.metrics})
        arns = tuple(one.resource.arn for one in some)
        yield ShardSamples(arns, whole, {key: _series(some, key, days) for key in keys})


def _series(idlers: Sequence[Idler], key: MetricKey, days: int) -> Matrix:
    levels = [
        QUIET.get(key.metric, 0.0) + (BUSY if one.busy else 0.0)
        if key in one.make.metrics
        else np.nan
        for one in idlers
    ]
    column = np.asarray(levels, dtype=np.float32)[:, None]
    return np.repeat(column, days * SLOTS_PER_DAY, axis=1)
