"""What a recommendation may choose from: capacities and prices, cheapest first, frozen for all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.backtest.fleet import CPU, DISK, MEMORY, NETWORK
from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.catalog.instance_types import Architecture
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import FIT_TOLERANCE
from compute_optimizer.model.units import BYTES_PER_GBIT, BYTES_PER_MIB

STEPS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 48.0, 64.0, 96.0)
"""vCPU: the sizes that instance types come in, and two shares of one vCPU below."""

STEP_PRICE_TYPE = "m5.large"
"""Its price per vCPU is the price of the steps; savings as shares do not depend on it."""

REGION = "us-east-1"
PLATFORM = "linux"

TYPE_CAPACITIES: Mapping[str, Callable[[InstanceTypes], Floats]] = {
    CPU: lambda types: types.vcpus,
    MEMORY: lambda types: types.memory_mib,
    DISK: lambda types: types.ebs_baseline_mibps * BYTES_PER_MIB,
    NETWORK: lambda types: types.network_baseline_gbps * BYTES_PER_GBIT,
}
"""A vCPU is a vCPU: credit for faster processors is given on request only."""


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """The options, cheapest first."""

    names: tuple[str, ...]
    dimensions: tuple[str, ...]
    capacity: Floats
    """(options, dimensions)."""
    price: Floats
    """USD per hour, (options,), ascending."""


def capacity_steps(types: InstanceTypes) -> Options:
    """Return steps of CPU capacity whose price is proportional to it."""
    steps = np.array(STEPS)
    place = types.index[STEP_PRICE_TYPE]
    per_vcpu = hourly_prices(types, REGION, PLATFORM)[place] / types.vcpus[place]
    names = tuple(f"{step:g} vCPU" for step in STEPS)
    return Options(names, (CPU,), steps[:, None], steps * per_vcpu)


def ec2_options(
    types: InstanceTypes, dimensions: Sequence[str], *, processor_speed: bool = False
) -> Options:
    """Return the EC2 types of x86-64 that a need of these dimensions may come down to.

    Burstable, accelerated, previous and bare-metal types stay out, and every type than which
    another one is no dearer and no smaller in anything. With `processor_speed` a vCPU counts as
    fast as it was measured (m5 = 1), and families that nobody measured stay out.
    """
    prices = hourly_prices(types, REGION, PLATFORM)
    capacity = np.stack([TYPE_CAPACITIES[name](types) for name in dimensions], axis=1)
    if processor_speed:
        capacity[:, dimensions.index(CPU)] *= types.relative_speed
    x86 = (types.architectures & Architecture.X86_64) > 0
    excluded = types.burstable | types.accelerated | types.bare_metal | ~types.current_generation
    allowed = types.rightsizing_supported & types.offered(REGION) & x86 & ~excluded
    known = np.flatnonzero(allowed & np.isfinite(prices) & np.isfinite(capacity).all(axis=1))
    order = known[np.lexsort((known, prices[known]))]
    kept = order[~_dominated(capacity[order])]
    names = tuple(types.names[place] for place in kept)
    return Options(names, tuple(dimensions), capacity[kept], prices[kept])


def _dominated(capacity: Floats) -> Booleans:
    """Return which options have an earlier one that is no smaller in anything."""
    found = np.zeros(len(capacity), np.bool_)
    for place in range(1, len(capacity)):
        found[place] = (capacity[:place] >= capacity[place]).all(axis=1).any()
    return found


def cheapest_that_carries(options: Options, needs: Floats) -> Integers:
    """Return the cheapest option for each row of needs (rows, dimensions).

    A need of NaN asks for nothing. Where nothing carries the need, the last (dearest) option.
    """
    asked = needs * (1 - FIT_TOLERANCE)
    # Nothing is less than NaN.
    short = options.capacity[:, 0] < asked[:, :1]
    for place in range(1, asked.shape[1]):
        short |= options.capacity[:, place] < asked[:, place, None]
    chosen: Integers = short.argmin(axis=1)
    chosen[short.all(axis=1)] = len(options.price) - 1
    return chosen
