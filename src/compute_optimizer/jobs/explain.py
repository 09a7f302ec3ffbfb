"""Explain: repeat the analysis of one resource and keep the arrays that decided."""

from datetime import datetime

from sqlalchemy import Connection

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.analyze import check_moment, forget_after, look_back, resource_type
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store import State
from compute_optimizer.store.inventory import find_resource, shard_of
from compute_optimizer.store.recommendations import current_run, run_as_of, scope_of
from compute_optimizer.store.tiles import TileStore, read_samples


def explain(
    state: State,
    tiles: TileStore,
    clock: Clock,
    arn_or_id: str,
    *,
    as_of: datetime | None = None,
) -> Explanation:
    """Return the evidence for one resource as of a moment; by default, that of the current run.

    Raises NotFound for a resource that the inventory does not have, and InvalidInput for a moment
    in the future.
    """
    if as_of is not None:
        check_moment(as_of, clock)
    with state.reading() as connection:
        resource = find_resource(connection, arn_or_id)
        shard = shard_of(connection, resource.arn)
        moment = as_of or _analyzed_as_of(connection, shard) or clock.now()
        kind = resource_type(resource.resource_type)
        window = look_back(moment, DEFAULT_PREFERENCES.lookback_days)
        samples = read_samples(connection, tiles, shard, window, kind.metrics)
    one = samples.row(samples.resource_arns.index(resource.arn))
    forget_after(one, moment)
    return kind.explain(
        resource, one, load_instance_types(), as_of=moment, preferences=DEFAULT_PREFERENCES
    )


def _analyzed_as_of(connection: Connection, shard: ShardKey) -> datetime | None:
    run_id = current_run(connection, scope_of(shard))
    return run_as_of(connection, run_id) if run_id else None
