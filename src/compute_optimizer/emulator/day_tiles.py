"""From what resources sent to the day tiles of the metric store."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.emulator.loads import Period
from compute_optimizer.emulator.metering import Series
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix
from compute_optimizer.model.resource import Resource, ShardKey
from compute_optimizer.store import State, inventory
from compute_optimizer.store.tile_files import Tile
from compute_optimizer.store.tiles import TileStore, publish, stage_merged, tile_paths


@dataclass(frozen=True, slots=True)
class Metered:
    """Resources and what they sent, rows in their order."""

    resources: Sequence[Resource]
    period: Period
    series: Series


def publish_metered(
    state: State,
    store: TileStore,
    metered: Sequence[Metered],
    write: Callable[[Connection], None],
) -> None:
    """Make samples visible in one transaction, together with what `write` writes."""
    resources = [one for part in metered for one in part.resources]
    with state.reading() as connection:
        keys = inventory.place(connection, resources)
        stored = tile_paths(connection)
    with store.locked():
        staged = (
            stage_merged(store, stored.get((key, day)), key, day, tile)
            for key, day, tile in _tiles(metered, keys)
        )
        whole = [one for one in staged if one is not None]
        publish(state, store, whole, write)


def _tiles(
    metered: Sequence[Metered], keys: dict[str, ShardKey]
) -> Iterator[tuple[ShardKey, date, Tile]]:
    shards: dict[ShardKey, list[Metered]] = {}
    for one in metered:
        if one.series:
            shards.setdefault(keys[one.resources[0].arn], []).append(one)
    for key, parts in shards.items():
        first = min(one.period.window.first for one in parts)
        last = max(one.period.window.last for one in parts)
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            if (tile := _tile(parts, day)) is not None:
                yield key, day, tile


def _tile(parts: Sequence[Metered], day: date) -> Tile | None:
    """Return what one shard sent on a day; None where that is nothing."""
    arns = tuple(sorted(one.arn for part in parts for one in part.resources))
    row_of = {arn: row for row, arn in enumerate(arns)}
    series: Series = {}
    for part in parts:
        start = (day - part.period.window.first).days * SLOTS_PER_DAY
        if start < 0:
            continue
        rows = [row_of[one.arn] for one in part.resources]
        for key, matrix in part.series.items():
            sent: Matrix = matrix[:, start : start + SLOTS_PER_DAY]
            if not np.isnan(sent).all():
                gaps = np.full((len(arns), SLOTS_PER_DAY), np.nan, np.float32)
                series.setdefault(key, gaps)[rows] = sent
    return Tile(arns, series) if series else None
