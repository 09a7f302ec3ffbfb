"""Measure how fast files come in: samples per second, by kind of file and order of rows.

    python -m benchmarks.import_rate [RESOURCES] [--budget MB] [--rounds 1] [--output json]

RESOURCES (1,000) x 14 days x 4 series of generated samples as wide Parquet, in the order of
resources and in the order of time; and one day of them as wide and as long CSV. Each import goes
into a fresh data folder, from opening the file to the visible change; memory is the highest of the
process so far. `--budget` is the memory for buffers, to see what spilling to the disk costs.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from benchmarks.measurement import Report, add_output, measurements_of, show
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State
from compute_optimizer.store.tile_buffer import BUFFER_BYTES
from compute_optimizer.store.tiles import TileStore

ACCOUNT = "111111111111"
DAYS = 14
FIRST = np.datetime64("2026-01-01", "s")
SEED = 2026
PERCENT = ("CPUUtilization_Maximum", "CPUUtilization_Average")
COUNTERS = ("NetworkIn", "NetworkOut")


def wide(resources: int, days: int, by_time: bool) -> Any:
    generator, slots = np.random.default_rng(SEED), days * SLOTS_PER_DAY
    machine, slot = np.divmod(np.arange(resources * slots), slots)
    if by_time:
        slot, machine = np.divmod(np.arange(resources * slots), resources)
    names = pa.array([f"i-{number}" for number in range(resources)])
    columns: dict[str, Any] = {
        "resource": pa.DictionaryArray.from_arrays(pa.array(machine.astype(np.int32)), names),
        "timestamp": pa.array(FIRST + slot * np.timedelta64(SLOT_SECONDS, "s")),
    }
    for name in PERCENT:
        columns[name] = pa.array(np.round(generator.uniform(0, 100, len(slot)), 2))
    for name in COUNTERS:
        columns[name] = pa.array(generator.integers(0, 10**9, len(slot)))
    return pa.table(columns)


def long(table: Any) -> Any:
    parts = []
    for name in (*PERCENT, *COUNTERS):
        metric, _, statistic = name.partition("_")
        words = {"metric": metric, "statistic": statistic or "Sum"}
        columns = {key: pa.array([word] * len(table)) for key, word in words.items()}
        value = table[name].cast(pa.float64())
        fixed = {"resource": table["resource"], "timestamp": table["timestamp"]}
        parts.append(pa.table({**fixed, **columns, "value": value}))
    return pa.concat_tables(parts)


def files(folder: Path, resources: int) -> Iterator[tuple[str, Path]]:
    for name, by_time in (("Parquet, by resource", False), ("Parquet, by time", True)):
        path = folder / f"{by_time}.parquet"
        pq.write_table(wide(resources, DAYS, by_time), path)
        yield name, path
    day = wide(resources, 1, by_time=True)
    day = day.set_column(0, "resource", day["resource"].cast(pa.string()))
    for name, table in (("CSV, wide", day), ("CSV, long", long(day))):
        path = folder / f"{name}.csv"
        pa_csv.write_csv(table, path)
        yield name, path


def bring_in(folder: Path, fleet: Path, metrics: Path, budget: int) -> tuple[int, float]:
    """Return samples taken and seconds."""
    state, clock = State(f"sqlite:///{folder / 'state.db'}"), SystemClock()
    state.migrate()
    change_enrollment(state, clock, ACCOUNT, "Active")
    advance_enrollments(state, clock)
    request = ImportRequest(fleet, (metrics,), buffer_bytes=budget)
    start = time.perf_counter()
    report = ingest(state, TileStore(folder / "tiles"), clock, request)
    seconds = time.perf_counter() - start
    state.close()
    return report.samples.total(), seconds


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("resources", nargs="?", type=int, default=1000)
    parser.add_argument("--budget", type=int, default=BUFFER_BYTES // 10**6)
    parser.add_argument("--rounds", type=int, default=1)
    add_output(parser)
    arguments = parser.parse_args(words)
    budget = arguments.budget * 10**6
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fleet = folder / "fleet.csv"
        rows = (f"i-{n},{ACCOUNT},us-east-1,m5.large" for n in range(arguments.resources))
        fleet.write_text("\n".join(["id,account,region,type", *rows]))
        imported = list(files(folder, arguments.resources))
        for _ in range(arguments.rounds):
            for kind, path in imported:
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    taken, seconds = bring_in(Path(place), fleet, path, budget)
                rates.setdefault(kind, []).append(taken / seconds / 1e6)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    notes = {"files": f"{arguments.resources:,} resources", "memory": f"{memory:,.0f} MB at most"}
    show(Report(measurements_of(rates, "M samples/s"), notes), arguments.output)


if __name__ == "__main__":
    main()
