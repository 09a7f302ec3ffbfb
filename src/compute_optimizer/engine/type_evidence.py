"""Which types of a catalog a resource might have, and why the others are no options.

For all that is matched by the engine, from the arrays of a batch of one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.dimensions import Dimension
from compute_optimizer.engine.evidence import ONLY, DimensionNeed, dimension_evidence
from compute_optimizer.engine.explanation import DimensionEvidence, Refusal, TypeEvidence
from compute_optimizer.engine.figures import known
from compute_optimizer.engine.matching import Fleet, Match
from compute_optimizer.engine.options import CURRENT_POOL, RULES, Market, in_pools
from compute_optimizer.engine.ranking import NONE, Options
from compute_optimizer.engine.recommender import Decisions
from compute_optimizer.engine.repetition import with_capacity
from compute_optimizer.engine.risk import current_scores
from compute_optimizer.model.preferences import ARCHITECTURES

RUNNERS_UP = 10
"""Refused types shown: those that would have saved more than the best option, but not fit."""

OUT_OF_CREDITS = "CPU credits run out"
TOO_RISKY = "risk above the cap"
NOT_WORTH_IT = "saves less than its risk costs"
NOT_CHEAPER = "not cheaper than the current type"
CURRENT_TYPE = "the current type itself"


@dataclass(frozen=True, slots=True, eq=False)
class Violations:
    """Predicted risks of types; NaN where nothing is predicted."""

    of_any: Floats
    """(types,)."""
    by_dimension: Floats
    """(types, dimensions)."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """A batch of one against the types of its market."""

    fleet: Fleet
    market: Market
    decisions: Decisions
    dimensions: Sequence[Dimension]
    options: Options
    """Those that are shown, in the first row."""
    violations: Callable[[Sequence[int]], Violations]
    """From places of types to their predicted risks."""
    capped: Callable[[int], float]
    """From a dimension's place to the capacity whose risk alone is the cap; NaN if unpredicted."""


@dataclass(frozen=True, slots=True)
class TypesTold:
    """What is told of all types."""

    considered: tuple[TypeEvidence, ...]
    refusals: tuple[Refusal, ...]
    fitting: int


def unpredicted(dimensions: Sequence[Dimension]) -> Callable[[Sequence[int]], Violations]:
    """Return the risks where nothing predicts any."""

    def violations(places: Sequence[int]) -> Violations:
        by_dimension = np.full((len(places), len(dimensions)), np.nan)
        return Violations(by_dimension[:, 0], by_dimension)

    return violations


def types_told(weighed: Weighed) -> TypesTold:
    """Return the types nearest to the answer, and the reasons against all others."""
    if not weighed.decisions.matches:
        return TypesTold((), (), 0)
    verdict = _verdict(weighed, weighed.decisions.matches[ONLY])
    fitting = int((~verdict.refused.any(axis=0)).sum())
    return TypesTold(tuple(_considered(weighed, verdict)), _refusals(verdict), fitting)


def dimensions_told(weighed: Weighed) -> Iterator[DimensionEvidence]:
    """Yield how the demand of each dimension came about, and what it asks of a type."""
    fleet, demand = weighed.fleet, weighed.fleet.demand
    for place, dimension in enumerate(weighed.dimensions):
        asked = DimensionNeed(
            percentile=fleet.thresholds[place],
            headroom=float(fleet.headrooms[place]),
            scale=float(demand.scale[ONLY, place]),
            required=float(demand.required[ONLY, place]),
            limit=_limit(weighed, place),
            capacity=float(demand.capacity[ONLY, place]),
            risk=float(weighed.decisions.current_risk[ONLY, place]),
        )
        yield dimension_evidence(dimension, fleet.usage.dimensions[place], asked)


def _limit(weighed: Weighed, place: int) -> float:
    """Return what a type must have at least: where the prediction decides, for the cap to hold."""
    if not weighed.decisions.matches:
        return float("nan")
    limit = weighed.decisions.matches[ONLY].limits[ONLY, place]
    if np.isneginf(limit) and weighed.decisions.predicted[ONLY]:
        return weighed.capped(place)
    return float(limit)


@dataclass(frozen=True, slots=True, eq=False)
class _Verdict:
    """Why each type of the catalog is no option, (types,) per reason, in the order of the rules."""

    reasons: tuple[str, ...]
    refused: Booleans
    """(reasons, types)."""

    @property
    def first(self) -> Booleans:
        """Return the refusals without those that an earlier reason had refused already."""
        before = np.logical_or.accumulate(self.refused, axis=0)
        found: Booleans = self.refused.copy()
        found[1:] &= ~before[:-1]
        return found

    def of(self, place: int) -> tuple[str, ...]:
        """Return the reasons against one type."""
        against = self.refused[:, place].tolist()
        return tuple(reason for reason, so in zip(self.reasons, against, strict=True) if so)


