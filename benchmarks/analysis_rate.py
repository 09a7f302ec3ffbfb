"""Instances analyzed per second, from day tiles to stored recommendations, beside yardsticks
over the same tiles: only reading them into numpy, and one quantile_cont(.995) of every column, by
DuckDB and by Polars.

    python -m benchmarks.analysis_rate [--instances 4000] [--rounds 3] [--fleet traces]
                                       [--output json]

14 days of every instance, in two Regions: five metrics that are generated, or six that are made of
the load of real machines (benchmarks.fleets). All run in turn on the same machine and on as many
cores: DuckDB and Polars in threads, analyzing and reading in processes, one for each core and each
with a share of the shards. The processes stay from round to round, as the libraries of the others
stay loaded. "analyze" is a first analysis, which also makes the days in short; "analyze again"
finds them, as that of the next day would find all but one. Runs that nobody reads any more are
removed between rounds, so that the state stays as large as it is in use.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import duckdb
import polars
import polars.selectors

from benchmarks.engine_speed import AS_OF, generated_fleet, generated_samples
from benchmarks.fleets.profiles import load_profiles, told
from benchmarks.fleets.recipe import Recipe, fleet_of
from benchmarks.fleets.writing import store_fleet
from benchmarks.measurement import Measurement, Report, add_output, show
from benchmarks.percentile_peers import quantiles_by_polars
from compute_optimizer.interfaces import Executor, Found, Progress, Task, no_progress
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.executors.local import available_cores
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, look_back
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import RUN_KEPT, prune_runs
from compute_optimizer.store.inventory import resources_of, shard_sizes, shards, upsert_resources
from compute_optimizer.store.tile_files import Tile, limit_decoding
from compute_optimizer.store.tiles import DIGESTS, TileStore, publish, read_samples

ACCOUNT = "111111111111"
REGIONS = ("us-east-1", "eu-west-1")
LOOK_BACK_DAYS = 14
WHOLE, AGAIN, READ, DUCKDB, POLARS = (
    "analyze",
    "analyze again",
    "read the tiles",
    "DuckDB quantile_cont",
    "Polars quantile",
)
GENERATED, TRACES = "generated", "traces"


class FixedClock:
    """The end of the generated data."""

    def now(self) -> datetime:
        """Return the moment."""
        return AS_OF


def make_fleet(folder: Path, instances: int, fleet: str = GENERATED) -> tuple[State, TileStore]:
    """Store a fleet of opted-in instances, GENERATED or made of TRACES, and its tiles."""
    state, tiles = State(f"sqlite:///{folder / 'state.db'}"), TileStore(folder / "tiles")
    state.migrate()
    if fleet == TRACES:
        store_fleet(state, tiles, fleet_of(Recipe(), load_profiles()), instances)
        return state, tiles
    change_enrollment(state, FixedClock(), ACCOUNT, "Active")
    for region in REGIONS:
        store_region(state, tiles, region, instances // len(REGIONS))
    return state, tiles


def store_region(state: State, tiles: TileStore, region: str, instances: int) -> None:
    """Store instances of ACCOUNT in a Region, and their tiles."""
    moved = [
        replace(one, arn=one.arn.replace("us-east-1", region), region=region)
        for one in generated_fleet(instances)
    ]
    with state.writing() as connection:
        upsert_resources(connection, moved)
    samples = generated_samples(instances, gaps=False, both=False)
    with state.reading() as connection:
        keys = [key for key in shards(connection) if key.region == region]
        rows = {key: [one.arn for one in resources_of(connection, key)] for key in keys}
    row_of = {one.arn: row for row, one in enumerate(moved)}
    with tiles.locked():
        staged = [
            tiles.stage(key, samples.window.first + timedelta(days=day), tile)
            for key in keys
            for day, tile in enumerate(_tiles(samples, rows[key], row_of))
        ]
        publish(state, tiles, staged)


def _tiles(samples: ShardSamples, arns: Sequence[str], row_of: dict[str, int]) -> list[Tile]:
    rows = [row_of[arn] for arn in arns]
    return [
        Tile(
            tuple(arns),
            {
                key: matrix[rows, day * SLOTS_PER_DAY : (day + 1) * SLOTS_PER_DAY]
                for key, matrix in samples.series.items()
            },
        )
        for day in range(samples.window.days)
    ]


@contextmanager
def kept_processes(count: int) -> Iterator[Executor]:
    """Yield what works off tasks in processes that stay, each decoding tiles in one thread."""
    with ProcessPoolExecutor(count, get_context("spawn"), limit_decoding, (1,)) as pool:
        yield partial(_work_off, pool)


def _work_off(
    pool: ProcessPoolExecutor,
    work: Callable[[Task], Found],
    tasks: Sequence[Task],
    progress: Progress,
    *,
    resources: int,
) -> list[Found]:
    return list(pool.map(work, tasks))


def analyze_all(state: State, tiles: TileStore, executor: Executor | None = None) -> None:
    """Run the whole analysis: tiles to stored, visible recommendations."""
    analyze(state, tiles, FixedClock(), executor=executor)


def forget_runs(state: State) -> None:
    """Remove all runs but the current one, as a day does: a state holds two or three of them."""
    with state.writing() as connection:
        prune_runs(connection, AS_OF + 2 * RUN_KEPT)


@dataclass(frozen=True, slots=True)
class ReadTask:
    """What another process needs to read one shard."""

    state_url: str
    tiles: TileStore
    shard: ShardKey

    @property
    def name(self) -> str:
        """Return what people call its shard."""
        return self.shard.name


def read_all(state: State, tiles: TileStore, executor: Executor) -> None:
    """Only read the samples that the analysis reads."""
    with state.reading() as connection:
        sizes = shard_sizes(connection)
    tasks = [ReadTask(state.url, tiles, shard) for shard in sizes]
    executor(_read_shard, tasks, no_progress, resources=sum(sizes.values()))


def _read_shard(task: ReadTask) -> None:
    window = look_back(AS_OF, LOOK_BACK_DAYS)
    with closing(State(task.state_url)) as state, state.reading() as connection:
        read_samples(connection, task.tiles, task.shard, window, RESOURCE_TYPES[0].metrics)


def query_all(tiles: TileStore) -> None:
    """Ask DuckDB for the P99.5 of every metric of every instance over the same files."""
    files = str(tiles.root / "current" / "**" / "*.parquet")
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {available_cores()}")
        columns = connection.execute(
            "SELECT name FROM parquet_schema(?) WHERE type = 'FLOAT'", [files]
        ).fetchall()
        quantiles = ", ".join(
            f'quantile_cont("{name}", 0.995)' for name in sorted({name for (name,) in columns})
        )
        connection.execute(
            f"SELECT resource, {quantiles} FROM read_parquet(?) GROUP BY resource", [files]
        ).fetchall()


def measure(instances: int, rounds: int, fleet: str) -> dict[str, list[float]]:
    """Return instances per second of each, in every round; one round before is not counted."""
    with (
        tempfile.TemporaryDirectory() as folder,
        kept_processes(available_cores()) as executor,
    ):
        state, tiles = make_fleet(Path(folder), instances, fleet)
        runs: dict[str, Callable[[], object]] = {
            WHOLE: lambda: analyze_all(state, tiles, executor),
            AGAIN: lambda: analyze_all(state, tiles, executor),
            READ: lambda: read_all(state, tiles, executor),
            DUCKDB: lambda: query_all(tiles),
            POLARS: lambda: quantiles_by_polars(tiles, polars.selectors.float()),
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds + 1):
            shutil.rmtree(tiles.root / DIGESTS, ignore_errors=True)
            forget_runs(state)
            for name, run in runs.items():
                start = perf_counter()
                run()
                seconds[name].append(perf_counter() - start)
        state.close()
    return {name: [instances / one for one in found[1:]] for name, found in seconds.items()}


def told_rates(rates: dict[str, list[float]]) -> tuple[Measurement, ...]:
    """Return the rates, those of analyses beside those of the yardsticks."""
    yardsticks = (READ, DUCKDB, POLARS)
    return tuple(
        Measurement(name, "instances/s", tuple(found), () if name in yardsticks else yardsticks)
        for name, found in rates.items()
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the rates and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fleet", choices=(GENERATED, TRACES), default=GENERATED)
    add_output(parser)
    options = parser.parse_args(arguments)
    rates = measure(options.instances, options.rounds, options.fleet)
    made = told(load_profiles()) if options.fleet == TRACES else "generated load"
    notes = {"fleet": f"{options.instances:,} instances x {LOOK_BACK_DAYS} days of {made}"}
    notes["cores"] = (
        f"{available_cores()} for all: analyzing and reading have a process for each, which stays "
        "from round to round, DuckDB and Polars threads"
    )
    show(Report(told_rates(rates), notes), options.output)


if __name__ == "__main__":
    main()
