"""Which instance types may replace a resource's own, and which of those carry its demand."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.catalog.instance_types import CPU_VENDORS, HYPERVISORS, Architecture
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import FIT_TOLERANCE, Demand
from compute_optimizer.model.preferences import ARCHITECTURES, AWS_ARM64, CURRENT

FIT_BLOCK_ROWS = 256
"""Rows at a time: a block of fit flags (256 x 1,300 types) stays in a core's cache."""

CURRENT_POOL = ARCHITECTURES.index(CURRENT)
"""The place of the options for unchanged architectures on the pool axis."""


@dataclass(frozen=True, slots=True)
class Current:
    """What decides the candidates; resources that share it are matched together."""

    type_index: int
    region: str
    platform: str
    uses_instance_store: bool


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """The catalog made ready for matching; arrays are over its types."""

    types: InstanceTypes
    family: Integers
    """Codes: equal where the families are."""
    hpc: Booleans
    """For tightly coupled clusters."""
    capacity: Floats
    """(types, dimensions); NaN where unknown."""
    prices: dict[tuple[str, str], Floats]
    """USD per hour by Region and platform; NaN where unknown."""
    preferred: Booleans
    """Which types may be recommended at all (preference preferredResources, spec 4.1)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse a type before its capacity matters."""

    reason: str
    allows: Callable[[Market, Current], Booleans]
    """Which types pass, shape (types,)."""


def _is_like(figures: np.ndarray, now: Current) -> Booleans:
    like: Booleans = figures == figures[now.type_index]
    return like


def _same_accelerators(market: Market, now: Current) -> Booleans:
    # GPU use is unknown, so GPUs are never reduced: the same family with as many of them.
    types = market.types
    if not types.accelerated[now.type_index]:
        return ~types.accelerated
    return _is_like(market.family, now) & _is_like(types.gpu_count, now)


def _present_hardware(market: Market, now: Current) -> Booleans:
    # The source calls m5, c5, m6i and r7g previous, but c6i and m6a current. What runs on the Nitro
    # system, as everything launched since 2017 does, is present hardware whatever the flag says.
    nitro = market.types.hypervisor == HYPERVISORS.index("nitro")
    allowed: Booleans = market.types.current_generation | nitro | _is_like(market.family, now)
    return allowed


def _ordinary_purpose(market: Market, now: Current) -> Booleans:
    # HPC types run in one zone, with little bandwidth outside their cluster.
    return _is_like(market.hpc, now)


def _comparable_speed(market: Market, now: Current) -> Booleans:
    # Inside a family the speeds are equal, known or not; across families both must be known.
    known = ~np.isnan(market.types.relative_speed)
    allowed: Booleans = _is_like(market.family, now) | (known & known[now.type_index])
    return allowed


def _keeps_virtualization(market: Market, now: Current) -> Booleans:
    types, index = market.types, now.type_index
    allowed: Booleans = types.hvm & types.hvm[index]
    allowed |= types.paravirtual & types.paravirtual[index]
    return allowed


def _keeps_instance_store(market: Market, now: Current) -> Booleans:
    # How much of a used store is full is unknown, so it is never reduced.
    store = market.types.instance_store_gib
    if not now.uses_instance_store:
        return np.ones(store.shape, dtype=np.bool_)
    allowed: Booleans = store >= store[now.type_index]
    return allowed


def _has_price(market: Market, now: Current) -> Booleans:
    prices: Floats = market.prices[now.region, now.platform]
    known: Booleans = np.isfinite(prices)
    return known


def _graviton(types: InstanceTypes) -> Booleans:
    graviton: Booleans = (types.architectures & Architecture.ARM64) > 0
    graviton &= types.cpu_vendor == CPU_VENDORS.index("AWS")
    return graviton


def _like_current(types: InstanceTypes, now: Current) -> Booleans:
    shared: Booleans = (types.architectures & types.architectures[now.type_index]) > 0
    return shared & _is_like(types.cpu_vendor, now)


def in_pools(types: InstanceTypes, now: Current) -> Booleans:
    """Return which types belong to which pool, shape (pools, types).

    Pools stand in the order of ARCHITECTURES; for an instance on Graviton they share their types.
    """
    member = {CURRENT: _like_current(types, now), AWS_ARM64: _graviton(types)}
    return np.stack([member[pool] for pool in ARCHITECTURES])


