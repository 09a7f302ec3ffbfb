"""Resources against their candidates: who carries whose demand, and what that says of today."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.credits import (
    CREDITS_PER_VCPU_HOUR,
    affordable,
    settled_by_bounds,
)
from compute_optimizer.engine.demand import Demand
from compute_optimizer.engine.digests import Wanted
from compute_optimizer.engine.dimensions import CPU_PLACE
from compute_optimizer.engine.finding import overprovisioned, underprovisioned
from compute_optimizer.engine.mean_use import (
    MeanUse,
    mean_use,
    mean_use_wanted,
    measured_mean_use,
)
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
from compute_optimizer.engine.statistics import count_above
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


def unsettled(fleet: Fleet, market: Market, never_blind: Booleans) -> list[Match]:
    """Return the matches of all resources, credits not looked at.

    `never_blind` (dimensions,) marks dimensions that are not reduced without a metric.
    """
    limits = limits_of(fleet.demand, never_blind)
    rows = _rows_by_current(fleet.currents)
    return [_match(now, rows[now], limits, fleet, market) for now in rows]


def settled(fleet: Fleet, market: Market, matches: Sequence[Match]) -> list[Match]:
    """Return the matches with every fit final."""
    lasting = _lasting_credits(fleet, market, matches)
    return [_settled(match, lasting, fleet, market) for match in matches]


def credits_wanted(fleet: Fleet, market: Market, matches: Sequence[Match]) -> Wanted:
    """Return the whole rows without which `settled` cannot tell whose credits last."""
    tried = _burstable_fits(fleet, market, matches)
    if not tried.any():
        return {}
    pairs = _pairs(fleet, market, tried)
    _, pending = settled_by_bounds(pairs.use, pairs.baselines, pairs.allowed, pairs.wanted)
    read = pending.any(axis=1) | ~pairs.use.told
    return mean_use_wanted(fleet.chosen, pairs.rows[read])


def _rows_by_current(currents: Sequence[Current | None]) -> dict[Current, Integers]:
    rows: dict[Current, list[int]] = {}
    for row, now in enumerate(currents):
        if now is not None:
            rows.setdefault(now, []).append(row)
    return {now: np.array(places) for now, places in rows.items()}


def _match(now: Current, rows: Integers, limits: Floats, fleet: Fleet, market: Market) -> Match:
    candidates = candidates_for(market, now)
    known = market.capacity[candidates.types[candidates.pools[CURRENT_POOL]]]
    under = underprovisioned(fleet.demand.of(rows), known)
    nothing = np.zeros((len(rows), len(candidates.types)), np.bool_)
    none_cheaper = nothing[:, : candidates.cheaper]
    ruled = Match(
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
    if fleet.prediction is None:
        return replace(ruled, fit=fits(ruled.limits, candidates.capacity))
    return _predicted(ruled, fleet.prediction.of(rows))


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


def _lasting_credits(fleet: Fleet, market: Market, matches: Sequence[Match]) -> Booleans:
    """Return whether credits last, (resources, types), for the fitting burstable candidates.

    Only pairs that can become options are tried: others stay False.
    """
    lasting = _burstable_fits(fleet, market, matches)
    if lasting.any():
        pairs = _pairs(fleet, market, lasting)
        lasting[np.ix_(pairs.rows, pairs.places)] = _affordable_pairs(fleet, pairs)
    return lasting


def _burstable_fits(fleet: Fleet, market: Market, matches: Sequence[Match]) -> Booleans:
    """Return which burstable candidates, (resources, types), could become options but for credits.

    Only those whose credits have to be looked at: others stay False.
    """
    types = market.types
    found = np.zeros((len(fleet.currents), len(types.names)), dtype=np.bool_)
    for match in matches:
        burstable = types.burstable[match.candidates.types]
        tried = match.fit & burstable
        tried[~match.under.any(axis=1), match.candidates.cheaper :] = False
        places = match.candidates.types[burstable]
        found[np.ix_(match.rows, places)] = tried[:, burstable]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Resources and burstable types; arrays are (rows, places) unless said otherwise."""

    rows: Integers
    """(rows,)."""
    places: Integers
    """(places,)."""
    wanted: Booleans
    baselines: Floats
    """Percent of the resource's own CPU."""
    allowed: Floats
    """Share of the samples that may be short of credits."""
    use: MeanUse
    """(rows,)."""
    threshold: float
    """Percent."""


def _pairs(fleet: Fleet, market: Market, fits_but_credits: Booleans) -> _Pairs:
    types, threshold = market.types, fleet.thresholds[CPU_PLACE]
    places = np.flatnonzero(types.burstable)
    rows = np.flatnonzero(fits_but_credits[:, places].any(axis=1))
    percent = market.capacity[places, CPU_PLACE] / fleet.demand.scale[rows, CPU_PLACE, None]
    earning_vcpus = types.burst_credits_per_hour[places] / CREDITS_PER_VCPU_HOUR
    baselines = percent * earning_vcpus / types.vcpus[places]
    used = fleet.usage.dimensions[CPU_PLACE]
    tight = count_above(used.tail[rows], percent * (1 - fleet.headrooms[CPU_PLACE]))
    return _Pairs(
        rows=rows,
        places=places,
        wanted=fits_but_credits[np.ix_(rows, places)] & ~np.isnan(baselines),
        baselines=baselines,
        allowed=(1 - threshold / 100) - tight / used.counts[rows, None],
        use=measured_mean_use(fleet.chosen, rows, threshold),
        threshold=threshold,
    )


def _affordable_pairs(fleet: Fleet, pairs: _Pairs) -> Booleans:
    """Return which wanted pairs keep to the threshold in spite of credits."""
    passed, pending = settled_by_bounds(pairs.use, pairs.baselines, pairs.allowed, pairs.wanted)
    read = pending.any(axis=1) | ~pairs.use.told
    if read.any():
        series = mean_use(fleet.chosen, pairs.rows[read])
        passed[read] = affordable(
            series,
            pairs.baselines[read],
            pairs.allowed[read],
            pairs.wanted[read],
            pairs.threshold,
        )
    return passed


def _settled(match: Match, lasting: Booleans, fleet: Fleet, market: Market) -> Match:
    """Return the match without the types whose credits run out, and with what is over."""
    candidates = match.candidates
    burstable = market.types.burstable[candidates.types]
    lasts = lasting[np.ix_(match.rows, candidates.types)] | ~burstable
    found = replace(match, fit=match.fit & lasts, out_of_credits=match.fit & ~lasts)
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
