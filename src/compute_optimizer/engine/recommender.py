"""The whole decision for a shard: match, score, rank; all of it as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.digests import Wanted, together
from compute_optimizer.engine.dimensions import Dimension
from compute_optimizer.engine.lasting import CreditPairs, credit_pairs, credits_wanted, lasting
from compute_optimizer.engine.matching import Fleet, Match, settled, unsettled
from compute_optimizer.engine.options import Market
from compute_optimizer.engine.ranking import MAX_OPTIONS, NONE, Options, best, cheapest
from compute_optimizer.engine.risk import (
    current_scores,
    current_scores_wanted,
    option_scores,
    overall,
    predicted_risks,
    scored,
)
from compute_optimizer.model.preferences import ARCHITECTURES


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What the arrays say about every resource of the shard."""

    matches: tuple[Match, ...]
    under: Booleans
    over: Booleans
    """(resources, dimensions)."""
    current_risk: Floats
    """(resources, dimensions); NaN where not judged."""
    current_price: Floats
    """(resources,): USD per hour; NaN where unknown."""
    options: Options
    """(resources, pools, 3), best first."""
    predicted: Booleans
    """(resources,): goes by the prediction; the others go by the published rule."""


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """The half of the decision that needs no whole series, by each profile that is heard."""

    profiles: tuple[tuple[Match, ...], ...]
    credits: CreditPairs | None


def decide(fleet: Fleet, market: Market, dimensions: Sequence[Dimension]) -> Decisions:
    """Return finding, risks and options of all resources of a fleet."""
    (found,) = decided([fleet], market, dimensions, begun([fleet], market, dimensions))
    return found


def begun(fleets: Sequence[Fleet], market: Market, dimensions: Sequence[Dimension]) -> Begun:
    """Return the first half for a fleet as each profile sees it: they differ in its prediction."""
    never_blind = np.array([dimension.never_reduced_blindly for dimension in dimensions])
    profiles = tuple(unsettled(fleets, market, never_blind))
    return Begun(profiles, credit_pairs(fleets[0], market, profiles))


def samples_wanted(fleet: Fleet, dimensions: Sequence[Dimension], first: Begun) -> Wanted:
    """Return the whole rows that the other half reads; nothing where all samples are at hand."""
    if fleet.chosen.digest is None:
        return {}
    return together(
        [credits_wanted(fleet.chosen, first.credits), current_scores_wanted(fleet, dimensions)]
    )


def decided(
    fleets: Sequence[Fleet], market: Market, dimensions: Sequence[Dimension], first: Begun
) -> list[Decisions]:
    """Return the decision by each profile from the first half.

    Whose credits last and the risk of the present types are the same whatever is predicted.
    """
    lasts = lasting(fleets[0], market, first.credits)
    current_risk = current_scores(fleets[0], dimensions)
    return [
        _decided(fleet, market, settled(fleet, market, matches, lasts), current_risk)
        for fleet, matches in zip(fleets, first.profiles, strict=True)
    ]


def _decided(
    fleet: Fleet, market: Market, matches: Sequence[Match], current_risk: Floats
) -> Decisions:
    under, over, current_price = _scattered(matches, fleet.demand.required.shape)
    as_it_should: Booleans = ~np.any(under | over, axis=1, keepdims=False)
    options = _ranked(fleet, market, matches, as_it_should, overall(current_risk))
    _keep_current_where_nothing_is_better(options, matches, overall(current_risk))
    return Decisions(
        tuple(matches),
        under,
        over,
        current_risk,
        current_price,
        options,
        _predicted(matches, len(fleet.currents)),
    )


def _predicted(matches: Sequence[Match], rows: int) -> Booleans:
    found = np.zeros(rows, np.bool_)
    for match in matches:
        found[match.rows] = match.predicted
    return found


def _scattered(
    matches: Sequence[Match], shape: tuple[int, ...]
) -> tuple[Booleans, Booleans, Floats]:
    """Return under, over and current price of all resources from those of each match."""
    under, over = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    current_price = np.full(shape[0], np.nan)
    for match in matches:
        under[match.rows], over[match.rows] = match.under, match.over
        current_price[match.rows] = match.candidates.current_price
    return under, over, current_price


def _ranked(
    fleet: Fleet, market: Market, matches: Sequence[Match], settled: Booleans, current: Floats
) -> Options:
    """Return the three best options per resource and pool."""
    types, prices = _picks(matches, len(fleet.currents))
    risks = _scores(fleet, market, types, _predicted(matches, len(fleet.currents)))
    # What is as large as it should be moves only where that adds no risk (spec 15, question 19).
    refused = settled[:, None, None] & (risks > current[:, None, None])
    return best(Options(np.where(refused, NONE, types), prices, risks))


def _scores(fleet: Fleet, market: Market, types: Integers, predicted: Booleans) -> Floats:
    """Return the scores of options: predicted where the resource goes by the prediction."""
    seen = option_scores(fleet, market.capacity, types)
    if fleet.prediction is None:
        return seen
    by_dimension = scored(predicted_risks(fleet, market.capacity, types))
    found = np.where(predicted[:, None, None], overall(by_dimension), seen)
    return np.where(types == NONE, np.nan, found)


def _picks(matches: Sequence[Match], rows: int) -> tuple[Integers, Floats]:
    """Return types and prices of the cheapest fits, (resources, pools, at least 3)."""
    found = [_cheapest_of(match) for match in matches]
    width = max((columns.shape[2] for columns in found), default=MAX_OPTIONS)
    types = np.full((rows, len(ARCHITECTURES), width), NONE)
    prices = np.full(types.shape, np.nan)
    for match, columns in zip(matches, found, strict=True):
        picked = np.append(match.candidates.types, NONE)[columns]
        types[match.rows, :, : columns.shape[2]] = picked
        prices[match.rows, :, : columns.shape[2]] = np.append(match.candidates.prices, np.nan)[
            columns
        ]
    return types, prices


def _cheapest_of(match: Match) -> Integers:
    """Return the columns of the cheapest fits, (rows, pools, at least 3).

    Only what falls short may grow dearer: a resource that is not under moves to cheaper types.
    """
    allowed = match.fit.copy()
    allowed[~match.under.any(axis=1), match.candidates.cheaper :] = False
    by_pool = [cheapest(allowed & pool, match.candidates.prices) for pool in match.candidates.pools]
    width = max(columns.shape[1] for columns in by_pool)
    found = np.full((len(allowed), len(by_pool), width), NONE)
    for pool, columns in enumerate(by_pool):
        found[:, pool, : columns.shape[1]] = columns
    return found


def _keep_current_where_nothing_is_better(
    options: Options, matches: Sequence[Match], current: Floats
) -> None:
    """Write the current type into empty pools that it belongs to (spec 15, question 18)."""
    for match in matches:
        member = match.candidates.current_pools
        empty = (options.types[match.rows, :, 0] == NONE) & member
        places, pools = np.nonzero(empty)
        rows = match.rows[places]
        options.types[rows, pools, 0] = match.now.type_index
        options.prices[rows, pools, 0] = match.candidates.current_price
        options.risks[rows, pools, 0] = current[rows]
