"""Idle recommendations made by hand, and those of samples made by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import structs

from compute_optimizer.model.idle_only import MODES, WORKING, IdleOnly
from compute_optimizer.model.metrics import SLOTS_PER_DAY, MetricKey
from compute_optimizer.model.nat_gateway import NatGateway
from compute_optimizer.model.recommendation import (
    Finding,
    IdleRecommendation,
    MetricDimension,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import (
    DOCUMENTDB_CLUSTER,
    DYNAMODB_TABLE,
    ELASTICACHE_CLUSTER,
    MEMORYDB_CLUSTER,
    NAT_GATEWAY,
    SAGEMAKER_ENDPOINT,
    WORKSPACES,
    Resource,
)
from compute_optimizer.resources import type_named
from compute_optimizer.resources.idleness import idle_recommendations
from tests.fleets import ACCOUNT, AS_OF, REGION, shard
from tests.records import ACCOUNT as OWNER
from tests.records import NOW
from tests.volumes import volume_arn


def nat_gateway(number: int, **others: Any) -> NatGateway:
    region = others.pop("region", REGION)
    name = f"nat-{number:017x}"
    return NatGateway(
        arn=f"arn:aws:ec2:{region}:{ACCOUNT}:natgateway/{name}",
        account_id=ACCOUNT,
        region=region,
        resource_type=NAT_GATEWAY,
        resource_id=name,
        instance_type="public",
        **{"state": "available", "in_route_table": False, **others},
    )


ARNS = {
    DYNAMODB_TABLE: "dynamodb:{}:{}:table/{}",
    ELASTICACHE_CLUSTER: "elasticache:{}:{}:replicationgroup:{}",
    MEMORYDB_CLUSTER: "memorydb:{}:{}:cluster/{}",
    DOCUMENTDB_CLUSTER: "rds:{}:{}:cluster:{}",
    WORKSPACES: "workspaces:{}:{}:workspace/{}",
    SAGEMAKER_ENDPOINT: "sagemaker:{}:{}:endpoint/{}",
}
"""ARNs after the partition: of Region, account and id."""


def idle_only(resource_type: str, name: str = "orders", **others: Any) -> IdleOnly:
    """Return a resource as its rule looks at it, unless something else is said."""
    return IdleOnly(
        arn="arn:aws:" + ARNS[resource_type].format(REGION, ACCOUNT, name),
        account_id=ACCOUNT,
        region=REGION,
        resource_type=resource_type,
        resource_id=name,
        **{
            "instance_type": MODES[resource_type][0],
            "state": WORKING.get(resource_type, "available"),
            "engine": "redis" if resource_type == ELASTICACHE_CLUSTER else "",
            "indexes": () if resource_type == DYNAMODB_TABLE else None,
            **others,
        },
    )


def idle_of(
    resources: Sequence[Resource], series: Mapping[MetricKey, np.ndarray]
) -> list[IdleRecommendation]:
    """Return what the rules say whose window is as long as the series."""
    kind = type_named(resources[0].resource_type)
    assert kind is not None
    slots = max((np.shape(one)[-1] for one in series.values()), default=32 * SLOTS_PER_DAY)
    samples = shard(resources, series, slots // SLOTS_PER_DAY)
    if kind.from_members is not None:
        samples = kind.from_members(resources, samples)
    rules = [r for r in kind.idle if (r.fixed_days or 14) == samples.window.days]
    assert rules, f"no rule looks at {samples.window.days} days"
    return [
        one
        for rule in rules
        for one in idle_recommendations(rule, resources, samples, kind.catalog(), as_of=AS_OF)
    ]


BY_HAND = IdleRecommendation(
    resource_arn=volume_arn(1, OWNER),
    resource_id=f"vol-{1:017x}",
    account_id=OWNER,
    name="data-1",
    idle_type="EBSVolume",
    tags={"team": "data"},
    finding=Finding.IDLE,
    description="The volume does nothing.",
    utilization=(UtilizationMetric("VolumeReadOpsPerSecond", 0.0),),
    lookback_days=14.0,
    savings=Savings(100.0, 8.0),
    last_refresh=NOW,
)


TABLE = IdleRecommendation(
    resource_arn=f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders",
    resource_id="orders",
    account_id=OWNER,
    name="",
    idle_type=DYNAMODB_TABLE,
    tags={},
    finding=Finding.IDLE,
    description="Nobody reads.",
    utilization=(
        UtilizationMetric(
            "ConsumedReadCapacityUnits", 0.5, dimensions=(MetricDimension("TableName", ("o",)),)
        ),
        UtilizationMetric("ConsumedReadCapacityUnits", 3.0, "Sum"),
        UtilizationMetric(
            "ConsumedReadCapacityUnits",
            2.0,
            dimensions=(MetricDimension("GlobalSecondaryIndexName", ("a", "b")),),
        ),
        UtilizationMetric("ConsumedReadCapacityUnits", 4.0, "Sum"),
    ),
    lookback_days=14.0,
    savings=None,
    last_refresh=NOW,
)
"""A table that is read after all, so that maxima and sums can be told apart."""


def idle_recommendation(number: int = 1, **changes: Any) -> IdleRecommendation:
    """Return the idle recommendation of volume `number`, like BY_HAND but for the changes."""
    account = changes.setdefault("account_id", OWNER)
    changes.setdefault("resource_arn", volume_arn(number, account))
    changes.setdefault("resource_id", f"vol-{number:017x}")
    return structs.replace(BY_HAND, **changes)
