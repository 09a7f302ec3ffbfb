"""A daily re-analysis beside a first one, and beside one that reads all samples.

    python -m benchmarks.daily_rate [--instances 4000] [--rounds 3] [--output json]

The fleet is generated as for analysis_rate: 14 days of five metrics for every instance, in two
Regions. The first analysis makes the digests of all days; the daily one finds those of all days but
the last, whose digest is removed before each round, as if that day had just been imported. CPU
time of one process, by turns; bytes are those of the columns and files that are read, compressed.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import Any
from unittest.mock import patch

from benchmarks.analysis_rate import LOOK_BACK_DAYS, FixedClock, make_fleet
from benchmarks.measurement import Measurement, Report, add_output, show
from compute_optimizer.engine.arrays import Integers
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.readings import digested_for, samples_for
from compute_optimizer.model.metrics import SLOTS_PER_DAY, MetricKey
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.store import State
from compute_optimizer.store.inventory import resources_of, shards
from compute_optimizer.store.tile_files import RESOURCE, TileFile
from compute_optimizer.store.tile_places import CURRENT
from compute_optimizer.store.tiles import DIGESTS, TileStore, tile_paths

FIRST, DAILY, SAMPLES = "first analysis", "daily analysis", "analysis of all samples"
READ_DAILY, READ_SAMPLES = "reading for a daily one", "reading all samples"
BASELINES = {FIRST: (SAMPLES,), DAILY: (SAMPLES, READ_SAMPLES), READ_DAILY: (READ_SAMPLES,)}
INSTANCES = RESOURCE_TYPES[0]


class Bytes:
    """What was read of tiles."""

    def __init__(self) -> None:
        self.read = 0

    def count(self, file: TileFile, columns: set[str], groups: Sequence[int]) -> None:
        """Add the compressed chunks of some columns in some row groups."""
        metadata: Any = file._file.metadata
        for group in groups:
            chunks = metadata.row_group(group)
            for place in range(chunks.num_columns):
                if chunks.column(place).path_in_schema in columns:
                    self.read += chunks.column(place).total_compressed_size


@contextmanager
def counted() -> Iterator[Bytes]:
    """Count what is read of tiles meanwhile."""
    found, read, read_rows = Bytes(), TileFile.read, TileFile.read_rows

    def reading(file: TileFile, wanted: Any) -> Any:
        columns = {RESOURCE, *(key.column for key in file.keys & frozenset(wanted))}
        found.count(file, columns, range(file._file.num_row_groups))
        return read(file, wanted)

    def reading_rows(file: TileFile, key: MetricKey, rows: Integers) -> Any:
        metadata, first, groups = file._file.metadata, 0, []
        for group in range(file._file.num_row_groups):
            last = first + metadata.row_group(group).num_rows // SLOTS_PER_DAY
            if ((rows >= first) & (rows < last)).any():
                groups.append(group)
            first = last
        found.count(file, {key.column}, groups)
        return read_rows(file, key, rows)

    with (
        patch.object(TileFile, "read", reading),
        patch.object(TileFile, "read_rows", reading_rows),
    ):
        yield found


def forget_digests(state: State, tiles: TileStore, *, last_only: bool) -> None:
    """Remove the digests of the last day, or of all."""
    if not last_only:
        shutil.rmtree(tiles.root / DIGESTS, ignore_errors=True)
        return
    with state.reading() as connection:
        paths = tile_paths(connection)
    last = max(day for _, day in paths)
    for (_, day), path in paths.items():
        if day == last:
            tiles.digest_path(path).unlink(missing_ok=True)


def read_inputs(state: State, tiles: TileStore, *, in_short: bool) -> None:
    """Only read what an analysis begins with."""
    moment = FixedClock().now()
    with state.reading() as connection:
        for key in shards(connection):
            some = resources_of(connection, key)
            reads: Callable[..., object] = digested_for if in_short else samples_for
            reads(connection, tiles, key, INSTANCES, some, as_of=moment, days=LOOK_BACK_DAYS)


def measure(instances: int, rounds: int) -> Report:
    """Return seconds of a processor and bytes read, of each."""
    with tempfile.TemporaryDirectory() as folder:
        state, tiles = make_fleet(Path(folder), instances)

        def analysis(*, in_short: bool) -> Callable[[], None]:
            def run() -> None:
                analyze(state, tiles, FixedClock(), workers=1, in_short=in_short)

            return run

        runs: dict[str, tuple[bool | None, Callable[[], None]]] = {
            FIRST: (False, analysis(in_short=True)),
            DAILY: (True, analysis(in_short=True)),
            SAMPLES: (None, analysis(in_short=False)),
            READ_DAILY: (True, lambda: read_inputs(state, tiles, in_short=True)),
            READ_SAMPLES: (None, lambda: read_inputs(state, tiles, in_short=False)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        read: dict[str, float] = {}
        analysis(in_short=False)()  # Catalogs are loaded once.
        for _ in range(rounds):
            for name, (last_only, run) in runs.items():
                if last_only is not None:
                    forget_digests(state, tiles, last_only=last_only)
                before = _size(tiles.root / DIGESTS) if last_only is not None else 0
                with counted() as found:
                    start = process_time()
                    run()
                    seconds[name].append(process_time() - start)
                read[name] = found.read + before
        folders = {"tiles": CURRENT, "digests": DIGESTS}
        sizes = {name: float(_size(tiles.root / part)) for name, part in folders.items()}
        state.close()
    told = f"{instances:,} instances x {LOOK_BACK_DAYS} days x 5 metrics, generated"
    return Report(
        (
            *(
                Measurement(name, "s of a processor", tuple(found), BASELINES.get(name, ()))
                for name, found in seconds.items()
            ),
            *(Measurement(f"{name}, read", "bytes", (size,)) for name, size in read.items()),
            *(Measurement(f"{name} on the disk", "bytes", (size,)) for name, size in sizes.items()),
        ),
        {"fleet": told},
    )


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.*") if file.is_file())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    add_output(parser)
    options = parser.parse_args(arguments)
    show(measure(options.instances, options.rounds), options.output)


if __name__ == "__main__":
    main()
