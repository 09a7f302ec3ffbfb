"""The groups of the instances of a shard, analyzed so that their members may follow them."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.catalog.described_types import OwnFigures
from compute_optimizer.jobs.readings import samples_for
from compute_optimizer.model.auto_scaling_group import AutoScalingGroup
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, Results
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, Resource, ShardKey
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.resources.asg.members import following_groups
from compute_optimizer.resources.auto_scaling_group import machines_of
from compute_optimizer.store.inventory import arns_of, resources_of, shards
from compute_optimizer.store.tiles import TileStore

(GROUPS,) = (kind for kind in RESOURCE_TYPES if kind.name == AUTO_SCALING_GROUP)


def with_groups(
    connection: Connection,
    tiles: TileStore,
    shard: ShardKey,
    instances: Sequence[Resource],
    alone: Results[Ec2InstanceRecommendation],
    *,
    as_of: datetime,
    preferences: Preferences,
    own: OwnFigures,
) -> Results[Ec2InstanceRecommendation]:
    """Return what was found of the instances of a shard, with members following their groups.

    A group takes all of its members in, wherever they are stored, so every shard that holds one
    comes to the same answer. Raises StoreUnavailable for a tile that cannot be read.
    """
    owners = {one.auto_scaling_group_arn for one in instances} - {None}
    if not owners:
        return alone
    found = alone
    for other in shards(connection, [shard.account_id]):
        if (other.region, other.resource_type) != (shard.region, AUTO_SCALING_GROUP):
            continue
        groups = [
            one
            for one in resources_of(connection, other)
            if isinstance(one, AutoScalingGroup) and one.arn in owners
        ]
        if not groups:
            continue
        samples = samples_for(
            connection, tiles, other, GROUPS, groups, as_of=as_of, days=preferences.lookback_days
        )
        types = cast(InstanceTypes, GROUPS.catalog_with(own))
        machines = machines_of(groups, samples, types, as_of=as_of, preferences=preferences)
        found = following_groups(instances, found, machines)
    return found


def members_of_known_groups(
    connection: Connection, shard: ShardKey, instances: Sequence[Resource]
) -> set[str]:
    """Return the ARNs of the instances of a shard whose group the inventory has."""
    owners = {one.auto_scaling_group_arn for one in instances} - {None}
    if not owners:
        return set()
    known = {
        arn
        for other in shards(connection, [shard.account_id])
        if (other.region, other.resource_type) == (shard.region, AUTO_SCALING_GROUP)
        for arn in arns_of(connection, other)
    }
    return {one.arn for one in instances if one.auto_scaling_group_arn in known}
