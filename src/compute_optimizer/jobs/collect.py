"""Collect: from a source of metrics to the inventory and day tiles, one shard at a time.

    accounts -> scopes -> inventory -> what is missing -> samples -> buffer -> tiles -> publish

It knows no source. A shard becomes visible when it is complete, so that a run that is killed has
kept what it finished, and the next one reads only what is missing. An account or a shard that
cannot be read is reported and stops no other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from compute_optimizer.errors import Conflict, SourceUnavailable
from compute_optimizer.interfaces import Clock, MetricSource
from compute_optimizer.jobs.gaps import Range, missing, range_until
from compute_optimizer.jobs.ingest import NOTHING, disk_errors, unknown_types_of
from compute_optimizer.jobs.noticed import notice_changes
from compute_optimizer.model.collection import Effort, Scope, Wanted, at_once
from compute_optimizer.model.counted import counted
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, MetricKey
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EC2_INSTANCE,
    Resource,
    ShardKey,
)
from compute_optimizer.resources import type_named
from compute_optimizer.store import State, inventory
from compute_optimizer.store.described_types import described_types, keep_types
from compute_optimizer.store.disk_space import check_room_for_collected
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.inventory import UpsertCounts
from compute_optimizer.store.tile_buffer import (
    BUFFER_BYTES,
    COMBINING,
    SAMPLE,
    FilledTile,
    Places,
    TileBuffer,
)
from compute_optimizer.store.tiles import (
    StagedTile,
    TileStore,
    publish,
    stage_merged,
    sweep,
    tile_paths,
)

T = TypeVar("T")
R = TypeVar("R")

OVERLAP = timedelta(hours=3)
"""Read again before the newest stored sample. CloudWatch may take two hours to show a sample that
was sent 3 to 24 hours late (reference of PutMetricData), and asking for more of a series costs
nothing more."""

DEFAULT_DAYS = 14
"""The look-back period of an analysis unless preferences say otherwise (spec 2.1)."""

MACHINES = frozenset({EC2_INSTANCE, AUTO_SCALING_GROUP})
"""Resource types whose types are instance types."""

DAY_SECONDS = SLOTS_PER_DAY * SLOT_SECONDS

CONCURRENCY = 8
"""Accounts, Regions and types that are read at once."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many of it are done and how many there are."""