def _in_any_pool(market: Market, now: Current) -> Booleans:
    allowed: Booleans = np.logical_or.reduce(in_pools(market.types, now))
    return allowed


RULES = (
    Rule("not offered in the Region", lambda market, now: market.types.offered(now.region)),
    Rule("family without rightsizing", lambda market, now: market.types.rightsizing_supported),
    Rule("other architecture or CPU vendor", _in_any_pool),
    Rule(
        "bare metal differs",
        lambda market, now: _is_like(market.types.bare_metal, now),
    ),
    Rule("accelerators differ", _same_accelerators),
    Rule("previous generation", _present_hardware),
    Rule("for high-performance computing only", _ordinary_purpose),
    Rule("virtualization type differs", _keeps_virtualization),
    Rule("CPU speed unknown", _comparable_speed),
    Rule("instance store smaller", _keeps_instance_store),
    Rule("price unknown", _has_price),
    Rule("not among the preferred types", lambda market, now: market.preferred),
)
"""In the order in which an explanation counts refusals (spec 6.1 step 5)."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The types that may replace the current one, cheapest first, then by name."""

    types: Integers
    """(candidates,): places in the catalog."""
    prices: Floats
    """(candidates,): USD per hour."""
    pools: Booleans
    """(pools, candidates)."""
    capacity: Floats
    """(candidates, dimensions); infinite where unknown and so unjudged."""
    cheaper: int
    """How many of them, from the first, cost less than the current type; 0 if that is unknown."""
    current_price: float
    """USD per hour; NaN where unknown."""
    current_pools: Booleans
    """(pools,): where the current type itself belongs."""


def candidates_for(market: Market, now: Current) -> Candidates:
    """Return the types that every rule allows, without the current type itself."""
    allowed = np.logical_and.reduce([rule.allows(market, now) for rule in RULES])
    prices = market.prices[now.region, now.platform]
    allowed[now.type_index] = False
    pools = in_pools(market.types, now)
    places = np.flatnonzero(allowed)
    places = places[np.argsort(prices[places], kind="stable")]
    current_price = float(prices[now.type_index])
    return Candidates(
        types=places,
        prices=prices[places],
        pools=pools[:, places],
        capacity=_judged_capacity(market, now)[places],
        cheaper=int(np.count_nonzero(prices[places] < current_price)),
        current_price=current_price,
        current_pools=pools[:, now.type_index],
    )


def _judged_capacity(market: Market, now: Current) -> Floats:
    """Return capacities in which the unknown is settled in the safe direction.

    Unknown where the current type's is known: zero, so that any demand refuses the type.
    Unknown on both sides: infinite, the dimension is not judged.
    """
    capacity = market.capacity
    unjudged = np.where(np.isnan(capacity[now.type_index]), np.inf, 0.0)
    return np.where(np.isnan(capacity), unjudged, capacity)


def limits_of(demand: Demand, keep: Booleans) -> Floats:
    """Return the capacity that a candidate must have at least, (resources, dimensions).

    `keep` (dimensions,) marks those that are never reduced blindly: without a metric the limit is
    the capacity of today. Elsewhere the unknown, like no demand at all, asks for nothing.
    """
    asked = np.where(demand.required > 0, demand.required * (1 - FIT_TOLERANCE), -np.inf)
    blind = np.isnan(demand.required) & keep & ~np.isnan(demand.capacity)
    return np.where(blind, demand.capacity, asked)


def fits(limits: Floats, capacity: Floats) -> Booleans:
    """Return which candidates carry which resource's demand, (resources, candidates)."""
    fit = np.ones((len(limits), len(capacity)), dtype=np.bool_)
    asked = [d for d in range(limits.shape[1]) if (limits[:, d] > -np.inf).any()]
    by_dimension = np.ascontiguousarray(capacity.T)
    for start in range(0, len(limits), FIT_BLOCK_ROWS):
        rows = slice(start, start + FIT_BLOCK_ROWS)
        for dimension in asked:
            fit[rows] &= limits[rows, dimension, None] <= by_dimension[dimension]
    return fit
