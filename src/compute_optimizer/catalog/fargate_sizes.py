"""The sizes that a task on Fargate may have: CPU units and MiB of memory, valid pairs only."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog.own_prices import NO_OWN_PRICES, OwnPrices
from compute_optimizer.model.ecs_service import LAUNCH_TYPES

GIB = 1024
"""MiB."""

CPU_UNITS_PER_VCPU = 1024

MEMORY_BY_CPU: Mapping[int, tuple[int, ...]] = {
    256: (512, 1 * GIB, 2 * GIB),
    512: tuple(range(1 * GIB, 4 * GIB + 1, GIB)),
    1024: tuple(range(2 * GIB, 8 * GIB + 1, GIB)),
    2048: tuple(range(4 * GIB, 16 * GIB + 1, GIB)),
    4096: tuple(range(8 * GIB, 30 * GIB + 1, GIB)),
    8192: tuple(range(16 * GIB, 60 * GIB + 1, 4 * GIB)),
    16384: tuple(range(32 * GIB, 120 * GIB + 1, 8 * GIB)),
}
"""MiB by CPU units (Amazon ECS Developer Guide, task definition parameters for Fargate)."""

WINDOWS_CPU = (1024, 2048, 4096)
"""CPU units that tasks of Windows may have (the same guide)."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskSizes:
    """Every valid pair, ascending by CPU and then by memory: the first that fits costs least.

    Where a pair has more CPU than another, it has no finer steps of memory.
    """

    index: Mapping[str, int]
    """Launch types by name."""
    cpu_units: NDArray[np.float64]
    """(sizes,)."""
    memory: NDArray[np.float64]
    """(sizes,) MiB."""
    windows: NDArray[np.bool_]
    """(sizes,): Windows may have it."""
    own_prices: OwnPrices = NO_OWN_PRICES


@cache
def load_task_sizes() -> TaskSizes:
    """Return the valid sizes."""
    pairs = [(cpu, memory) for cpu, sizes in MEMORY_BY_CPU.items() for memory in sizes]
    cpu_units, memory = np.array(pairs, np.float64).T
    index = {name: place for place, name in enumerate(LAUNCH_TYPES)}
    return TaskSizes(index, cpu_units, memory, np.isin(cpu_units, WINDOWS_CPU))
