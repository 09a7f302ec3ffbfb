"""Rows exported per second and the memory that it takes, at several sizes: memory must not grow.

    python -m benchmarks.export_rate [--rows 100000,1000000] [--to folder,s3] [--parquet]
                                     [--output json]

A run of so many EC2 instances is stored, then exported with every column into a folder and to
moto's S3, which is a process of its own, as is each export, whose largest resident set is read at
the end. The baseline is Python's own csv module writing as many rows of as many constant cells.
"""

import argparse
import csv
import logging
import multiprocessing
import os
import resource
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import boto3
from botocore.config import Config
from msgspec import structs

from benchmarks.measurement import Measurement, Report, add_output, show
from compute_optimizer.interfaces import Sink
from compute_optimizer.jobs.export import Exporter, run_exports
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.operations.exports import queue_export, selection_of
from compute_optimizer.sinks import FolderSink, S3Sink
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope, begin_run, complete_run, write_result
from compute_optimizer.store.tiles import TileStore
from compute_optimizer.views.exports import EXPORT_TABLES
from tests.records import recommendation

ACCOUNT = "111111111111"
REGION = "us-east-1"
NOW = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
STORED_AT_ONCE = 5_000
FOLDER, S3 = "folder", "s3"
BUCKET = "benchmark"
MEBIBYTE = 2**20
KIBIBYTE = 2**10


class FixedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return the moment."""
        return NOW


@dataclass(frozen=True, slots=True)
class Measured:
    """One export."""

    rows: int
    to: str
    """FOLDER or S3."""
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
            structs.replace(recommendation(number, account_id=ACCOUNT), current_hourly_usd=0.192)
            for number in numbers
        ]


def prepare(folder: Path, rows: int) -> None:
    """Store a current run."""
    state = State(f"sqlite:///{folder / 'state.db'}")
    state.migrate()
    change_enrollment(state, FixedClock(), ACCOUNT, "Active")
    scope = Scope(ACCOUNT, REGION, EC2_INSTANCE)
    with state.writing() as connection:
        run_id = begin_run(connection, NOW, NOW)
        for some in instances(rows):
            write_result(connection, run_id, scope, some, [], now=NOW)
        complete_run(connection, run_id, [scope], NOW)
    state.close()


def export(folder: Path, endpoint: str, parquet: bool, told: Any) -> None:
    """Queue and write an export, to S3 where there is an endpoint.

    Tells how long it took, how much memory the process had and how large the files are.
    """
    state = State(f"sqlite:///{folder / 'state.db'}")
    sink: Sink = S3Sink(endpoint) if endpoint else FolderSink(folder / "exports")
    tiles = TileStore(folder / "tiles")
    context = Context(ACCOUNT, REGION, "benchmark", "", state, FixedClock(), tiles, sink=sink)
    wanted = {"s3DestinationConfig": {"bucket": BUCKET}}
    queue_export("ExportEC2InstanceRecommendations", context, wanted)
    start = perf_counter()
    (outcome,) = run_exports(Exporter(state, FixedClock(), sink, selection_of, parquet))
    seconds = perf_counter() - start
    peak = peak_bytes()
    size = bytes_in_s3(endpoint) if endpoint else bytes_in(folder / "exports")
    told.send((outcome.rows, outcome.failure_reason, seconds, peak / MEBIBYTE, size / MEBIBYTE))


def peak_bytes() -> int:
    """Return the largest resident set of this process.

    Linux counts what the process was before it became this program into its usage, so its own
    status is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) * KIBIBYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE


def bytes_in(folder: Path) -> int:
    """Return the size of all files of a folder."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())


def bytes_in_s3(endpoint: str) -> int:
    """Return the size of all objects of the bucket."""
    listed = client_of(endpoint).list_objects_v2(Bucket=BUCKET)
    return sum(one["Size"] for one in listed["Contents"])


def client_of(endpoint: str) -> Any:
    """Return a client of moto's S3."""
    config = Config(s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=endpoint, region_name=REGION, config=config)


def serve_s3(told: Any) -> None:
    """Serve moto's S3 until somebody ends the process."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    told.send(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


@contextmanager
def s3_served(wanted: bool) -> Iterator[str]:
    """Yield the URL of a store with the bucket in it; an empty one where none is wanted."""
    if not wanted:
        yield ""
        return
    spawn = multiprocessing.get_context("spawn")
    receive, send = spawn.Pipe(duplex=False)
    server = spawn.Process(target=serve_s3, args=(send,))
    server.start()
    send.close()
    try:
        endpoint = receive.recv()
        client_of(endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        server.terminate()
        server.join()


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


def measure(rows: int, places: list[str], parquet: bool) -> Iterator[Measured]:
    """Store once, then export to each place and count."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, rows)
        alone = baseline(folder, rows)
        for to in places:
            with s3_served(to == S3) as endpoint:
                receive, send = spawn.Pipe(duplex=False)
                process = spawn.Process(target=export, args=(folder, endpoint, parquet, send))
                process.start()
                send.close()  # So that a process that fails is not waited for.
                written, reason, seconds, peak, size = receive.recv()
                process.join()
            if reason or written != rows:
                raise SystemExit(f"exported {written} of {rows} rows: {reason}")
            yield Measured(rows, to, seconds, peak, size, alone)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--rows", default="100000,1000000", help="sizes, with commas")
    parser.add_argument("--to", default=f"{FOLDER},{S3}", help="places, with commas")
    parser.add_argument("--parquet", action="store_true", help="write a Parquet file, too")
    add_output(parser)
    arguments = parser.parse_args(words)
    # The credentials that the store wants of everybody, and looks at of nobody.
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    found: list[Measurement] = []
    for rows in map(int, arguments.rows.split(",")):
        for one in measure(rows, arguments.to.split(","), arguments.parquet):
            found += told(one)
    show(Report(tuple(found)), arguments.output)


def told(one: Measured) -> list[Measurement]:
    """Return one export as figures."""
    name = f"{one.rows:,} rows to {one.to}"
    alone = f"csv alone, before {name}"
    return [
        Measurement(name, "rows/s", (one.rows / one.seconds,), (alone,)),
        Measurement(alone, "rows/s", (one.rows / one.baseline_seconds,)),
        Measurement(f"memory of {name}", "MiB", (one.peak_mib,)),
        Measurement(f"files of {name}", "MiB", (one.file_mib,)),
    ]


if __name__ == "__main__":
    main()
