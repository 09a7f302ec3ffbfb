"""Import: from inventory and metric files to the inventory and day tiles, as one visible change.

    open and understand every file -> inventory -> samples -> buffer -> staged tiles -> publish

Nothing is visible until the one transaction at the end; a crash before it leaves the old view.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.errors import Conflict, InvalidInput, StoreUnavailable
from compute_optimizer.interfaces import Clock, no_progress
from compute_optimizer.jobs.noticed import notice_changes
from compute_optimizer.model.lambda_function import LATEST
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    RDS_DB_INSTANCE,
    Resource,
    ShardKey,
)
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.sources.files.inventory import read_inventory, unknown_columns
from compute_optimizer.sources.files.layouts import Layout, Series, Wide, layout_of
from compute_optimizer.sources.files.mapping import NO_MAPPING, FileMapping
from compute_optimizer.sources.files.metrics import Known, MetricReader, Samples
from compute_optimizer.sources.files.refusals import Reason, Refusals
from compute_optimizer.sources.files.tables import (
    MAX_FILE_ROWS,
    ReadProgress,
    TableFile,
    open_table,
)
from compute_optimizer.store import State, inventory
from compute_optimizer.store.described_types import described_types
from compute_optimizer.store.disk_space import check_room_for_samples
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.inventory import UpsertCounts
from compute_optimizer.store.tile_buffer import (
    BUFFER_BYTES,
    COMBINING,
    SAMPLE,
    Combining,
    FilledTile,
    Places,
    Repeated,
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

NOTHING = UpsertCounts(0, 0, 0)

ROWS_END = 2 * MAX_FILE_ROWS
"""Beyond every row number: a sample's origin is its file times this, plus its row."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to bring in."""

    inventory: Path | None = None
    metrics: tuple[Path, ...] = ()
    mapping: FileMapping = NO_MAPPING
    """Of the metric files."""
    statistic: Statistic | None = None
    """Of samples that do not say theirs."""
    strict: bool = False
    """Bring in nothing when anything is refused."""
    buffer_bytes: int = BUFFER_BYTES
    """Memory for samples on their way; more of them are put on the disk for a while."""


@dataclass(slots=True)
class ImportReport:
    """What was taken and what was not."""

    resources: UpsertCounts = NOTHING
    samples: Counter[MetricKey] = field(default_factory=Counter)
    """By metric and statistic."""
    first: datetime | None = None
    """Time of the oldest sample taken."""
    last: datetime | None = None
    tiles: int = 0
    """Files written; days whose samples were all known are not written again."""
    unknown_types: Counter[str] = field(default_factory=Counter)
    """Instances and groups by instance type that the catalog does not know: they get no
    recommendation."""
    unknown_volume_types: Counter[str] = field(default_factory=Counter)
    """The same of volumes."""
    unknown_classes: Counter[str] = field(default_factory=Counter)
    """The same of databases."""
    not_read: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    """Columns that mean nothing to the import, by file: a name may be misspelled."""
    refusals: Refusals = field(default_factory=Refusals)


@dataclass(frozen=True, slots=True)
class _Fleet:
    """The resources that samples may belong to."""

    known: Known
    places: Places


def ingest(
    state: State,
    tiles: TileStore,
    clock: Clock,
    request: ImportRequest,
    progress: ReadProgress = no_progress,
    fence: Callable[[Connection], None] = lambda connection: None,
) -> ImportReport:
    """Bring in an inventory, metrics or both, and report what was taken and what was refused.

    `fence` is called in the transaction that makes all of it visible, and may raise to prevent it.
    Raises InvalidInput, with nothing brought in, for a file that cannot be read or understood and,
    if strict, for any refusal; Conflict while another import runs or when no account is opted in;
    StoreUnavailable where tiles cannot be read or written.
    """
    files = [_understood(path, request) for path in request.metrics]
    report = ImportReport()
    with disk_errors(tiles), tiles.locked():
        _check_room(tiles, files, request.buffer_bytes)
        sweep(state, tiles)
        wanted = _read_inventory(state, request, report)
        fleet = _fleet(state, wanted)
        buffer = TileBuffer(fleet.places, tiles.spill_file, request.buffer_bytes)
        for number, (table, layout) in enumerate(files):
            _tell_not_read(report, table.path, set(table.columns) - set(layout.columns))
            reader = MetricReader(table, layout, fleet.known, clock.now(), report.refusals)
            for samples in reader.samples(progress):
                _add(buffer, samples, number, report)
        staged = _stage(state, tiles, _told(buffer.tiles(), request.metrics, report))
        report.tiles = len(staged)
        _check_strict(request, report)
        publish(
            state,
            tiles,
            staged,
            partial(_upsert, wanted=wanted, report=report, fence=fence, now=clock.now()),
        )
    return report


