"""One percentile over the same day tiles: the engine's way beside DuckDB, Polars and only reading.

    python -m benchmarks.percentile_peers [--instances 2000] [--rounds 3] [--output json]

P99.5 of the CPU of every instance, over a fleet made of the load of real machines. All of them run
in turn on the same machine, with as many threads as it has cores, and must find the same figures.
What the whole analysis takes beside them: benchmarks.analysis_rate.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter

import duckdb
import numpy as np
import polars

from benchmarks.fleets.profiles import CPU, load_profiles, told
from benchmarks.fleets.recipe import Fleet, Recipe, fleet_of
from benchmarks.fleets.writing import store_fleet
from benchmarks.machine import available_cores
from benchmarks.measurement import Report, add_output, measurements_of, show
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.engine.statistics import BLOCK_ROWS, percentile, tail_depth, upper_tail
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples
from compute_optimizer.store import State
from compute_optimizer.store.inventory import shards
from compute_optimizer.store.tiles import TileStore, read_samples

PERCENT = 99.5
ENGINE, READ, DUCKDB, POLARS = (
    "tiles and the engine's percentile",
    "read the column",
    "DuckDB quantile_cont",
    "Polars quantile",
)

ByArn = dict[str, float]
"""The percentile of each instance that has one."""


def samples_by_shard(state: State, tiles: TileStore, fleet: Fleet) -> list[ShardSamples]:
    """Return the CPU of every shard."""
    with state.reading() as connection:
        return [
            read_samples(connection, tiles, key, fleet.recipe.window, [CPU])
            for key in shards(connection)
        ]


def by_engine(state: State, tiles: TileStore, fleet: Fleet) -> ByArn:
    """Read the tiles as an analysis does and take the percentile as the engine does."""
    found: ByArn = {}
    for samples in samples_by_shard(state, tiles, fleet):
        values = _percentiles(samples)
        known = ~np.isnan(values)
        found |= dict(zip(np.array(samples.resource_arns)[known], values[known], strict=True))
    return found


def _percentiles(samples: ShardSamples) -> Floats:
    matrix = samples.series[CPU]
    depth = tail_depth(samples.window.days * SLOTS_PER_DAY, PERCENT)
    blocks = (matrix[row : row + BLOCK_ROWS] for row in range(0, len(matrix), BLOCK_ROWS))
    return np.concatenate([percentile(*upper_tail(block, depth), PERCENT) for block in blocks])


def by_duckdb(tiles: TileStore) -> ByArn:
    """Ask DuckDB."""
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {available_cores()}")
        rows = connection.execute(
            f'SELECT resource, quantile_cont("{CPU.column}", {PERCENT / 100}) '
            "FROM read_parquet(?) GROUP BY resource",
            [_files(tiles)],
        ).fetchall()
    return {arn: value for arn, value in rows if value is not None}


def by_polars(tiles: TileStore) -> ByArn:
    """Ask Polars."""
    known = quantiles_by_polars(tiles, polars.col(CPU.column)).drop_nulls(CPU.column)
    return dict(zip(known["resource"].cast(polars.String), known[CPU.column], strict=True))


def quantiles_by_polars(tiles: TileStore, columns: polars.Expr) -> polars.DataFrame:
    """Return the percentile of some columns by instance."""
    return (
        polars.scan_parquet(_files(tiles), hive_partitioning=False)
        .group_by("resource")
        .agg(columns.quantile(PERCENT / 100, "linear"))
        .collect(engine="streaming")
    )


def _files(tiles: TileStore) -> str:
    return str(tiles.root / "current" / "**" / "*.parquet")


def check_equal(found: dict[str, ByArn]) -> None:
    """End the program where two of them find different figures."""
    wanted = found[ENGINE]
    for name, other in found.items():
        if other.keys() != wanted.keys():
            raise SystemExit(f"{name} knows {len(other)} instances, the engine {len(wanted)}")
        apart = max(abs(other[arn] - value) for arn, value in wanted.items())
        if apart > 1e-4:  # Percent; samples are float32, with a resolution of 8e-6 at 100.
            raise SystemExit(f"{name} and the engine are {apart} percent apart")


def measure(instances: int, rounds: int) -> Report:
    """Return instances a second of each, for every round."""
    profiles = load_profiles()
    fleet = fleet_of(Recipe(), profiles)
    with tempfile.TemporaryDirectory() as folder, closing(_state(Path(folder))) as state:
        tiles = TileStore(Path(folder) / "tiles", durable=False)
        store_fleet(state, tiles, fleet, instances)
        asked: dict[str, Callable[[], ByArn]] = {
            ENGINE: lambda: by_engine(state, tiles, fleet),
            DUCKDB: lambda: by_duckdb(tiles),
            POLARS: lambda: by_polars(tiles),
        }
        check_equal({name: ask() for name, ask in asked.items()})
        runs: dict[str, Callable[[], object]] = {
            **asked,
            READ: lambda: samples_by_shard(state, tiles, fleet),
        }
        rates: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                rates[name].append(instances / seconds_of(run))
    notes = {"fleet": f"{instances:,} instances x 14 days of {told(profiles)}"}
    return Report(measurements_of(rates, "instances/s", of=ENGINE), notes)


def seconds_of(run: Callable[[], object]) -> float:
    """Return how long it takes."""
    start = perf_counter()
    run()
    return perf_counter() - start


def _state(folder: Path) -> State:
    state = State(f"sqlite:///{folder / 'state.db'}")
    state.migrate()
    return state


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the rates and their ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--instances", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    add_output(parser)
    given = parser.parse_args(arguments)
    show(measure(given.instances, given.rounds), given.output)


if __name__ == "__main__":
    main()
