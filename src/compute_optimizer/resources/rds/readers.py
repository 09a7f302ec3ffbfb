"""Readers of Aurora clusters: those that may take over follow their writer's recommendation."""

from collections.abc import Sequence

import numpy as np

from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.engine.dimensions import CPU_PLACE
from compute_optimizer.engine.matching import Fleet
from compute_optimizer.engine.options import CURRENT_POOL, Market
from compute_optimizer.engine.ranking import NONE, Options
from compute_optimizer.engine.recommender import Decisions
from compute_optimizer.engine.risk import option_scores
from compute_optimizer.model.database import Database
from compute_optimizer.resources.rds.dimensions import MEMORY_PLACE

FIRST_TIERS = 1
"""Readers up to this promotion tier have the size of their writer (spec 6.6)."""


def aligned_readers(
    databases: Sequence[Database], fleet: Fleet, market: Market, decisions: Decisions
) -> tuple[Options, Booleans]:
    """Return the options in which readers have those of their writer, and which readers they are.

    Such a reader stands in a first tier, its writer is among the databases and under-provisioned,
    and it is smaller than what the writer is recommended.
    """
    writers = {
        (one.account_id, one.region, one.cluster): row
        for row, one in enumerate(databases)
        if one.writer and one.cluster and fleet.currents[row] is not None
    }
    followed = np.full(len(databases), NONE)
    for row, one in enumerate(databases):
        writer = writers.get((one.account_id, one.region, one.cluster), NONE)
        if _may_take_over(one) and fleet.currents[row] is not None and writer != NONE:
            followed[row] = writer
    aligned = _smaller(followed, fleet, market, decisions)
    options = decisions.options
    types, prices = options.types.copy(), options.prices.copy()
    types[aligned], prices[aligned] = types[followed[aligned]], prices[followed[aligned]]
    risks = np.where(
        aligned[:, None, None], option_scores(fleet, market.capacity, types), options.risks
    )
    return Options(types, prices, risks), aligned


def _may_take_over(one: Database) -> bool:
    tier = one.promotion_tier
    return bool(one.cluster) and not one.writer and tier is not None and tier <= FIRST_TIERS


def _smaller(followed: np.ndarray, fleet: Fleet, market: Market, decisions: Decisions) -> Booleans:
    """Return which readers have less than what their under-provisioned writer is recommended."""
    first = decisions.options.types[followed, CURRENT_POOL, 0]
    asked = (followed != NONE) & decisions.under[followed].any(axis=1) & (first != NONE)
    less = np.zeros(len(followed), dtype=np.bool_)
    for place in (CPU_PLACE, MEMORY_PLACE):
        less |= fleet.demand.capacity[:, place] < market.capacity[first, place]
    found: Booleans = asked & less
    return found
