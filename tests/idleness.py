"""Idle recommendations made by hand, and those of samples made by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from compute_optimizer.model.metrics import SLOTS_PER_DAY, MetricKey
from compute_optimizer.model.nat_gateway import NatGateway
from compute_optimizer.model.recommendation import (
    Finding,
    IdleRecommendation,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import NAT_GATEWAY, Resource
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


def idle_recommendation(number: int = 1, **changes: Any) -> IdleRecommendation:
    """Return the idle recommendation of volume `number`, like BY_HAND but for the changes."""
    account = changes.setdefault("account_id", OWNER)
    changes.setdefault("resource_arn", volume_arn(number, account))
    changes.setdefault("resource_id", f"vol-{number:017x}")
    return replace(BY_HAND, **changes)
