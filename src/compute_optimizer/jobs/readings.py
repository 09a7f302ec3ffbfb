"""The samples that an analysis looks at: of the resources themselves and of their instances."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Window,
)
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.resources import ResourceType
from compute_optimizer.store.inventory import resources_of, shards
from compute_optimizer.store.tiles import TileStore, read_samples


def samples_for(
    connection: Connection,
    tiles: TileStore,
    shard: ShardKey,
    kind: ResourceType,
    resources: Sequence[Resource],
    window: Window,
) -> ShardSamples:
    """Return what an analysis of some resources of a shard looks at, rows in their order.

    Raises StoreUnavailable for a tile that cannot be read.
    """
    arns = [one.arn for one in resources]
    own = read_samples(connection, tiles, shard, window, kind.metrics, arns)
    if kind.from_members is None:
        return own
    members, of_members = _of_members(connection, tiles, shard, kind, set(arns), window)
    return kind.from_members(resources, own, members, of_members)


def _of_members(
    connection: Connection,
    tiles: TileStore,
    shard: ShardKey,
    kind: ResourceType,
    owners: set[str],
    window: Window,
) -> tuple[list[Resource], ShardSamples]:
    """Return the instances of the owners and their samples, rows in the order of the instances."""
    members: list[Resource] = []
    parts: list[ShardSamples] = []
    for other in shards(connection, [shard.account_id]):
        if other != replace(shard, resource_type=EC2_INSTANCE, shard=other.shard):
            continue
        instances = resources_of(connection, other)
        found = [one for one in instances if one.auto_scaling_group_arn in owners]
        if found:
            arns = [one.arn for one in found]
            members += found
            parts.append(read_samples(connection, tiles, other, window, kind.metrics, arns))
    return members, _joined(parts, window)


def _joined(parts: Sequence[ShardSamples], window: Window) -> ShardSamples:
    """Return the rows of all parts; NaN where a part lacks a series."""
    keys = sorted({key for part in parts for key in part.series})
    arns = tuple(arn for part in parts for arn in part.resource_arns)
    return ShardSamples(
        arns, window, {key: np.concatenate([_rows(part, key) for part in parts]) for key in keys}
    )


def _rows(part: ShardSamples, key: MetricKey) -> Matrix:
    if key in part.series:
        return part.series[key]
    shape = (len(part.resource_arns), part.window.days * SLOTS_PER_DAY)
    return np.full(shape, np.nan, np.float32)