def _verdict(weighed: Weighed, match: Match) -> _Verdict:
    """Return every reason against every type, from the rules and arrays of the match."""
    market, candidates = weighed.market, match.candidates
    itself = np.arange(len(market.types.names)) == match.now.type_index
    refused = {CURRENT_TYPE: itself}
    refused |= {rule.reason: ~rule.allows(market, match.now) for rule in RULES}
    for place, dimension in enumerate(weighed.dimensions):
        short = np.zeros_like(itself)
        lacking = match.limits[ONLY, place] > candidates.capacity[:, place]
        short[candidates.types] = lacking
        refused[f"{dimension.name} too small"] = short
    refused[OUT_OF_CREDITS] = np.zeros_like(itself)
    refused[OUT_OF_CREDITS][candidates.types] = match.out_of_credits[ONLY]
    cheaper = candidates.types[: candidates.cheaper]
    for reason, against in ((TOO_RISKY, match.too_risky), (NOT_WORTH_IT, match.not_worth_it)):
        refused[reason] = np.zeros_like(itself)
        refused[reason][cheaper] = against[ONLY]
    refused[NOT_CHEAPER] = np.zeros_like(itself)
    if not match.under[ONLY].any():
        refused[NOT_CHEAPER][candidates.types[candidates.cheaper :]] = True
        # Credits are tried only where the price leaves a choice.
        refused[OUT_OF_CREDITS] &= ~refused[NOT_CHEAPER]
    return _Verdict(tuple(refused), np.stack(list(refused.values())))


def _refusals(verdict: _Verdict) -> tuple[Refusal, ...]:
    counts = verdict.first.sum(axis=1).tolist()
    return tuple(
        Refusal(reason, count)
        for reason, count in zip(verdict.reasons, counts, strict=True)
        if count
    )


def _considered(weighed: Weighed, verdict: _Verdict) -> Iterator[TypeEvidence]:
    """Yield the options, then the near misses: the dearest types below the best one's price."""
    options = weighed.options.types[ONLY]
    listed = dict.fromkeys(options[options != NONE].tolist())
    candidates = weighed.decisions.matches[ONLY].candidates
    best_price = weighed.options.prices[ONLY, CURRENT_POOL, 0]
    cheaper = candidates.types[~(candidates.prices >= best_price)].tolist()
    refused = [place for place in cheaper[::-1] if verdict.of(place) and place not in listed]
    shown = [*listed, *refused[:RUNNERS_UP]]
    risks = current_scores(
        with_capacity(weighed.fleet, weighed.market.capacity[shown]), weighed.dimensions
    )
    violated = weighed.violations(shown)
    for row, place in enumerate(shown):
        told = _type_evidence(weighed, verdict, place)
        yield replace(
            told,
            risks=_by_dimension(weighed, risks[row].tolist()),
            violation_risk=known(violated.of_any[row]),
            violation_risks=_by_dimension(weighed, violated.by_dimension[row].tolist()),
        )


def _type_evidence(weighed: Weighed, verdict: _Verdict, place: int) -> TypeEvidence:
    """Return what is known of a type without its risks by dimension."""
    options, now = weighed.options, weighed.decisions.matches[ONLY].now
    pools, ranks = np.nonzero(options.types[ONLY] == place)
    market = weighed.market
    risks = options.risks[ONLY][pools, ranks].tolist()
    capacity = market.capacity[place].tolist()
    member = in_pools(market.types, now)[:, place].tolist()
    return TypeEvidence(
        instance_type=market.types.names[place],
        architecture_pools=tuple(p for p, so in zip(ARCHITECTURES, member, strict=True) if so),
        hourly_usd=float(market.prices[now.region, now.platform][place]),
        capacity=_by_dimension(weighed, capacity),
        ranks={
            ARCHITECTURES[pool]: rank + 1
            for pool, rank in zip(pools.tolist(), ranks.tolist(), strict=True)
        },
        performance_risk=risks[0] if risks else None,
        risks={},
        violation_risk=None,
        violation_risks={},
        refused_because=verdict.of(place),
    )


def _by_dimension(weighed: Weighed, figures: list[float]) -> dict[str, float | None]:
    pairs = zip(weighed.dimensions, figures, strict=True)
    return {dimension.name: known(figure) for dimension, figure in pairs}
