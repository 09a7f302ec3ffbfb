"""Collect: from a source of metrics to the inventory and day tiles, one shard at a time.

    accounts -> scopes -> inventory -> what is missing -> samples -> buffer -> tiles -> publish

It knows no source. A shard becomes visible when it is complete, so that a run that is killed has
kept what it finished, and the next one reads only what is missing. An account or a shard that
cannot be read is reported and stops no other.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from compute_optimizer.errors import Conflict
from compute_optimizer.interfaces import Clock, MetricSource, StageProgress, no_progress
from compute_optimizer.jobs.collect_inventory import describe_types, inventory_of, store_inventory
from compute_optimizer.jobs.collect_run import (
    CollectReport,
    CollectRequest,
    Run,
    each,
    failures,
)
from compute_optimizer.jobs.collect_samples import Shard, collect_samples, missing_of, shards_of
from compute_optimizer.jobs.gaps import range_until
from compute_optimizer.jobs.ingest import disk_errors
from compute_optimizer.model.collection import Effort, at_once
from compute_optimizer.model.counted import counted
from compute_optimizer.store import State
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.tiles import TileStore, sweep


def collect(
    state: State,
    tiles: TileStore,
    clock: Clock,
    source: MetricSource,
    request: CollectRequest,
    progress: StageProgress = no_progress,
    fence: Callable[[Connection], None] = lambda connection: None,
) -> CollectReport:
    """Collect the inventory and the missing samples of every opted-in account of a source.

    `fence` is called in every transaction that makes something visible, and may raise to prevent
    it; so may `progress`, to stop.

    Raises Conflict while another import runs or when none of the accounts is opted in,
    SourceUnavailable where not even the accounts can be listed, and StoreUnavailable where tiles
    cannot be read or written, or, before any sample is asked for, where the disk has no room for
    them. Whatever else a source refuses is in the report.
    """
    with disk_errors(tiles), tiles.locked():
        sweep(state, tiles)
        run = replace(_begin(state, tiles, clock, source, request, progress), fence=fence)
        found = inventory_of(run)
        store_inventory(run, found)
        describe_types(run, found.resources)
        collect_samples(run, shards_of(run, found.resources))
    return run.report


def estimate(
    state: State,
    tiles: TileStore,
    clock: Clock,
    source: MetricSource,
    request: CollectRequest,
    progress: StageProgress = no_progress,
) -> CollectReport:
    """Return what `collect` would do and take, reading the inventory and changing nothing."""
    run = _begin(state, tiles, clock, source, request, progress)
    shards = shards_of(run, inventory_of(run).resources)

    def effort_of(shard: Shard) -> Effort:
        return source.effort(shard.scope, missing_of(run, shard))

    places: defaultdict[tuple[str, str], Effort] = defaultdict(Effort)
    for shard, outcome in each(run, "Estimating shards", shards, effort_of):
        with failures(run.report, shard.scope):
            places[shard.key.account_id, shard.key.region] += outcome.result()
    run.report.effort = at_once(places.values(), request.concurrency)
    return run.report


def _begin(
    state: State,
    tiles: TileStore,
    clock: Clock,
    source: MetricSource,
    request: CollectRequest,
    progress: StageProgress,
) -> Run:
    now, since = clock.now(), request.since
    kept = now - source.retention if source.retention is not None else since
    asked = range_until(now, max(since, kept), request.overlap, again=request.again)
    report = CollectReport(
        first=datetime.fromtimestamp(asked.start, now.tzinfo),
        end=datetime.fromtimestamp(asked.end, now.tzinfo),
        not_kept_since=since if since < kept else None,
    )
    named = source.accounts()
    with state.reading() as connection:
        opted_in = set(named) if request.enrolling else opted_in_accounts(connection)
    report.accounts = tuple(one for one in named if one in opted_in)
    report.not_opted_in = tuple(one for one in named if one not in opted_in)
    if not report.accounts:
        raise Conflict(
            f"of {counted(len(named), 'accounts')} none is opted in, so nothing may be "
            "collected; opt in with `compute-optimizer accounts enroll ACCOUNT`, or with --enroll"
        )
    return Run(state, tiles, source, request, asked, report, progress, now)