def no_progress(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """What to collect."""

    since: datetime
    resource_types: frozenset[str] | None = None
    """None for all that the source has."""
    overlap: timedelta = OVERLAP
    again: bool = False
    """Read the whole time again, also what is stored."""
    keep_gone: bool = False
    """Keep the resources of the inventory that the source no longer has."""
    enrolling: bool = False
    """Of an estimate: look at every account, as if it were opted in."""
    concurrency: int = CONCURRENCY
    buffer_bytes: int = BUFFER_BYTES
    """Memory for all samples on their way; more of them are put on the disk for a while."""


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """What could not be read; empty members mean all of them."""

    account_id: str
    region: str
    resource_type: str
    message: str

    def __str__(self) -> str:
        place = ", ".join(one for one in (self.account_id, self.region, self.resource_type) if one)
        return f"{place}: {self.message}" if place else self.message


@dataclass(slots=True)
class Coverage:
    """How much of one series there was."""

    resources: int = 0
    """For which it was asked."""
    with_samples: int = 0
    slots_wanted: int = 0
    slots: int = 0
    """Of these, with a sample."""


@dataclass(slots=True)
class CollectReport:
    """What was collected and what was not."""

    first: datetime
    """From here on samples were asked for, which may be later than was wished."""
    end: datetime
    not_kept_since: datetime | None = None
    """The beginning that was wished, where the source keeps samples for less long."""
    accounts: tuple[str, ...] = ()
    not_opted_in: tuple[str, ...] = ()
    """Accounts of the source of which nothing may be collected."""
    counts: UpsertCounts = NOTHING
    gone: int = 0
    """Resources removed from the inventory, for the source has them no longer."""
    resources: Counter[str] = field(default_factory=Counter)
    """By resource type."""
    coverage: defaultdict[tuple[str, MetricKey], Coverage] = field(
        default_factory=lambda: defaultdict(Coverage)
    )
    """By resource type and series."""
    tiles: int = 0
    unknown_types: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Resources by resource type and type that the catalog does not know: no recommendation."""
    described_types: set[str] = field(default_factory=set)
    """Instance types that the catalog lacks, and of which the source has told what they can do."""
    failures: list[Failure] = field(default_factory=list)
    effort: Effort = field(default_factory=Effort)
    """What an estimate says that it would take; nothing where samples were collected."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What every step needs."""

    state: State
    tiles: TileStore
    source: MetricSource
    request: CollectRequest
    asked: Range
    report: CollectReport
    progress: Progress
    now: datetime
    fence: Callable[[Connection], None] = lambda connection: None
    memory: Lock = field(default_factory=Lock)
    """Held by the one shard whose tiles are in memory: a day of a full one takes 75 MB."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The inventory of a source."""

    resources: tuple[Resource, ...]
    complete: tuple[Scope, ...]
    """Scopes that could be read: what is not among the resources is not there."""


@dataclass(frozen=True, slots=True)
class _Shard:
    """A shard, the scope that it belongs to and those of its resources that the source has."""

    number: int
    key: ShardKey
    resources: tuple[Resource, ...]

    @property
    def scope(self) -> Scope:
        return Scope(self.key.account_id, self.key.region, self.key.resource_type)

    @property
    def series(self) -> tuple[MetricKey, ...]:
        """Return what is read of its type."""
        kind = type_named(self.key.resource_type)
        return kind.series if kind else ()


@dataclass(slots=True)
class _Read:
    """What was read of one shard."""

    wanted: Wanted
    staged: list[StagedTile] = field(default_factory=list)
    slots: Counter[MetricKey] = field(default_factory=Counter)
    """With a sample."""
    some: dict[MetricKey, NDArray[np.bool_]] = field(default_factory=dict)
    """Which rows have any."""


def collect(
    state: State,
    tiles: TileStore,
    clock: Clock,
    source: MetricSource,
    request: CollectRequest,
    progress: Progress = no_progress,
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
        found = _inventory(run)
        _store(run, found)
        _describe(run, found.resources)
        _collect_shards(run, _shards(run, found.resources))
    return run.report


def estimate(
    state: State,
    tiles: TileStore,
    clock: Clock,
    source: MetricSource,
    request: CollectRequest,
    progress: Progress = no_progress,
) -> CollectReport:
    """Return what `collect` would do and take, reading the inventory and changing nothing."""
    run = _begin(state, tiles, clock, source, request, progress)
    shards = _shards(run, _inventory(run).resources)

    def effort_of(shard: _Shard) -> Effort:
        return source.effort(shard.scope, _missing(run, shard))

    places: defaultdict[tuple[str, str], Effort] = defaultdict(Effort)
    for shard, outcome in _each(run, "Estimating shards", shards, effort_of):
        with _failures(run.report, shard.scope):
            places[shard.key.account_id, shard.key.region] += outcome.result()
    run.report.effort = at_once(places.values(), request.concurrency)
    return run.report


def _begin(
    state: State,
    tiles: TileStore,
    clock: Clock,
    source: MetricSource,
    request: CollectRequest,
    progress: Progress,
) -> _Run:
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
    return _Run(state, tiles, source, request, asked, report, progress, now)


def _inventory(run: _Run) -> _Found:
    """Return the resources of all accounts, each ARN once."""
    scopes: list[Scope] = []
    for account, listed in _each(run, "Accounts", run.report.accounts, run.source.scopes):
        with _failures(run.report, Scope(account, "", "")):
            scopes += [one for one in listed.result() if _is_wanted(run, one)]
    complete: list[Scope] = []
    found: dict[str, Resource] = {}
    for scope, owned in _each(run, "Inventory", sorted(scopes), run.source.inventory):
        with _failures(run.report, scope):
            found |= {one.arn: one for one in owned.result()}
            complete.append(scope)
    resources = list(found.values())
    run.report.resources = Counter(one.resource_type for one in resources)
    run.report.unknown_types = unknown_types_of(resources)
    return _Found(tuple(resources), tuple(complete))


def _store(run: _Run, found: _Found) -> None:
    """Bring the inventory to what the source has, in the scopes that could be read."""
    with run.state.writing() as connection:
        run.fence(connection)
        run.report.counts = inventory.upsert_resources(connection, found.resources)
        gone = [] if run.request.keep_gone else _remove_gone(connection, found)
        run.report.gone += len(gone)
        notice_changes(connection, [*run.report.counts.changed_arns, *gone], run.now)


def _remove_gone(connection: Connection, found: _Found) -> list[str]:
    """Remove what the source has no longer, in the scopes that could be read; return the ARNs."""
    arns = {one.arn for one in found.resources}
    return [
        arn
        for scope in found.complete
        for arn in inventory.remove_others(
            connection, (scope.account_id, scope.region, scope.resource_type), arns
        )
    ]


def _describe(run: _Run, resources: Sequence[Resource]) -> None:
    """Keep what the source says of instance types that the catalog lacks, asked by Region."""
    lacking = {(kind, name) for kind, name in run.report.unknown_types if kind in MACHINES}
    if not lacking:
        return
    scopes: dict[str, Scope] = {}
    names: defaultdict[str, set[str]] = defaultdict(set)
    for one in resources:
        if (one.resource_type, one.instance_type) in lacking:
            scopes.setdefault(one.region, Scope(one.account_id, one.region, one.resource_type))
            names[one.region].add(one.instance_type)

    def describe(region: str) -> Sequence[DescribedType]:
        return run.source.described(scopes[region], sorted(names[region]))

    for region, told in _each(run, "Instance types", sorted(scopes), describe):
        with _failures(run.report, scopes[region]):
            types = told.result()
            with run.state.writing() as connection:
                run.fence(connection)
                run.report.described_types |= {one.name for one in keep_types(connection, types)}
    with run.state.reading() as connection:
        known = {one.name for one in described_types(connection)}
    run.report.unknown_types = unknown_types_of(resources, known)


def _is_wanted(run: _Run, scope: Scope) -> bool:
    wanted = run.request.resource_types
    return wanted is None or scope.resource_type in wanted


def _shards(run: _Run, found: Sequence[Resource]) -> list[_Shard]:
    """Return the shards in which the resources lie, or would come to lie."""
    by_shard: defaultdict[ShardKey, list[Resource]] = defaultdict(list)
    with run.state.reading() as connection:
        keys = inventory.place(connection, found)
    for one in sorted(found, key=lambda resource: resource.arn):
        by_shard[keys[one.arn]].append(one)
    return [_Shard(n, key, tuple(some)) for n, (key, some) in enumerate(by_shard.items())]


def _missing(run: _Run, shard: _Shard) -> Wanted:
    with run.memory, run.state.reading() as connection:
        return missing(connection, run.tiles, shard.key, shard.resources, shard.series, run.asked)


def _collect_shards(run: _Run, shards: Sequence[_Shard]) -> None:
    """Read shards at once, and publish each by itself when it is complete."""
    looked = _each(run, "Looking what is missing", shards, partial(_missing, run))
    wanted = {shard.number: outcome.result() for shard, outcome in looked}
    _check_room(run, [_tile_samples(wanted[shard.number]) for shard in shards])

    def read(shard: _Shard) -> _Read:
        return _read_shard(run, shard, wanted[shard.number])

    for shard, outcome in _each(run, "Metrics", shards, read):
        with _failures(run.report, shard.scope):
            found = outcome.result()
            if not _is_opted_in(run.state, shard.key.account_id):
                raise SourceUnavailable("the account has opted out meanwhile; nothing was kept")
            publish(run.state, run.tiles, found.staged, run.fence)
            run.report.tiles += len(found.staged)
            _count(run.report, shard, found)


def _check_room(run: _Run, samples: Sequence[int]) -> None:
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


def _read_shard(run: _Run, shard: _Shard, wanted: Wanted) -> _Read:
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
    found = _Read(wanted)
    with run.memory:
        for filled in buffer.tiles():
            _count_slots(found, filled)
            path = stored.get((filled.key, filled.day))
            staged = stage_merged(run.tiles, path, filled.key, filled.day, filled.tile)
            found.staged += [staged] if staged else []
    return found


def _count_slots(found: _Read, filled: FilledTile) -> None:
    for key, matrix in filled.tile.series.items():
        known = ~np.isnan(matrix)
        found.slots[key] += int(known.sum())
        some = np.logical_or.reduce(known, axis=1)
        found.some[key] = np.logical_or(found.some[key], some) if key in found.some else some


def _count(report: CollectReport, shard: _Shard, found: _Read) -> None:
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


def _each(
    run: _Run, what: str, items: Sequence[T], work: Callable[[T], R]
) -> Iterator[tuple[T, Future[R]]]:
    """Yield every item with the outcome of the work on it, in the order in which they end."""
    run.progress(what, 0, len(items))
    with ThreadPoolExecutor(run.request.concurrency) as pool:
        waiting = {pool.submit(work, one): one for one in items}
        try:
            for done, outcome in enumerate(as_completed(waiting), 1):
                # Popped, so that what was read is not held until the end.
                yield waiting.pop(outcome), outcome
                run.progress(what, done, len(items))
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _failures(report: CollectReport, scope: Scope) -> Iterator[None]:
    """Note what could not be read, and go on."""
    try:
        yield
    except SourceUnavailable as error:
        place = scope.account_id, scope.region, scope.resource_type
        report.failures.append(Failure(*place, str(error)))
