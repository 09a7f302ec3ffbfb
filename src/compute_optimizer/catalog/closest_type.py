"""The instance type that a machine outside AWS comes closest to, by its cores and memory."""

from functools import lru_cache
from math import inf

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog.instance_types import Architecture, InstanceTypes
from compute_optimizer.catalog.prices import hourly_prices

FAMILIES = {
    Architecture.X86_64: ("c6i", "m6i", "r6i"),
    Architecture.ARM64: ("c6g", "m6g", "r6g"),
}
"""2, 4 and 8 GiB of memory for a vCPU, of one processor each, without credits and without local
disks: our choice (docs/collect-prometheus.md)."""


def closest_type(
    types: InstanceTypes, families: tuple[str, ...], region: str, vcpus: float, memory_mib: float
) -> str | None:
    """Return the cheapest type of some families that has at least those vCPUs and that memory.

    A type counts where the Region offers it; where two cost the same, that with the fewest vCPUs.
    An operating system sees less memory than the machine has, so that nothing is added for it.
    None where no type is large enough.
    """
    rows = _by_price(types, families, region)
    fits = (types.vcpus[rows] >= vcpus) & (types.memory_mib[rows] >= memory_mib)
    return types.names[int(rows[np.argmax(fits)])] if fits.any() else None


@lru_cache(maxsize=256)
def _by_price(types: InstanceTypes, families: tuple[str, ...], region: str) -> NDArray[np.int64]:
    """Return the places of the candidates, the cheapest first."""
    candidates = (
        np.isin(np.array(types.families), families) & ~types.bare_metal & types.offered(region)
    )
    prices = np.nan_to_num(hourly_prices(types, region, "linux"), nan=inf)
    order = np.lexsort((types.memory_mib, types.vcpus, prices))
    return order[candidates[order]].astype(np.int64)
