"""Tiny fleets to replay: constant loads with single samples changed."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from compute_optimizer.backtest.fleet import CPU, MEMORY, TraceFleet, saturated
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, Statistic

FIRST = date(2026, 1, 1)


def levels(values: Sequence[float], days: int) -> Matrix:
    """Return a constant series per resource."""
    column = np.array(values, np.float32)[:, None]
    return np.tile(column, (1, days * SLOTS_PER_DAY))


def fleet_of(
    cpu: Matrix,
    vcpus: Sequence[float],
    memory: Matrix | None = None,
    memory_mib: Sequence[float] = (),
) -> TraceFleet:
    """Return a fleet whose machines have the given demand and capacity."""
    days = cpu.shape[1] // SLOTS_PER_DAY
    cores = np.array(vcpus, np.float32)[:, None]
    demand = {CPU: cpu}
    provisioned = {CPU: np.tile(cores, (1, days))}
    if memory is not None:
        demand[MEMORY] = memory
        provisioned[MEMORY] = np.tile(np.array(memory_mib, np.float32)[:, None], (1, days))
    return TraceFleet(
        name="tiny",
        ids=tuple(f"m{row}" for row in range(len(cpu))),
        first=FIRST,
        statistic=Statistic.AVERAGE,
        demand=demand,
        provisioned=provisioned,
        saturated=saturated((cpu / cores * 100).astype(np.float32)),
    )


def random_fleet(resources: int, days: int, seed: int) -> TraceFleet:
    """Return machines of 1 to 8 vCPU with daily shapes, noise and rare peaks, and memory."""
    draw = np.random.default_rng(seed)
    vcpus = draw.choice([1.0, 2.0, 4.0, 8.0], resources)
    slots = days * SLOTS_PER_DAY
    hour = np.sin(np.arange(slots) / SLOTS_PER_DAY * 2 * np.pi)[None, :]
    level = draw.uniform(0.03, 0.5, (resources, 1))
    share = level * (1 + 0.4 * hour) + draw.normal(0, 0.02, (resources, slots))
    share += (draw.random((resources, slots)) < 0.002) * draw.uniform(0, 0.4, (resources, slots))
    share = np.clip(share, 0.001, 0.98)
    used = np.clip(share * 0.8 + 0.1, 0, 1)
    gone = draw.random((resources, slots)) < 0.01
    mib = vcpus * 4096
    cpu = np.where(gone, np.nan, share * vcpus[:, None]).astype(np.float32)
    memory = np.where(gone, np.nan, used * mib[:, None]).astype(np.float32)
    return fleet_of(cpu, vcpus.tolist(), memory, mib.tolist())


def as_dimensions(values: Mapping[str, Sequence[float]]) -> dict[str, Matrix]:
    """Return one row of samples per dimension."""
    return {name: np.array([samples], np.float32) for name, samples in values.items()}
