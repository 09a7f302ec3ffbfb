"""The finding and its reason codes."""

from collections.abc import Iterable
from functools import cache

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.demand import FIT_TOLERANCE, Demand
from compute_optimizer.model.recommendation import Finding

NOTICEABLY_LESS = 0.95
"""Share of the present capacity below which a candidate's counts as less. Measured speeds spread by
3 to 12 % inside a family (docs/catalog.md); closer figures are the same size."""


def underprovisioned(demand: Demand, candidate_capacity: Floats) -> Booleans:
    """Return where a demand fails and some candidate has more, (resources, dimensions).

    `candidate_capacity` is (candidates, dimensions), NaN where unknown (spec 3.3, 6.1 step 4).
    """
    none = np.full((1, candidate_capacity.shape[1]), -np.inf)
    best = np.fmax.reduce(np.concatenate([none, candidate_capacity]), axis=0)
    fails = demand.required * (1 - FIT_TOLERANCE) > demand.capacity
    found: Booleans = fails & (best > demand.capacity)
    return found


def overprovisioned(demand: Demand, fit: Booleans, candidate_capacity: Floats) -> Booleans:
    """Return where some cheaper fitting candidate has less, (resources, dimensions).

    `fit` is (resources, cheaper candidates). A dimension without a metric is never called over.
    """
    found = np.zeros(demand.required.shape, dtype=np.bool_)
    enough = NOTICEABLY_LESS * demand.capacity
    for place, capacity in enumerate(np.ascontiguousarray(candidate_capacity.T)):
        found[:, place] = (fit & (capacity < enough[:, place, None])).any(axis=1)
    return found & ~np.isnan(demand.required)


def finding_of(over: bool, under: bool) -> Finding:
    """Return the finding: one dimension under decides (spec 3.1)."""
    if under:
        return Finding.UNDER_PROVISIONED
    return Finding.OVER_PROVISIONED if over else Finding.OPTIMIZED


def reason_codes(
    dimensions: tuple[str, ...], over: Iterable[bool], under: Iterable[bool]
) -> tuple[str, ...]:
    """Return the codes in the order of the dimensions, which are named."""
    return _codes(dimensions, tuple(over), tuple(under))


@cache
def _codes(
    names: tuple[str, ...], over: tuple[bool, ...], under: tuple[bool, ...]
) -> tuple[str, ...]:
    # There are at most 3 ** dimensions answers, shared by all resources.
    return tuple(
        f"{name}{suffix}"
        for name, is_over, is_under in zip(names, over, under, strict=True)
        for suffix, applies in (("Overprovisioned", is_over), ("Underprovisioned", is_under))
        if applies
    )
