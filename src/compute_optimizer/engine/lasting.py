"""Whose CPU credits last on which burstable type: asked once, whatever profiles are heard.

Profiles differ in which types carry a demand, not in what a type's credits come to, so that all
pairs of resource and type that any of them asks for are settled together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.credits import (
    CREDITS_PER_VCPU_HOUR,
    affordable,
    settled_by_bounds,
    simulated,
)
from compute_optimizer.engine.digests import Wanted
from compute_optimizer.engine.dimensions import CPU_PLACE
from compute_optimizer.engine.matching import Fleet, Match
from compute_optimizer.engine.mean_use import (
    MeanUse,
    mean_use,
    mean_use_wanted,
    measured_mean_use,
)
from compute_optimizer.engine.options import Market
from compute_optimizer.engine.statistics import count_above
from compute_optimizer.engine.usage import Chosen


@dataclass(frozen=True, slots=True, eq=False)
class CreditPairs:
    """Resources and burstable types; arrays are (rows, places) unless said otherwise."""

    rows: Integers
    """(rows,)."""
    places: Integers
    """(places,): of the types in the catalog."""
    wanted: Booleans
    baselines: Floats
    """Percent of the resource's own CPU."""
    allowed: Floats
    """Share of the samples that may be short of credits."""
    use: MeanUse
    """(rows,)."""
    passed: Booleans
    pending: Booleans
    """What bounds say: pairs whose credits last, and pairs that they leave open."""

    @property
    def unsettled(self) -> Booleans:
        """Return which rows only whole series settle, (rows,)."""
        found: Booleans = self.pending.any(axis=1) | ~self.use.told
        return found


def credit_pairs(
    fleet: Fleet, market: Market, profiles: Sequence[Sequence[Match]]
) -> CreditPairs | None:
    """Return the pairs that could become options of any profile but for their credits, if any.

    `profiles` are the matches of the same fleet by each, credits not looked at.
    """
    fitting = np.zeros((len(fleet.currents), len(market.types.names)), dtype=np.bool_)
    for matches in profiles:
        _mark_burstable_fits(fitting, market, matches)
    places = np.flatnonzero(market.types.burstable)
    rows = np.flatnonzero(fitting[:, places].any(axis=1))
    if not len(rows):
        return None
    baselines, allowed = _baselines_and_allowed(fleet, market, rows, places)
    wanted = fitting[np.ix_(rows, places)] & ~np.isnan(baselines)
    use = measured_mean_use(fleet.chosen, rows, fleet.thresholds[CPU_PLACE])
    passed, pending = settled_by_bounds(use, baselines, allowed, wanted)
    return CreditPairs(rows, places, wanted, baselines, allowed, use, passed, pending)


def _mark_burstable_fits(found: Booleans, market: Market, matches: Sequence[Match]) -> None:
    """Mark the burstable candidates, (resources, types), that could become options but for credits.

    Only what falls short may grow dearer: credits of others are not looked at.
    """
    for match in matches:
        burstable = market.types.burstable[match.candidates.types]
        tried = match.fit & burstable
        tried[~match.under.any(axis=1), match.candidates.cheaper :] = False
        found[np.ix_(match.rows, match.candidates.types[burstable])] |= tried[:, burstable]


def _baselines_and_allowed(
    fleet: Fleet, market: Market, rows: Integers, places: Integers
) -> tuple[Floats, Floats]:
    types = market.types
    percent = market.capacity[places, CPU_PLACE] / fleet.demand.scale[rows, CPU_PLACE, None]
    earning_vcpus = types.burst_credits_per_hour[places] / CREDITS_PER_VCPU_HOUR
    used = fleet.usage.dimensions[CPU_PLACE]
    tight = count_above(used.tail[rows], percent * (1 - fleet.headrooms[CPU_PLACE]))
    forgiven = 1 - fleet.thresholds[CPU_PLACE] / 100
    allowed = forgiven - tight / used.counts[rows, None]
    return percent * earning_vcpus / types.vcpus[places], allowed


def credits_wanted(chosen: Chosen, pairs: CreditPairs | None) -> Wanted:
    """Return the whole rows without which `lasting` cannot tell whose credits last."""
    if pairs is None:
        return {}
    return mean_use_wanted(chosen, pairs.rows[pairs.unsettled])


def lasting(fleet: Fleet, market: Market, pairs: CreditPairs | None) -> Booleans:
    """Return whether credits last, (resources, types); False where nobody asked."""
    found = np.zeros((len(fleet.currents), len(market.types.names)), dtype=np.bool_)
    if pairs is not None:
        found[np.ix_(pairs.rows, pairs.places)] = _affordable(fleet, pairs)
    return found


def _affordable(fleet: Fleet, pairs: CreditPairs) -> Booleans:
    """Return which wanted pairs keep to the threshold in spite of credits, (rows, places)."""
    read, passed = pairs.unsettled, pairs.passed.copy()
    if not read.any():
        return passed
    series = mean_use(fleet.chosen, pairs.rows[read])
    asked = pairs.baselines[read], pairs.allowed[read]
    if pairs.use.told.all():
        # The bounds have been held against them before.
        passed[read] |= simulated(series, pairs.use.counts[read], *asked, pairs.pending[read])
    else:
        percent = fleet.thresholds[CPU_PLACE]
        passed[read] = affordable(series, *asked, pairs.wanted[read], percent)
    return passed