def _check_room(tiles: TileStore, files: Sequence[tuple[TableFile, Layout]], budget: int) -> None:
    """Raise StoreUnavailable where the disk has no room for what the files may hold."""
    samples = sum(table.most_rows * _values_in_row(layout) for table, layout in files)
    check_room_for_samples(tiles.root, samples, budget // SAMPLE.itemsize)


def _values_in_row(layout: Layout) -> int:
    return len(layout.series) if isinstance(layout, Wide) else 1


@contextmanager
def disk_errors(tiles: TileStore) -> Iterator[None]:
    """Explain a disk that is full or may not be written."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"tiles in {tiles.place.name} cannot be written: {error}; run this again when they can"
        ) from error


def _understood(path: Path, request: ImportRequest) -> tuple[TableFile, Layout]:
    table = open_table(path)
    return table, layout_of(path, table.columns, request.mapping, request.statistic)


def _read_inventory(state: State, request: ImportRequest, report: ImportReport) -> list[Resource]:
    with state.reading() as connection:
        opted_in = opted_in_accounts(connection)
        known = {one.name for one in described_types(connection)}
    if not opted_in:
        raise Conflict(
            "no account is opted in, so nothing may be collected; opt in with "
            "`compute-optimizer accounts enroll ACCOUNT` or UpdateEnrollmentStatus"
        )
    if request.inventory is None:
        return []
    found = read_inventory(request.inventory, opted_in, report.refusals)
    _tell_not_read(report, request.inventory, unknown_columns(request.inventory))
    counts = {
        EC2_INSTANCE: report.unknown_types,
        EBS_VOLUME: report.unknown_volume_types,
        AUTO_SCALING_GROUP: report.unknown_types,
        RDS_DB_INSTANCE: report.unknown_classes,
    }
    # What has no counter cannot have an unknown type: its rows are refused.
    for (resource_type, name), count in unknown_types_of(found, known).items():
        counts[resource_type][name] += count
    return found


def unknown_types_of(
    found: Iterable[Resource], described: Collection[str] = ()
) -> Counter[tuple[str, str]]:
    """Count resources by resource type and type, where the catalog does not know the latter.

    `described` are instance types that the state knows beside it.
    """
    types = {kind.name: kind.catalog().index for kind in RESOURCE_TYPES}
    named = ((one.resource_type, one.instance_type) for one in found)
    return Counter(one for one in named if one[1] not in types[one[0]] and one[1] not in described)


def _tell_not_read(report: ImportReport, path: Path, columns: Collection[str]) -> None:
    if columns:
        report.not_read[path] = tuple(sorted(columns))


def _fleet(state: State, wanted: Sequence[Resource]) -> _Fleet:
    """Return the stored resources and the new ones with the shards that they will get."""
    with state.reading() as connection:
        opted_in = opted_in_accounts(connection)
        stored = inventory.placements(connection)
        placed = inventory.place(connection, wanted)
    keys = {one.arn: one.key for one in stored} | placed
    ids = {one.arn: one.resource_id for one in stored}
    ids |= {one.arn: one.resource_id for one in wanted}
    arns = sorted(keys)
    return _Fleet(_known(arns, ids, keys, opted_in), _places(arns, keys))


def _known(
    arns: Sequence[str],
    ids: dict[str, str],
    keys: dict[str, ShardKey],
    opted_in: Collection[str],
) -> Known:
    index: dict[str, int] = {}
    refused: dict[str, Reason] = {}
    shared = Counter(ids[arn] for arn in arns)
    for place, arn in enumerate(arns):
        # An unqualified function means its $LATEST version.
        whole = [arn, arn.removesuffix(f":{LATEST}")]
        names = [*whole, ids[arn]] if shared[ids[arn]] == 1 else whole
        if keys[arn].account_id in opted_in:
            index |= dict.fromkeys(names, place)
        else:
            refused |= dict.fromkeys(names, Reason.NOT_OPTED_IN)
    ambiguous = (name for name, count in shared.items() if count > 1)
    return Known(index, refused | dict.fromkeys(ambiguous, Reason.AMBIGUOUS_RESOURCE))


def _places(arns: Sequence[str], keys: dict[str, ShardKey]) -> Places:
    rows: dict[ShardKey, list[str]] = {}
    row = np.empty(len(arns), np.int64)
    for place, arn in enumerate(arns):
        in_shard = rows.setdefault(keys[arn], [])
        row[place] = len(in_shard)
        in_shard.append(arn)
    shards = list(rows)
    number = {key: place for place, key in enumerate(shards)}
    shard = np.array([number[keys[arn]] for arn in arns], np.int64)
    return Places(shards, {key: tuple(found) for key, found in rows.items()}, shard, row)


def _add(buffer: TileBuffer, samples: Samples, file: int, report: ImportReport) -> None:
    if not len(samples.values):
        return
    identity = samples.series.key, _combining(samples.series)
    origins = file * ROWS_END + samples.rows
    buffer.add(identity, samples.places, samples.seconds, samples.values, origins)
    report.samples[samples.series.key] += len(samples.values)
    first, last = _moment(samples.seconds.min()), _moment(samples.seconds.max())
    report.first = first if report.first is None else min(report.first, first)
    report.last = last if report.last is None else max(report.last, last)


def _told(
    filled: Iterable[FilledTile], paths: Sequence[Path], report: ImportReport
) -> Iterator[FilledTile]:
    """Yield the tiles, reporting the samples that were repeated on the way."""
    for one in filled:
        for repeated in one.repeated:
            report.samples[repeated.metric] -= len(repeated.origins)
            _refuse_repeated(repeated, paths, report.refusals)
        yield one


def _refuse_repeated(repeated: Repeated, paths: Sequence[Path], refusals: Refusals) -> None:
    reason = Reason.DUPLICATE_SAMPLE
    numbers, rows = np.divmod(repeated.origins, ROWS_END)
    for number in np.unique(numbers):
        path = paths[number]
        places = np.flatnonzero(numbers == number)
        refusals.count(path, reason, len(places))
        for place in places[: refusals.room(path, reason)]:
            found = _moment(repeated.seconds[place]).isoformat()
            refusals.show(path, int(rows[place]), reason, found)


def _moment(seconds: np.int64) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _combining(series: Series) -> Combining:
    return Combining.MEAN if series.averages else COMBINING[series.key.statistic]


def _check_strict(request: ImportRequest, report: ImportReport) -> None:
    if request.strict and report.refusals.total:
        first = report.refusals.examples[0]
        raise InvalidInput(
            f"{report.refusals.total} refused, so nothing was brought in (--strict); the first: "
            f"{first.file} row {first.row}: {first.reason.value}: {first.found!r}"
        )


def _stage(state: State, tiles: TileStore, filled: Iterable[FilledTile]) -> list[StagedTile]:
    with state.reading() as connection:
        stored = tile_paths(connection)
    staged = (
        stage_merged(tiles, stored.get((one.key, one.day)), one.key, one.day, one.tile)
        for one in filled
    )
    return [tile for tile in staged if tile is not None]


def _upsert(
    connection: Connection,
    wanted: Sequence[Resource],
    report: ImportReport,
    fence: Callable[[Connection], None],
    now: datetime,
) -> None:
    fence(connection)
    report.resources = inventory.upsert_resources(connection, wanted)
    notice_changes(connection, report.resources.changed_arns, now)
