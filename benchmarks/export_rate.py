"""Rows exported per second and the memory that it takes, at several sizes: memory must not grow.

    python -m benchmarks.export_rate [--rows 100000,1000000] [--parquet] [--output json]

A run of so many EC2 instances is stored, then exported with every column into a folder, in a
process of its own, whose largest resident set is read at the end. The baseline is Python's own csv
module writing as many rows of as many constant cells.
"""

import argparse
import csv
import json
import multiprocessing
import resource
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from compute_optimizer.jobs.export import Exporter, run_exports
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.operations.exports import queue_export, selection_of
from compute_optimizer.sinks import FolderSink
from compute_optimizer.store import State
from compute_optimizer.store.recommendations import (
    Scope,
    begin_run,
    complete_run,
    write_result,
)
from compute_optimizer.store.tiles import TileStore
from compute_optimizer.views.exports import EXPORT_TABLES
from tests.records import recommendation

ACCOUNT = "111111111111"
REGION = "us-east-1"
NOW = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
STORED_AT_ONCE = 5_000
MEBIBYTE = 2**20
KIBIBYTE = 2**10


class FixedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return the moment."""
        return NOW


@dataclass(frozen=True, slots=True)
class Measured:
    """One size."""

    rows: int
    seconds: float
    peak_mib: float
    """Largest resident set of the exporting process."""
    file_mib: float
    """Of all files."""
    baseline_seconds: float


def instances(rows: int) -> Iterator[list[Ec2InstanceRecommendation]]:
    """Yield recommendations that differ in name and ARN, some thousand at once."""
    for start in range(0, rows, STORED_AT_ONCE):
        numbers = range(start, min(rows, start + STORED_AT_ONCE))
        yield [
            replace(recommendation(number, account_id=ACCOUNT), current_hourly_usd=0.192)
            for number in numbers
        ]


def prepare(folder: Path, rows: int) -> None:
    """Store a current run and queue its export."""
    state = State(f"sqlite:///{folder / 'state.db'}")
    state.migrate()
    change_enrollment(state, FixedClock(), ACCOUNT, "Active")
    scope = Scope(ACCOUNT, REGION, EC2_INSTANCE)
    with state.writing() as connection:
        run_id = begin_run(connection, NOW, NOW)
        for some in instances(rows):
            write_result(connection, run_id, scope, some, [], now=NOW)
        complete_run(connection, run_id, [scope], NOW)
    sink = FolderSink(folder / "exports")
    tiles = TileStore(folder / "tiles")
    context = Context(ACCOUNT, REGION, "benchmark", "", state, FixedClock(), tiles, sink=sink)
    wanted = {"s3DestinationConfig": {"bucket": "benchmark"}}
    queue_export("ExportEC2InstanceRecommendations", context, wanted)
    state.close()


def export(folder: Path, parquet: bool, told: Any) -> None:
    """Write the export and tell how long it took and how much memory the process had."""
    state = State(f"sqlite:///{folder / 'state.db'}")
    sink = FolderSink(folder / "exports")
    start = perf_counter()
    (outcome,) = run_exports(Exporter(state, FixedClock(), sink, selection_of, parquet))
    seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    told.send((outcome.rows, outcome.failure_reason, seconds, peak / MEBIBYTE))


def baseline(folder: Path, rows: int) -> float:
    """Return how long the csv module takes for as many rows of constant cells."""
    cells = ["some text", 12.5, 3, True, None] * len(EXPORT_TABLES[EC2_INSTANCE].columns)
    row = cells[: len(EXPORT_TABLES[EC2_INSTANCE].columns)]
    start = perf_counter()
    with (folder / "baseline.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for _ in range(rows):
            writer.writerow(row)
    return perf_counter() - start


def measure(rows: int, parquet: bool) -> Measured:
    """Store, export and count."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, rows)
        receive, send = spawn.Pipe(duplex=False)
        process = spawn.Process(target=export, args=(folder, parquet, send))
        process.start()
        written, reason, seconds, peak = receive.recv()
        process.join()
        if reason or written != rows:
            raise SystemExit(f"exported {written} of {rows} rows: {reason}")
        size = sum(one.stat().st_size for one in (folder / "exports").rglob("*") if one.is_file())
        return Measured(rows, seconds, peak, size / MEBIBYTE, baseline(folder, rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", default="100000,1000000", help="sizes, with commas")
    parser.add_argument("--parquet", action="store_true", help="write a Parquet file, too")
    parser.add_argument("--output", choices=["table", "json"], default="table")
    arguments = parser.parse_args()
    found = [measure(int(rows), arguments.parquet) for rows in arguments.rows.split(",")]
    if arguments.output == "json":
        print(
            json.dumps([{name: getattr(one, name) for name in Measured.__slots__} for one in found])
        )
        return
    for one in found:
        print(
            f"{one.rows:>9,} rows   {one.rows / one.seconds:8,.0f} rows/s   "
            f"x {one.baseline_seconds / one.seconds:4.2f} of csv alone   "
            f"peak {one.peak_mib:5,.0f} MiB   files {one.file_mib:7,.0f} MiB"
        )


if __name__ == "__main__":
    main()
