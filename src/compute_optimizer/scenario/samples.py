"""The metrics that a generated fleet sends, inside what its instance types can do."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    SLOTS_PER_HOUR,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.units import BYTES_PER_GBIT
from compute_optimizer.scenario.fleet import Machine
from compute_optimizer.scenario.load_shapes import LoadShape, generate_load

CPU_AVERAGE = MetricKey("CPUUtilization", Statistic.AVERAGE)
CPU_MAXIMUM = MetricKey("CPUUtilization", Statistic.MAXIMUM)
MEMORY = MetricKey("mem_used_percent", Statistic.MAXIMUM)

SPIKE_SHARE = 0.06
"""Mean height of the highest minute of a slot over the slot's average, as a share of it."""

GAP_SHARE = 0.001
"""Share of the slots that never arrived."""

NETWORK_SHARE = 0.15
VOLUME_SHARE = 0.20
"""Share of the type's network and EBS baseline that a machine with a load of 1.0 uses."""

OUT_PER_IN = 1.6
WRITES_PER_READ = 0.7

FALLBACK_GBPS = 0.5
FALLBACK_IOPS = 1000.0
FALLBACK_MIBPS = 50.0
"""What a type counts with where the catalog knows no baseline."""

BYTES_PER_OPERATION = 16 * 1024
"""Size of a read or write, where the volume's throughput allows as much."""


def generate_samples(
    fleet: Sequence[Machine], window: Window, types: InstanceTypes, seed: int
) -> ShardSamples:
    """Return what the fleet sent in a window: the same for the same seed and end of the window.

    Machines without an agent have NaN for memory; young ones have NaN before their start.
    """
    generator = np.random.default_rng((seed, window.last.toordinal()))
    load = _load(fleet, window, generator)
    missing = generator.random(load.shape, dtype=np.float32) < GAP_SHARE
    missing |= ~_present(fleet, window)
    series = _cpu(fleet, load, generator)
    series |= {MEMORY: _memory(fleet, load, generator)}
    series |= _network(fleet, load, types, generator) | _volumes(fleet, load, types, generator)
    for matrix in series.values():
        matrix[missing] = np.nan
    return ShardSamples(tuple(machine.resource.arn for machine in fleet), window, series)


def _load(fleet: Sequence[Machine], window: Window, generator: np.random.Generator) -> Matrix:
    load = np.zeros((len(fleet), window.days * SLOTS_PER_DAY), dtype=np.float32)
    for shape in LoadShape:
        rows = [row for row, machine in enumerate(fleet) if machine.shape is shape]
        load[rows] = generate_load(shape, len(rows), window, generator)
    return load


def _present(fleet: Sequence[Machine], window: Window) -> NDArray[np.bool_]:
    slots = window.days * SLOTS_PER_DAY
    sent = [slots if m.hours_of_data is None else m.hours_of_data * SLOTS_PER_HOUR for m in fleet]
    present: NDArray[np.bool_] = np.arange(slots) >= slots - np.array(sent)[:, None]
    return present


def _cpu(
    fleet: Sequence[Machine], load: Matrix, generator: np.random.Generator
) -> dict[MetricKey, Matrix]:
    level = column([machine.cpu_level for machine in fleet])
    average = np.clip(100 * level * load, 0, 100)
    spikes = 1 + SPIKE_SHARE * generator.standard_exponential(load.shape, dtype=np.float32)
    return {CPU_AVERAGE: average, CPU_MAXIMUM: np.clip(average * spikes, 0, 100)}


def _memory(fleet: Sequence[Machine], load: Matrix, generator: np.random.Generator) -> Matrix:
    known = [np.nan if m.memory_level is None else m.memory_level for m in fleet]
    wobble = generator.standard_normal(load.shape, dtype=np.float32) * np.float32(0.5)
    # Most of memory is held whatever the load; the rest moves with it.
    return np.clip(100 * column(known) * (0.85 + 0.15 * np.minimum(load, 1)) + wobble, 0, 100)


def _network(
    fleet: Sequence[Machine], load: Matrix, types: InstanceTypes, generator: np.random.Generator
) -> dict[MetricKey, Matrix]:
    gbps = _capacity(fleet, types, types.network_baseline_gbps, FALLBACK_GBPS)
    limit = gbps * BYTES_PER_GBIT * SLOT_SECONDS
    # The square keeps idle machines under the 5 MB a day that define idleness (spec 5).
    busy = load * column([machine.cpu_level for machine in fleet]) ** 2
    share = column(generator.uniform(0.1, 1.0, len(fleet))) * NETWORK_SHARE * busy
    share = np.where(_idle_rows(fleet), np.float32(1e-7) * load, share)
    return {
        MetricKey("NetworkIn", Statistic.SUM): np.minimum(limit * share, limit),
        MetricKey("NetworkOut", Statistic.SUM): np.minimum(limit * share * OUT_PER_IN, limit),
    }


def _volumes(
    fleet: Sequence[Machine], load: Matrix, types: InstanceTypes, generator: np.random.Generator
) -> dict[MetricKey, Matrix]:
    iops = _capacity(fleet, types, types.ebs_baseline_iops, FALLBACK_IOPS)
    mibps = _capacity(fleet, types, types.ebs_baseline_mibps, FALLBACK_MIBPS)
    share = column(generator.uniform(0.05, 1.0, len(fleet))) * VOLUME_SHARE * load
    busy = np.minimum(share * column([machine.cpu_level for machine in fleet]), 0.5)
    size = np.minimum(BYTES_PER_OPERATION, mibps * 2**20 / iops)
    reads = np.floor(iops * SLOT_SECONDS * busy)
    writes = np.floor(reads * WRITES_PER_READ)
    return {
        MetricKey("VolumeReadOps", Statistic.SUM): reads,
        MetricKey("VolumeWriteOps", Statistic.SUM): writes,
        MetricKey("VolumeReadBytes", Statistic.SUM): reads * size,
        MetricKey("VolumeWriteBytes", Statistic.SUM): writes * size,
    }


def _capacity(
    fleet: Sequence[Machine], types: InstanceTypes, figures: NDArray[np.float64], fallback: float
) -> Matrix:
    known = figures[[types.index[machine.resource.instance_type] for machine in fleet]]
    return column(np.where(np.isnan(known), fallback, known))


def _idle_rows(fleet: Sequence[Machine]) -> NDArray[np.bool_]:
    return np.array([machine.shape is LoadShape.IDLE for machine in fleet])[:, None]


def column(values: Sequence[float] | NDArray[np.float64]) -> Matrix:
    """Return values, one for each resource, as a matrix with one slot."""
    return np.asarray(values, dtype=np.float32)[:, None]
