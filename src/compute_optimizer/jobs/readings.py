"""The samples that an analysis looks at: of the resources themselves and of their instances."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from math import ceil

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Window,
    look_back,
)
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.resources.resource_type import ResourceType
from compute_optimizer.store.inventory import resources_of, shards
from compute_optimizer.store.tile_digests import DigestedWindow, read_digested
from compute_optimizer.store.tiles import TileStore, read_samples


def samples_for(
    connection: Connection,
    tiles: TileStore,
    shard: ShardKey,
    kind: ResourceType,
    resources: Sequence[Resource],
    *,
    as_of: datetime,
    days: int,
) -> ShardSamples:
    """Return what an analysis at `as_of` of some resources of a shard looks at, in their order.

    `days` is the look-back period. Raises StoreUnavailable for a tile that cannot be read.
    """
    found = _known_samples(connection, tiles, shard, kind, resources, look_back(as_of, days))
    forget_after(found, as_of)
    return found


def digested_for(
    connection: Connection,
    tiles: TileStore,
    shard: ShardKey,
    kind: ResourceType,
    resources: Sequence[Resource],
    *,
    as_of: datetime,
    days: int,
) -> DigestedWindow:
    """Return the same in short, of a type that can be analyzed from it."""
    assert kind.from_digests is not None, f"{kind.name} is analyzed from samples"
    return read_digested(
        connection,
        tiles,
        shard,
        look_back(as_of, days),
        kind.from_digests.parts,
        kind.metrics,
        [one.arn for one in resources],
        as_of,
    )


def forget_after(samples: ShardSamples, as_of: datetime) -> None:
    """Blank, in place, every slot that begins at `as_of` or later: a replay must not see them."""
    known = _slots_before(samples, as_of)
    for matrix in samples.series.values():
        matrix[:, known:] = float("nan")


def forget_before(samples: ShardSamples, as_of: datetime) -> None:
    """Blank, in place, every slot that begins before `as_of`: an analysis then has seen them."""
    known = _slots_before(samples, as_of)
    for matrix in samples.series.values():
        matrix[:, :known] = float("nan")


def _slots_before(samples: ShardSamples, moment: datetime) -> int:
    """Return how many slots of the window begin before a moment."""
    first = datetime.combine(samples.window.first, time(), UTC)
    return ceil((moment - first) / timedelta(seconds=SLOT_SECONDS))


def _known_samples(
    connection: Connection,
    tiles: TileStore,
    shard: ShardKey,
    kind: ResourceType,
    resources: Sequence[Resource],
    window: Window,
) -> ShardSamples:
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
