"""Usage: the stored samples of one resource over its look-back period, to be looked at."""

from dataclasses import replace
from datetime import datetime

from compute_optimizer.engine.failures import counts_of
from compute_optimizer.jobs.analyze import resource_type
from compute_optimizer.jobs.readings import forget_after, samples_for
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.store import State
from compute_optimizer.store.inventory import find_resource, shard_of
from compute_optimizer.store.tiles import TileStore, read_samples


def usage_of(
    state: State,
    tiles: TileStore,
    arn: str,
    *,
    as_of: datetime,
    days: int,
    as_type: str | None = None,
) -> ShardSamples:
    """Return what an analysis at `as_of` saw of a resource, and what failed of it: a batch of one.

    `as_type` names the type where a resource is of two, as for `explain`. Raises NotFound for a
    resource that the inventory does not have, and StoreUnavailable for a tile that cannot be read.
    """
    with state.reading() as connection:
        resource = find_resource(connection, arn)
        kind = resource_type(as_type or resource.resource_type)
        shard = replace(shard_of(connection, arn), resource_type=kind.name)
        found = samples_for(connection, tiles, shard, kind, [resource], as_of=as_of, days=days)
        counts = counts_of(kind.failures) - set(kind.metrics)
        if not counts:
            return found
        failed = read_samples(connection, tiles, shard, found.window, counts, found.resource_arns)
    forget_after(failed, as_of)
    return replace(found, series={**found.series, **failed.series})
