"""Load profiles: what real machines did, resampled to five minutes.

They are read from the public traces in the folder `shared/traces` beside the checkout, which is no
part of the repository; where it is absent, those of the demo's generated machines stand in.
Samples are kept as the trace has them; two in one slot count as their mean.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    MetricKey,
    Statistic,
    Window,
)
from compute_optimizer.scenario.fleet import generate_fleet
from compute_optimizer.scenario.samples import generate_samples

TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"

CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
MEMORY = MetricKey("mem_used_percent", Statistic.MAXIMUM)
NETWORK_IN = MetricKey("NetworkIn", Statistic.SUM)
NETWORK_OUT = MetricKey("NetworkOut", Statistic.SUM)
DISK_READ = MetricKey("VolumeReadBytes", Statistic.SUM)
DISK_WRITE = MetricKey("VolumeWriteBytes", Statistic.SUM)
PERCENT = (CPU, MEMORY)
SERIES = (CPU, MEMORY, NETWORK_IN, NETWORK_OUT, DISK_READ, DISK_WRITE)
"""All that a fleet sends. Bitbrains and PlanetLab measured averages of five minutes: it is their
shape that is taken, and kept as the maxima that the service works on."""

CEILING_PERCENT = 100.0
BYTES_PER_KB = 1024
"""Bitbrains counts in KB/s of 1,024 bytes (the traces' own description)."""

FEWEST_DAYS = 7
"""A machine of a trace with fewer days of samples is left out: it would repeat within a week."""

GENERATED = "generated"
GENERATED_MACHINES = 256
GENERATED_DAYS = 28
GENERATED_SEED = 1
"""Of the machines that stand in for the traces."""

Series = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One real machine."""

    source: str
    series: Mapping[MetricKey, Series]
    """Each of the same number of slots, in whole days; NaN where the trace has a gap."""
    vcpus: float = np.nan
    memory_mib: float = np.nan
    """As provisioned; NaN where the trace does not tell."""

    @property
    def slots(self) -> int:
        """Return the length."""
        return len(self.series[CPU])


def load_profiles(folder: Path = TRACES) -> tuple[Profile, ...]:
    """Return the profiles of the traces in the folder, or generated ones where there is none."""
    if not folder.is_dir():
        return tuple(_generated())
    return tuple(
        profile
        for file, read in _TRACES.items()
        for profile in read(pq.read_table(folder / file))
        if np.count_nonzero(~np.isnan(profile.series[CPU])) >= FEWEST_DAYS * SLOTS_PER_DAY
    )


def told(profiles: Sequence[Profile]) -> str:
    """Return of what profiles are, for people."""
    counts = Counter(one.source for one in profiles)
    if set(counts) == {GENERATED}:
        return f"{counts[GENERATED]} generated machines (the folder shared/traces is not here)"
    return "machines of public traces: " + ", ".join(f"{n} {name}" for name, n in counts.items())


def _bitbrains(table: pa.Table) -> list[Profile]:
    cores, memory = _floats(table, "cpu_cores"), _floats(table, "mem_capacity_mib")
    on = (cores > 0) & (memory > 0)
    used = 100 * _floats(table, "mem_used_mib") / np.where(on, memory, 1)
    values = {
        CPU: np.minimum(_floats(table, "cpu_centipct") / 100, CEILING_PERCENT),
        MEMORY: np.minimum(used, CEILING_PERCENT),
        NETWORK_IN: _floats(table, "net_in_kbps") * BYTES_PER_KB * SLOT_SECONDS,
        NETWORK_OUT: _floats(table, "net_out_kbps") * BYTES_PER_KB * SLOT_SECONDS,
        DISK_READ: _floats(table, "disk_read_kbps") * BYTES_PER_KB * SLOT_SECONDS,
        DISK_WRITE: _floats(table, "disk_write_kbps") * BYTES_PER_KB * SLOT_SECONDS,
    }
    machine, slot = _machines(table), _slots(table)
    matrices = {key: _gridded(machine, slot, np.where(on, v, np.nan)) for key, v in values.items()}
    highest = [_highest(machine, np.where(on, one, 0)) for one in (cores, memory)]
    return _profiles("Bitbrains", matrices, *highest)


def _azure(table: pa.Table) -> list[Profile]:
    percent = np.minimum(_floats(table, "cpu_max_centipct") / 100, CEILING_PERCENT)
    return _profiles("Azure", {CPU: _gridded(_machines(table), _slots(table), percent)})


def _planetlab(table: pa.Table) -> list[Profile]:
    """Join the single days of each machine, in their order."""
    machine, slot = _machines(table), _slots(table)
    days = np.unique(slot // SLOTS_PER_DAY, return_inverse=True)[1]
    percent = np.minimum(_floats(table, "cpu_pct"), CEILING_PERCENT)
    joined = _gridded(machine, days * SLOTS_PER_DAY + slot % SLOTS_PER_DAY, percent)
    return [
        Profile("PlanetLab", {CPU: by_day[~np.isnan(by_day).all(axis=1)].ravel()})
        for by_day in joined.reshape(len(joined), -1, SLOTS_PER_DAY)
    ]


def _nab(table: pa.Table) -> list[Profile]:
    table = table.filter(
        pc.and_(
            pc.equal(table["namespace"].cast(pa.string()), "AWS/EC2"),
            pc.equal(table["metric"].cast(pa.string()), "CPUUtilization"),
        )
    )
    machine, slot = _machines(table), _slots(table)
    # Each series is of a year of its own: counted from its own first day.
    first = np.full(machine.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, machine, slot // SLOTS_PER_DAY)
    slot = slot - first[machine] * SLOTS_PER_DAY
    matrix = _gridded(machine, slot, np.minimum(_floats(table, "value"), CEILING_PERCENT))
    found = []
    for row in matrix:
        last = np.flatnonzero(~np.isnan(row))[-1] // SLOTS_PER_DAY
        found.append(Profile("NAB", {CPU: row[: (last + 1) * SLOTS_PER_DAY]}))
    return found


_TRACES: Mapping[str, Callable[[pa.Table], list[Profile]]] = {
    "bitbrains_rnd_5min_aug2013.parquet": _bitbrains,
    "azure2017_cpu_5min.parquet": _azure,
    "planetlab_cpu_5min.parquet": _planetlab,
    "nab_cloudwatch.parquet": _nab,
}


def _generated() -> list[Profile]:
    fleet, types = generate_fleet(GENERATED_SEED, GENERATED_MACHINES), load_instance_types()
    fleet = tuple(one for one in fleet if one.hours_of_data is None)
    last = date(2026, 1, 14)
    window = Window(last - timedelta(days=GENERATED_DAYS - 1), last)
    samples = generate_samples(fleet, window, types, GENERATED_SEED)
    places = [types.index[one.resource.instance_type] for one in fleet]
    matrices = {key: samples.series[key] for key in SERIES}
    return _profiles(GENERATED, matrices, types.vcpus[places], types.memory_mib[places])


def _profiles(
    source: str,
    matrices: Mapping[MetricKey, Any],
    vcpus: Any = None,
    memory_mib: Any = None,
) -> list[Profile]:
    """Return a profile per row; a series that has no sample at all is left out."""
    rows = len(matrices[CPU])
    unknown = np.full(rows, np.nan)
    vcpus = unknown if vcpus is None else vcpus
    memory_mib = unknown if memory_mib is None else memory_mib
    return [
        Profile(
            source,
            {k: m[row] for k, m in matrices.items() if k is CPU or not np.isnan(m[row]).all()},
            float(vcpus[row]),
            float(memory_mib[row]),
        )
        for row in range(rows)
    ]


def _gridded(machine: Any, slot: Any, values: Any) -> Any:
    """Return values as (machines, slots) float32 over whole days; NaN where there is none."""
    first = slot.min() // SLOTS_PER_DAY * SLOTS_PER_DAY
    slots = (slot.max() - first) // SLOTS_PER_DAY * SLOTS_PER_DAY + SLOTS_PER_DAY
    shape, known = (machine.max() + 1, slots), ~np.isnan(values)
    cells = (machine * slots + slot - first)[known]
    counts = np.bincount(cells, minlength=shape[0] * shape[1])
    totals = np.bincount(cells, values[known], minlength=shape[0] * shape[1])
    means = np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)
    return means.astype(np.float32).reshape(shape)


def _machines(table: pa.Table) -> Any:
    """Return the place of each row's machine, in the order of their names."""
    names = table["resource_id"].cast(pa.string()).combine_chunks().dictionary_encode()
    known = np.array(names.dictionary.to_pylist())
    rank = np.empty(len(known), np.int64)
    rank[np.argsort(known, kind="stable")] = np.arange(len(known))
    return rank[names.indices.to_numpy(zero_copy_only=False)]


def _slots(table: pa.Table) -> Any:
    seconds = pc.cast(pc.cast(table["timestamp"], pa.timestamp("s"), safe=False), pa.int64())
    return seconds.to_numpy() // SLOT_SECONDS


def _highest(machine: Any, values: Any) -> Any:
    found = np.zeros(machine.max() + 1)
    np.maximum.at(found, machine, values)
    return np.where(found > 0, found, np.nan)


def _floats(table: pa.Table, column: str) -> Any:
    return pc.cast(table[column], pa.float64()).to_numpy()
