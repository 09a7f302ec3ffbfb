"""Resources against their candidates: who carries whose demand, and what that says of today."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import Demand
from compute_optimizer.engine.finding import overprovisioned, underprovisioned
from compute_optimizer.engine.options import (
    CURRENT_POOL,
    Candidates,
    Current,
    Market,
    candidates_for,
    fits,
    limits_of,
)
from compute_optimizer.engine.prediction import Prediction, worth_it
from compute_optimizer.engine.usage import Chosen, Usage


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """The resources of a shard and what was measured of them."""

    currents: tuple[Current | None, ...]
    """(resources,); None leaves a resource out of the matching."""
    chosen: Chosen
    usage: Usage
    demand: Demand
    thresholds: tuple[float, ...]
    """(dimensions,): percent."""
    headrooms: Floats
    """(dimensions,): share of capacity."""
    prediction: Prediction | None = None
    """None under the published rule."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """The resources that share a current type and a market, against their candidates."""

    now: Current
    rows: Integers
    candidates: Candidates
    limits: Floats
    """(rows, dimensions): the capacity that a candidate must have."""
    fit: Booleans
    """(rows, candidates): carries the demand, and its CPU credits last."""
    out_of_credits: Booleans
    """(rows, candidates): everything fits but the CPU credits."""
    under: Booleans
    over: Booleans
    """(rows, dimensions)."""
    predicted: Booleans
    """(rows,): goes by the prediction; the others go by the published rule."""
    risk: Floats
    """(rows, cheaper candidates): that a type hurts where today's would not; 0 by the rule."""
    too_risky: Booleans
    not_worth_it: Booleans
    """(rows, cheaper candidates): refused by the prediction, all else being right."""


def unsettled(
    fleets: Sequence[Fleet], market: Market, never_blind: Booleans
) -> list[tuple[Match, ...]]:
    """Return the matches of all resources as each fleet sees them, credits not looked at.

    The fleets are the same one and differ in their prediction only. `never_blind` (dimensions,)
    marks dimensions that are not reduced without a metric.
    """
    limits = limits_of(fleets[0].demand, never_blind)
    rows = _rows_by_current(fleets[0].currents)
    every = [_match(now, rows[now], limits, fleets[0], market) for now in rows]
    return [tuple(_judged(match, fleet.prediction) for match in every) for fleet in fleets]


def settled(
    fleet: Fleet, market: Market, matches: Sequence[Match], lasting: Booleans
) -> list[Match]:
    """Return the matches with every fit final.

    `lasting` (resources, types) tells whether the credits of fitting burstable types last.
    """
    return [_settled(match, lasting, fleet, market) for match in matches]


def _rows_by_current(currents: Sequence[Current | None]) -> dict[Current, Integers]:
    rows: dict[Current, list[int]] = {}
    for row, now in enumerate(currents):
        if now is not None:
            rows.setdefault(now, []).append(row)
    return {now: np.array(places) for now, places in rows.items()}


def _match(now: Current, rows: Integers, limits: Floats, fleet: Fleet, market: Market) -> Match:
    """Return resources beside their candidates; nothing is held to fit yet."""
    candidates = candidates_for(market, now)
    known = market.capacity[candidates.types[candidates.pools[CURRENT_POOL]]]
    under = underprovisioned(fleet.demand.of(rows), known)
    nothing = np.zeros((len(rows), len(candidates.types)), np.bool_)
    none_cheaper = nothing[:, : candidates.cheaper]
    return Match(
        now=now,
        rows=rows,
        candidates=candidates,
        limits=limits[rows],
        fit=nothing,
        out_of_credits=nothing,
        under=under,
        over=np.zeros_like(under),
        predicted=np.zeros(len(rows), np.bool_),
        risk=np.zeros(none_cheaper.shape),
        too_risky=none_cheaper,
        not_worth_it=none_cheaper,
    )


def _judged(match: Match, prediction: Prediction | None) -> Match:
    """Return the match with what is large enough, by the rule or by a prediction."""
    if prediction is None:
        return replace(match, fit=fits(match.limits, match.candidates.capacity))
    return _predicted(match, prediction.of(match.rows))


def _predicted(match: Match, prediction: Prediction) -> Match:
    """Return the match in which the prediction, not the rule, says what is large enough.

    What falls short by the rule goes by it: use at a ceiling is no measure of the demand.
    """
    cheaper = match.candidates.cheaper
    predicted = prediction.predictable & ~match.under.any(axis=1)
    by_prediction = predicted[:, None] & prediction.judged
    limits = np.where(by_prediction, -np.inf, match.limits)
    fit = fits(limits, match.candidates.capacity)
    risk = prediction.excess(match.candidates.capacity[:cheaper])
    risk = np.where(predicted[:, None], risk, 0.0)
    too_risky = fit[:, :cheaper] & (risk > prediction.risk_cap)
    fit[:, :cheaper] &= ~too_risky
    return replace(
        match, limits=limits, fit=fit, predicted=predicted, risk=risk, too_risky=too_risky
    )


def _settled(match: Match, lasting: Booleans, fleet: Fleet, market: Market) -> Match:
    """Return the match without the types whose credits run out, and with what is over."""
    candidates = match.candidates
    fit, out_of_credits = match.fit.copy(), np.zeros_like(match.fit)
    # Most types are not burstable: only the columns of those that are change.
    burstable = np.flatnonzero(market.types.burstable[candidates.types])
    lasts = lasting[np.ix_(match.rows, candidates.types[burstable])]
    out_of_credits[:, burstable] = fit[:, burstable] & ~lasts
    fit[:, burstable] &= lasts
    found = replace(match, fit=fit, out_of_credits=out_of_credits)
    if fleet.prediction is not None:
        found = _worth_it(found, fleet.prediction.incident_usd)
    alike = np.flatnonzero(candidates.pools[CURRENT_POOL, : candidates.cheaper])
    over = overprovisioned(
        fleet.demand.of(match.rows),
        found.fit[:, alike],
        market.capacity[candidates.types[alike]],
    )
    return replace(found, over=over)


def _worth_it(match: Match, incident_usd: float) -> Match:
    """Return the match without types that save less than their risk costs, in each pool."""
    candidates, cheaper = match.candidates, match.candidates.cheaper
    fit = match.fit[:, :cheaper]
    kept = np.zeros_like(fit)
    for pool in candidates.pools[:, :cheaper]:
        kept |= worth_it(
            fit & pool,
            match.risk,
            candidates.prices[:cheaper],
            candidates.current_price,
            incident_usd,
        )
    kept |= ~match.predicted[:, None] & fit
    whole = match.fit.copy()
    whole[:, :cheaper] = kept
    return replace(match, fit=whole, not_worth_it=fit & ~kept)
