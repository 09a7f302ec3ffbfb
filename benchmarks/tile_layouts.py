"""Measure file layouts for day tiles: reading them into numpy, their size, and DuckDB over them.

    python -m benchmarks.tile_layouts [RESOURCES] [FOLDER] [--output json]

RESOURCES (4,000) x 14 days x 5 metrics in one file per day, of generated samples with the
resolution of real ones (percentages in hundredths, counters in whole bytes) and 1 % of gaps.
Reading is from the page cache, in one process; pyarrow uses its own threads. "sql" is
quantile_cont(0.995) of every metric and resource in DuckDB, where it can read the layout.
`flat` is the layout of the store, written and read by the store's own functions.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from benchmarks.measurement import Measurement, Report, add_output, show
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, MetricKey, Statistic
from compute_optimizer.store.tile_files import (
    ROW_GROUP_RESOURCES,
    Tile,
    TileFile,
    fill,
    write_tile,
)

DAYS = 14
FIRST = date(2026, 1, 1)
GAPS = 0.01
SEED = 2026
ROUNDS = 3

PERCENT = [MetricKey("CPUUtilization", Statistic.MAXIMUM)]
PERCENT += [MetricKey("mem_used_percent", Statistic.MAXIMUM)]
COUNTERS = [MetricKey(one, Statistic.SUM) for one in ("NetworkIn", "NetworkOut", "VolumeReadOps")]
KEYS = sorted([*PERCENT, *COUNTERS])

Blocks = dict[MetricKey, Matrix]
"""(resources, SLOTS_PER_DAY) by series."""


@dataclass(frozen=True)
class Layout:
    """A way to keep a tile in a file."""

    name: str
    write: Callable[[Path, date, Tile], None]
    read: Callable[[Path, Blocks], None]
    sql: str | None
    """What yields the columns `resource` and `v` of one metric column `{0}` in files `{1}`."""


# One value per resource and day: a list, or its bytes.


def lists(tile: Tile) -> Any:
    columns: dict[str, Any] = {"resource": pa.array(tile.resource_arns)}
    for key in KEYS:
        flat = pa.array(tile.series[key].ravel())
        columns[key.column] = pa.FixedSizeListArray.from_arrays(flat, SLOTS_PER_DAY)
    return pa.table(columns)


def binaries(tile: Tile) -> Any:
    columns: dict[str, Any] = {"resource": pa.array(tile.resource_arns)}
    kind = pa.binary(SLOTS_PER_DAY * 4)
    for key in KEYS:
        buffer = pa.py_buffer(np.ascontiguousarray(tile.series[key]).tobytes())
        columns[key.column] = pa.FixedSizeBinaryArray.from_buffers(
            kind, len(tile.resource_arns), [None, buffer]
        )
    return pa.table(columns)


def write_lists(compression: str) -> Callable[[Path, date, Tile], None]:
    def write(path: Path, _: date, tile: Tile) -> None:
        pq.write_table(
            lists(tile), path, compression=compression, row_group_size=ROW_GROUP_RESOURCES
        )

    return write


def write_binaries(path: Path, _: date, tile: Tile) -> None:
    pq.write_table(binaries(tile), path, compression="lz4", row_group_size=ROW_GROUP_RESOURCES)


def write_ipc(path: Path, _: date, tile: Tile) -> None:
    feather.write_feather(lists(tile), path, compression="lz4", chunksize=ROW_GROUP_RESOURCES)


def read_lists(path: Path, blocks: Blocks) -> None:
    copy_chunks(pq.read_table(path, memory_map=True), blocks, lambda one: one.flatten().to_numpy())


def read_ipc(path: Path, blocks: Blocks) -> None:
    copy_chunks(
        feather.read_table(path, memory_map=True), blocks, lambda one: one.flatten().to_numpy()
    )


def read_binaries(path: Path, blocks: Blocks) -> None:
    def values(chunk: Any) -> Any:
        start = chunk.offset * SLOTS_PER_DAY
        return np.frombuffer(chunk.buffers()[1], np.float32)[
            start : start + len(chunk) * SLOTS_PER_DAY
        ]

    copy_chunks(pq.read_table(path, memory_map=True), blocks, values)


def copy_chunks(table: Any, blocks: Blocks, values: Callable[[Any], Any]) -> None:
    for key, block in blocks.items():
        start = 0
        for chunk in table[key.column].chunks:
            block[start : start + len(chunk)] = values(chunk).reshape(-1, SLOTS_PER_DAY)
            start += len(chunk)


# One value per row: as the store keeps it, and variations of that.


def read_flat(path: Path, blocks: Blocks) -> None:
    with TileFile(path) as file:
        _, columns = file.read(blocks.keys())
    for key, block in blocks.items():
        fill(block, columns[key])


def rewrite_flat(**options: Any) -> Callable[[Path, date, Tile], None]:
    def write(path: Path, day: date, tile: Tile) -> None:
        write_tile(path, day, tile)
        table = pq.read_table(path, read_dictionary=["resource"])
        rows = ROW_GROUP_RESOURCES * SLOTS_PER_DAY
        pq.write_table(table, path, row_group_size=rows, **options)

    return write


# Percentages as 16-bit hundredths, gaps as the one number that no percentage has.

GAP, STEPS = np.iinfo(np.uint16).max, 100


def write_hundredths(path: Path, day: date, tile: Tile) -> None:
    write_tile(path, day, tile)
    table = pq.read_table(path, read_dictionary=["resource"])
    for place, key in ((table.column_names.index(key.column), key) for key in PERCENT):
        values = np.nan_to_num(tile.series[key].ravel() * STEPS, nan=GAP)
        codes = pa.array(np.round(values).astype(np.uint16))
        table = table.set_column(place, key.column, codes)
    pq.write_table(
        table,
        path,
        row_group_size=ROW_GROUP_RESOURCES * SLOTS_PER_DAY,
        compression="lz4",
        use_dictionary=["resource", "timestamp"],
        use_byte_stream_split=[key.column for key in KEYS],
    )


def read_hundredths(path: Path, blocks: Blocks) -> None:
    # Row group by row group, as `fill` wants it.
    table = pq.ParquetFile(path, memory_map=True).read([key.column for key in blocks])
    for key, block in blocks.items():
        if key not in PERCENT:
            fill(block, table[key.column])
            continue
        codes = table[key.column].to_numpy().reshape(block.shape)
        block[...] = codes / STEPS
        block[codes == GAP] = np.nan


OF_LISTS = "SELECT resource, unnest({0}) AS v FROM read_parquet('{1}')"
OF_ROWS = "SELECT resource, {0} AS v FROM read_parquet('{1}')"

LAYOUTS = [
    Layout("lists, zstd", write_lists("zstd"), read_lists, OF_LISTS),
    Layout("lists, lz4", write_lists("lz4"), read_lists, OF_LISTS),
    Layout("binary, lz4", write_binaries, read_binaries, None),
    Layout("Arrow IPC, lz4", write_ipc, read_ipc, None),
    Layout("flat", write_tile, read_flat, OF_ROWS),
    Layout("flat, dictionaries", rewrite_flat(compression="lz4"), read_flat, OF_ROWS),
    Layout("flat, 16-bit percentages", write_hundredths, read_hundredths, None),
    Layout("flat, zstd", rewrite_flat(compression="zstd"), read_flat, OF_ROWS),
    Layout(
        "flat, no dictionaries",
        rewrite_flat(compression="lz4", use_dictionary=["resource"]),
        read_flat,
        OF_ROWS,
    ),
]


def tiles(resources: int) -> list[Tile]:
    generator = np.random.default_rng(SEED)
    arns = tuple(
        f"arn:aws:ec2:us-east-1:111111111111:instance/i-{n:017x}" for n in range(resources)
    )
    return [Tile(arns, samples(generator, resources)) for _ in range(DAYS)]


def samples(generator: np.random.Generator, resources: int) -> Blocks:
    shape = (resources, SLOTS_PER_DAY)
    found: Blocks = {}
    for key in KEYS:
        if key in PERCENT:
            values = np.round(100 * generator.beta(2, 8, shape), 2)
        else:
            values = np.round(
                generator.lognormal(9, 1, (resources, 1)) * generator.gamma(2, 1, shape)
            )
        values[generator.random(shape) < GAPS] = np.nan
        found[key] = values.astype(np.float32)
    return found


def seconds_of(work: Callable[[], None]) -> tuple[float, ...]:
    spans = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        spans.append(time.perf_counter() - start)
    return tuple(spans)


def measure(layout: Layout, stored: list[Tile], folder: Path) -> list[Measurement]:
    """Return seconds to read, megabytes, and seconds of the percentile in SQL."""
    paths = [folder / f"{FIRST + timedelta(days=number)}.parquet" for number in range(DAYS)]
    for number, (path, tile) in enumerate(zip(paths, stored, strict=True)):
        layout.write(path, FIRST + timedelta(days=number), tile)
    resources = len(stored[0].resource_arns)
    whole = {key: np.empty((resources, DAYS * SLOTS_PER_DAY), np.float32) for key in KEYS}

    def read() -> None:
        for number, path in enumerate(paths):
            slots = slice(number * SLOTS_PER_DAY, (number + 1) * SLOTS_PER_DAY)
            layout.read(path, {key: matrix[:, slots] for key, matrix in whole.items()})

    found = [Measurement(f"{layout.name}: read", "s", seconds_of(read))]
    for number, tile in enumerate(stored):
        slots = slice(number * SLOTS_PER_DAY, (number + 1) * SLOTS_PER_DAY)
        for key in KEYS:
            np.testing.assert_array_equal(whole[key][:, slots], tile.series[key])
    size = sum(path.stat().st_size for path in paths) / 1e6
    found.append(Measurement(f"{layout.name}: size", "MB", (size,)))
    if layout.sql:
        asked = seconds_of(lambda: percentiles(layout, folder))
        found.append(Measurement(f"{layout.name}: sql", "s", asked))
    return found


def percentiles(layout: Layout, folder: Path) -> None:
    with duckdb.connect() as connection:
        for key in KEYS:
            source = (layout.sql or "").format(key.column, folder / "*.parquet")
            connection.execute(
                f"SELECT resource, quantile_cont(v, 0.995) FROM ({source}) "
                "WHERE NOT isnan(v) GROUP BY resource"
            ).fetchall()


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("resources", nargs="?", type=int, default=4000)
    parser.add_argument("folder", nargs="?", type=Path, default=None)
    add_output(parser)
    arguments = parser.parse_args(words)
    stored = tiles(arguments.resources)
    found: list[Measurement] = []
    for layout in LAYOUTS:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            found += measure(layout, stored, Path(folder))
    notes = {"tiles": f"{arguments.resources:,} resources x {DAYS} days x {len(KEYS)} metrics"}
    show(Report(tuple(found), notes), arguments.output)


if __name__ == "__main__":
    main()
