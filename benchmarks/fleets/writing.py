"""A fleet as tiles of a data folder, written by the store in several processes; and as files to
import."""

import csv
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fleets.recipe import Fleet, number_of, resource_of, samples_of
from benchmarks.machine import available_cores
from compute_optimizer.interfaces import Progress, no_progress
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, MetricKey, Statistic
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State
from compute_optimizer.store.inventory import arns_of, shards, upsert_resources
from compute_optimizer.store.tile_files import Tile
from compute_optimizer.store.tiles import StagedTile, TileStore, publish

INVENTORY_ROWS = 65_536
"""Resources that are put into the inventory at once: each time reads what is there."""

FILE_RESOURCES = 1_024
"""Resources of one file to import: 4 million rows of 14 days."""

Part = TypeVar("Part")
Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class EndOfFleet:
    """A clock that stands at the end of the samples."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment


def store_fleet(
    state: State,
    tiles: TileStore,
    fleet: Fleet,
    instances: int,
    *,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> None:
    """Opt the account in and store its instances and their tiles, a shard by each process.

    A process holds the samples of a shard, 400 MB for two weeks. By default there are as many as
    cores; with 0 this process writes them itself.
    """
    clock = EndOfFleet(fleet.recipe.as_of)
    change_enrollment(state, clock, fleet.recipe.account, "Active")
    advance_enrollments(state, clock)
    for first in range(0, instances, INVENTORY_ROWS):
        numbers = range(first, min(first + INVENTORY_ROWS, instances))
        with state.writing() as connection:
            upsert_resources(connection, [resource_of(fleet, number) for number in numbers])
    with state.reading() as connection:
        held = {key: arns_of(connection, key) for key in shards(connection)}
    with tiles.locked():
        stage = partial(_stage_shard, tiles)
        staged: list[StagedTile] = []
        for done, found in enumerate(_written(fleet, stage, list(held.items()), workers), 1):
            staged += found
            progress(done, len(held))
        publish(state, tiles, staged)


def write_import_files(
    folder: Path,
    fleet: Fleet,
    instances: int,
    *,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> tuple[Path, list[Path]]:
    """Write `inventory.csv` and wide Parquet files of metrics; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    inventory = folder / "inventory.csv"
    _write_inventory(inventory, fleet, instances)
    blocks = [
        range(first, min(first + FILE_RESOURCES, instances))
        for first in range(0, instances, FILE_RESOURCES)
    ]
    metrics = []
    write = partial(_write_metrics, folder)
    for done, path in enumerate(_written(fleet, write, blocks, workers), 1):
        metrics.append(path)
        progress(done, len(blocks))
    return inventory, metrics


def _stage_shard(
    tiles: TileStore, fleet: Fleet, shard: tuple[ShardKey, Sequence[str]]
) -> list[StagedTile]:
    key, arns = shard
    samples = samples_of(fleet, [number_of(arn) for arn in arns])
    first = fleet.recipe.window.first
    return [
        tiles.stage(key, first + timedelta(days=day), Tile(tuple(arns), _day(samples, day)))
        for day in range(fleet.recipe.days)
    ]


def _day(samples: dict[MetricKey, Any], day: int) -> dict[MetricKey, Any]:
    slots = slice(day * SLOTS_PER_DAY, (day + 1) * SLOTS_PER_DAY)
    return {key: np.ascontiguousarray(matrix[:, slots]) for key, matrix in samples.items()}


def _write_inventory(path: Path, fleet: Fleet, instances: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "account", "region", "type", "name", "tags"])
        for number in range(instances):
            one = resource_of(fleet, number)
            tags = ";".join(f"{key}={value}" for key, value in one.tags.items())
            placed = [one.resource_id, one.account_id, one.region]
            writer.writerow([*placed, one.instance_type, one.name, tags])


def _write_metrics(folder: Path, fleet: Fleet, numbers: range) -> Path:
    slots = fleet.recipe.days * SLOTS_PER_DAY
    begin = np.datetime64(fleet.recipe.window.first, "ms")
    moments = begin + np.arange(slots) * np.timedelta64(SLOT_SECONDS, "s").astype("m8[ms]")
    rows = pa.array(np.repeat(np.arange(len(numbers), dtype=np.int32), slots))
    names = pa.array([resource_of(fleet, number).resource_id for number in numbers])
    columns = {
        "resource": pa.DictionaryArray.from_arrays(rows, names),
        "timestamp": pa.array(np.tile(moments, len(numbers))),
    }
    for key, matrix in samples_of(fleet, numbers).items():
        name = key.metric if key.statistic is Statistic.SUM else key.column
        columns[name] = pa.array(matrix.ravel(), from_pandas=True)
    path = folder / f"metrics-{numbers[0] // FILE_RESOURCES:05}.parquet"
    pq.write_table(pa.table(columns), path)
    return path


# The fleet goes to each process once, not with every part.

_FLEETS: list[Fleet] = []


def _written(
    fleet: Fleet,
    write: Callable[[Fleet, Part], Written],
    parts: Sequence[Part],
    workers: int | None,
) -> Iterator[Written]:
    """Yield what is written of each part, in their order."""
    wanted = min(available_cores() if workers is None else workers, len(parts))
    if wanted < 2:
        yield from (write(fleet, part) for part in parts)
        return
    with ProcessPoolExecutor(wanted, get_context("spawn"), _take_fleet, (fleet,)) as pool:
        yield from pool.map(partial(_write_in_process, write), parts)


def _take_fleet(fleet: Fleet) -> None:
    _FLEETS.append(fleet)


def _write_in_process(write: Callable[[Fleet, Part], Written], part: Part) -> Written:
    return write(_FLEETS[0], part)
