"""Public utilization traces as fleets to replay: the layouts of Bitbrains and of Azure 2017.

A column of the file tells the layout. Two samples in one slot count as their mean, or as their
maximum where the samples are maxima.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compute_optimizer.backtest.fleet import CPU, DISK, MEMORY, NETWORK, TraceFleet, saturated
from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, Matrix, Statistic

BITBRAINS_ORIGINS = (date(2013, 8, 1), date(2013, 8, 16), date(2013, 8, 30), date(2013, 9, 14))
"""31, 46, 60 and 75 days after 1 July, on the file of three months."""

AUGUST_ORIGINS = (date(2013, 8, 15),)
"""August 1 to 14 and 15 to 28, on the file of one month."""

AZURE_VCPUS = 4.0
"""Stands in for the cores of the Azure machines, which the trace does not tell."""

BYTES_PER_KB = 1024
"""Bitbrains counts in KB/s of 1,024 bytes (the traces' own description)."""

CEILING_PERCENT = 100.0
"""CPUUtilization never shows more; the hypervisor's turbo would."""


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Where each row of the file goes."""

    ids: tuple[str, ...]
    first: date
    days: int
    cells: Integers
    """Place of each row in the flattened (resources, slots) matrix."""

    def matrix(self, values: Floats, statistic: Statistic) -> Matrix:
        """Return one value per resource and slot, (resources, slots) float32; NaN where none."""
        return self._spread(self.cells, values, self.days * SLOTS_PER_DAY, statistic)

    def by_day(self, values: Floats) -> Matrix:
        """Return the highest value per resource and day, NaN where there is none above zero."""
        days = self._spread(
            self.cells // SLOTS_PER_DAY, np.maximum(values, 0), self.days, Statistic.MAXIMUM
        )
        return np.where(days > 0, days, np.float32(np.nan))

    def _spread(
        self, cells: Integers, values: Floats, columns: int, statistic: Statistic
    ) -> Matrix:
        size = len(self.ids) * columns
        counts = np.bincount(cells, minlength=size)
        if statistic is Statistic.MAXIMUM:
            totals = np.full(size, -np.inf)
            np.maximum.at(totals, cells, values)
        else:
            totals = np.bincount(cells, values, minlength=size) / np.maximum(counts, 1)
        found = np.where(counts > 0, totals, np.nan).astype(np.float32)
        return found.reshape(len(self.ids), columns)


def read_trace(path: Path, statistic: Statistic | None = None) -> TraceFleet:
    """Return the fleet that a trace file describes.

    `statistic` chooses among those that the file has; maxima come first, for the service works on
    them. Raises InvalidInput for a file that is no trace of a known layout.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InvalidInput(f"cannot read the trace {path}: {error}") from None
    for column, layout in _LAYOUTS.items():
        if column in table.column_names and table.num_rows:
            return layout(path, table, statistic)
    raise InvalidInput(
        f"{path} is no trace of a known layout; expected Parquet with samples and a column "
        f"{' or '.join(_LAYOUTS)}"
    )


def _bitbrains(path: Path, table: pa.Table, statistic: Statistic | None) -> TraceFleet:
    chosen = _available(path, statistic, (Statistic.AVERAGE,))
    grid = _grid(table)
    cores, memory = _floats(table, "cpu_cores"), _floats(table, "mem_capacity_mib")
    percent = np.minimum(_floats(table, "cpu_centipct") / 100, CEILING_PERCENT)
    disk = _floats(table, "disk_read_kbps") + _floats(table, "disk_write_kbps")
    network = np.maximum(_floats(table, "net_in_kbps"), _floats(table, "net_out_kbps"))
    # A machine that is off has no cores and no memory: it shows no demand, not a demand of none.
    on = (cores > 0) & (memory > 0)
    series = {
        CPU: percent / 100 * cores,
        MEMORY: np.minimum(_floats(table, "mem_used_mib"), memory),
        DISK: disk * BYTES_PER_KB,
        NETWORK: network * BYTES_PER_KB,
    }
    demand = {name: grid.matrix(np.where(on, s, np.nan), chosen) for name, s in series.items()}
    long = grid.first < AUGUST_ORIGINS[0] - timedelta(days=15)
    return TraceFleet(
        name=path.stem,
        ids=grid.ids,
        first=grid.first,
        statistic=chosen,
        demand=demand,
        provisioned={CPU: grid.by_day(cores), MEMORY: grid.by_day(memory)},
        saturated=saturated(grid.matrix(percent, chosen)),
        origins=BITBRAINS_ORIGINS if long else AUGUST_ORIGINS,
    )


def _azure(path: Path, table: pa.Table, statistic: Statistic | None) -> TraceFleet:
    columns = {Statistic.MAXIMUM: "cpu_max_centipct", Statistic.AVERAGE: "cpu_avg_centipct"}
    chosen = _available(path, statistic, tuple(columns))
    grid = _grid(table)
    percent = np.minimum(_floats(table, columns[chosen]) / 100, CEILING_PERCENT)
    shares = grid.matrix(percent, chosen)
    cores = np.full((len(grid.ids), grid.days), AZURE_VCPUS, np.float32)
    return TraceFleet(
        name=path.stem,
        ids=grid.ids,
        first=grid.first,
        statistic=chosen,
        demand={CPU: shares * np.float32(AZURE_VCPUS / 100)},
        provisioned={CPU: cores},
        saturated=saturated(shares),
    )


_LAYOUTS: Mapping[str, Callable[[Path, pa.Table, Statistic | None], TraceFleet]] = {
    "cpu_centipct": _bitbrains,
    "cpu_max_centipct": _azure,
}


def _available(path: Path, wanted: Statistic | None, known: tuple[Statistic, ...]) -> Statistic:
    if wanted is None:
        return known[0]
    if wanted not in known:
        raise InvalidInput(
            f"{path} has no samples of statistic {wanted.value}; expected "
            f"{' or '.join(one.value for one in known)}"
        )
    return wanted


def _grid(table: pa.Table) -> _Grid:
    names = table["resource_id"].combine_chunks().dictionary_encode()
    known = [str(name) for name in names.dictionary.to_pylist()]
    order = np.argsort(np.array(known), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    rows = rank[names.indices.to_numpy(zero_copy_only=False)]
    seconds = pc.cast(pc.cast(table["timestamp"], pa.timestamp("s"), safe=False), pa.int64())
    slots = seconds.to_numpy() // SLOT_SECONDS
    begin = int(slots.min()) // SLOTS_PER_DAY * SLOTS_PER_DAY
    days = (int(slots.max()) - begin) // SLOTS_PER_DAY + 1
    first = datetime.fromtimestamp(begin * SLOT_SECONDS, UTC).date()
    cells = rows * (days * SLOTS_PER_DAY) + slots - begin
    return _Grid(tuple(known[place] for place in order), first, days, cells)


def _floats(table: pa.Table, column: str) -> Floats:
    found: Floats = pc.cast(table[column], pa.float64()).to_numpy()
    return found
