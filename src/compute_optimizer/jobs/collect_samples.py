"""The second half of a collection: the samples that are missing, one shard at a time."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.jobs.collect_run import CollectReport, Run, each, failures
from compute_optimizer.jobs.gaps import missing
from compute_optimizer.model.collection import Scope, Wanted
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, MetricKey
from compute_optimizer.model.resource import Resource, ShardKey
from compute_optimizer.resources import type_named
from compute_optimizer.store import State, inventory
from compute_optimizer.store.disk_space import check_room_for_collected
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.tile_buffer import COMBINING, SAMPLE, FilledTile, Places, TileBuffer
from compute_optimizer.store.tiles import StagedTile, publish, stage_merged, tile_paths

DAY_SECONDS = SLOTS_PER_DAY * SLOT_SECONDS


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard, the scope that it belongs to and those of its resources that the source has."""

    number: int
    key: ShardKey
    resources: tuple[Resource, ...]

    @property
    def scope(self) -> Scope:
        """Return what the source knows it by."""
        return Scope(self.key.account_id, self.key.region, self.key.resource_type)

    @property
    def series(self) -> tuple[MetricKey, ...]:
        """Return what is read of its type."""
        kind = type_named(self.key.resource_type)
        return kind.series if kind else ()


@dataclass(slots=True)
class ShardRead:
    """What was read of one shard."""

    wanted: Wanted
    staged: list[StagedTile] = field(default_factory=list)
    slots: Counter[MetricKey] = field(default_factory=Counter)
    """With a sample."""
    some: dict[MetricKey, NDArray[np.bool_]] = field(default_factory=dict)
    """Which rows have any."""


def shards_of(run: Run, found: Sequence[Resource]) -> list[Shard]:
    """Return the shards in which the resources lie, or would come to lie."""
    by_shard: defaultdict[ShardKey, list[Resource]] = defaultdict(list)
    with run.state.reading() as connection:
        keys = inventory.place(connection, found)
    for one in sorted(found, key=lambda resource: resource.arn):
        by_shard[keys[one.arn]].append(one)
    return [Shard(n, key, tuple(some)) for n, (key, some) in enumerate(by_shard.items())]


def missing_of(run: Run, shard: Shard) -> Wanted:
    """Return from when on each resource of a shard lacks samples of each series."""
    with run.memory, run.state.reading() as connection:
        return missing(connection, run.tiles, shard.key, shard.resources, shard.series, run.asked)


def collect_samples(run: Run, shards: Sequence[Shard]) -> None:
    """Read shards at once, and publish each by itself when it is complete."""
    looked = each(run, "Looking what is missing", shards, partial(missing_of, run))
    wanted = {shard.number: outcome.result() for shard, outcome in looked}
    _check_room(run, [_tile_samples(wanted[shard.number]) for shard in shards])

    def read(shard: Shard) -> ShardRead:
        return _read_shard(run, shard, wanted[shard.number])

    for shard, outcome in each(run, "Metrics", shards, read):
        with failures(run.report, shard.scope):
            found = outcome.result()
            if not _is_opted_in(run.state, shard.key.account_id):
                raise SourceUnavailable("the account has opted out meanwhile; nothing was kept")
            publish(run.state, run.tiles, found.staged, run.fence)
            run.report.tiles += len(found.staged)
            _count(run.report, shard, found)


def _check_room(run: Run, samples: Sequence[int]) -> None:
    """Raise StoreUnavailable where the disk has no room for tiles of so many samples, by shard."""
    at_once = sum(sorted(samples)[-run.request.concurrency :])
    # To a bucket tiles go as soon as their shard is complete.
    stored = sum(samples) if run.tiles.on_this_disk else at_once
    held = run.request.buffer_bytes // SAMPLE.itemsize
    check_room_for_collected(run.tiles.root, stored, at_once, held)


def _tile_samples(wanted: Wanted) -> int:
    """Return the samples of the days that are touched, whose tiles are written whole."""
    begins = [int(since.min()) for since in wanted.since.values() if since.size]
    first = min(begins, default=wanted.until)
    days = (wanted.until - 1) // DAY_SECONDS - first // DAY_SECONDS + 1
    rows = len(wanted.resources) * len(wanted.since)
    return days * SLOTS_PER_DAY * rows if first < wanted.until else 0


def _read_shard(run: Run, shard: Shard, wanted: Wanted) -> ShardRead:
    """Stage the tiles of one shard with what its source has of the missing samples."""
    with run.state.reading() as connection:
        arns = inventory.arns_of(connection, shard.key)
        stored = tile_paths(connection)
    row_of = {arn: row for row, arn in enumerate(arns)}
    rows = np.array([row_of[one.arn] for one in shard.resources], np.int64)
    places = Places([shard.key], {shard.key: arns}, np.zeros(len(rows), np.int64), rows)
    spill = run.tiles.spill_file.with_name(f"spill-{shard.number}")
    buffer = TileBuffer(places, spill, run.request.buffer_bytes // run.request.concurrency)
    for one in run.source.samples(shard.scope, wanted):
        series = one.key, COMBINING[one.key.statistic]
        buffer.add(series, one.places, one.seconds, one.values, np.zeros_like(one.places))
    found = ShardRead(wanted)
    with run.memory:
        for filled in buffer.tiles():
            _count_slots(found, filled)
            path = stored.get((filled.key, filled.day))
            staged = stage_merged(run.tiles, path, filled.key, filled.day, filled.tile)
            found.staged += [staged] if staged else []
    return found


def _count_slots(found: ShardRead, filled: FilledTile) -> None:
    for key, matrix in filled.tile.series.items():
        known = ~np.isnan(matrix)
        found.slots[key] += int(known.sum())
        some = np.logical_or.reduce(known, axis=1)
        found.some[key] = np.logical_or(found.some[key], some) if key in found.some else some


def _count(report: CollectReport, shard: Shard, found: ShardRead) -> None:
    """Add to the coverage what was asked for and what there was."""
    for key, since in found.wanted.since.items():
        asked = since < found.wanted.until
        one = report.coverage[shard.key.resource_type, key]
        one.resources += int(asked.sum())
        one.slots_wanted += int((found.wanted.until - since[asked]).sum()) // SLOT_SECONDS
        one.slots += found.slots[key]
        one.with_samples += int(found.some[key].sum()) if key in found.some else 0


def _is_opted_in(state: State, account_id: str) -> bool:
    with state.reading() as connection:
        return account_id in opted_in_accounts(connection)
