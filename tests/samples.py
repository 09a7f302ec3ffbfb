"""Samples for tests: written through the metric store's own door."""

from datetime import timedelta

from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store import State
from compute_optimizer.store.tile_files import Tile
from compute_optimizer.store.tiles import TileStore, publish, stage_merged, tile_paths


def put_samples(state: State, tiles: TileStore, key: ShardKey, samples: ShardSamples) -> None:
    """Merge one shard's samples into the store as one visible change."""
    with state.reading() as connection:
        paths = tile_paths(connection)
    with tiles.locked():
        staged = []
        for number in range(samples.window.days):
            day = samples.window.first + timedelta(days=number)
            tile = day_of(samples, number)
            staged.append(stage_merged(tiles, paths.get((key, day)), key, day, tile))
        publish(state, tiles, [tile for tile in staged if tile is not None])


def day_of(samples: ShardSamples, number: int) -> Tile:
    """Return one day of the samples as a tile."""
    slots = slice(number * SLOTS_PER_DAY, (number + 1) * SLOTS_PER_DAY)
    series = {key: matrix[:, slots].copy() for key, matrix in samples.series.items()}
    return Tile(samples.resource_arns, series)
