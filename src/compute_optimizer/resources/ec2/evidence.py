"""The evidence behind one instance's recommendation, from the analysis of a batch of one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.instance_types import INSTANCE_TYPES_FILE
from compute_optimizer.catalog.prices import price_date
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.demand import CPU
from compute_optimizer.engine.evidence import (
    ONLY,
    chosen_metrics,
    forgiven_hours,
    history_of,
    known,
)
from compute_optimizer.engine.explanation import (
    DimensionEvidence,
    Explanation,
    Refusal,
    TypeEvidence,
)
from compute_optimizer.engine.finding import finding_of, reason_codes
from compute_optimizer.engine.matching import Match
from compute_optimizer.engine.options import CURRENT_POOL, RULES, in_pools
from compute_optimizer.engine.ranking import NONE
from compute_optimizer.engine.repetition import with_capacity
from compute_optimizer.engine.risk import current_scores
from compute_optimizer.engine.usage import CPU_METRIC
from compute_optimizer.model.metrics import ShardSamples, Statistic
from compute_optimizer.model.preferences import ARCHITECTURES, Preferences
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.resources.ec2.analysis import Analysis
from compute_optimizer.resources.ec2.cautions import cautions
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS, METRICS
from compute_optimizer.resources.ec2.predicted import (
    capped_peak,
    prediction_evidence,
    type_risks,
)
from compute_optimizer.resources.ec2.records import (
    binding_dimensions,
    other_answers,
    violation_risks,
)
from compute_optimizer.resources.ec2.sensitivity import what_would_change

RUNNERS_UP = 10
"""Refused types shown: those that would have saved more than the best option, but not fit."""

OUT_OF_CREDITS = "CPU credits run out"
TOO_RISKY = "risk above the cap"
NOT_WORTH_IT = "saves less than its risk costs"
NOT_CHEAPER = "not cheaper than the current type"
CURRENT_TYPE = "the current type itself"

STATISTICS = {key.metric: key.statistic for key in METRICS if key.statistic != Statistic.AVERAGE}
"""Of the samples that are no averages, by metric."""


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


def explanation_of(
    resource: Resource,
    samples: ShardSamples,
    analysis: Analysis,
    *,
    as_of: datetime,
    preferences: Preferences,
    risk_model: RiskModel | None = None,
) -> Explanation:
    """Return the explanation of the one resource that was analyzed."""
    decisions, obstacle = analysis.decisions, analysis.obstacles[ONLY]
    over, under = decisions.over[ONLY].tolist(), decisions.under[ONLY].tolist()
    verdict = _verdict(analysis, decisions.matches[ONLY]) if decisions.matches else None
    return Explanation(
        resource_arn=resource.arn,
        instance_type=resource.instance_type,
        as_of=as_of,
        window=samples.window,
        finding=obstacle.code if obstacle else finding_of(any(over), any(under)).value,
        finding_reason_codes=reason_codes(DIMENSIONS, over, under),
        binding_dimension=binding_dimensions(analysis.fleet.demand)[ONLY],
        idle=bool(analysis.idle[ONLY]),
        history=history_of(analysis.fleet.chosen.series.get(CPU_METRIC), samples.window, CPU),
        metrics=tuple(chosen_metrics(analysis.fleet.chosen, STATISTICS)),
        dimensions=tuple(_dimension_evidence(analysis)),
        current_hourly_usd=known(decisions.current_price[ONLY]),
        price_date=price_date(resource.region, resource.platform),
        types_date=analysis.market.types.provenance[INSTANCE_TYPES_FILE].date,
        considered=() if verdict is None else tuple(_considered(analysis, verdict)),
        refusals=() if verdict is None else _refusals(verdict),
        fitting_types=0 if verdict is None else int((~verdict.refused.any(axis=0)).sum()),
        what_would_change=what_would_change(resource, samples, analysis, preferences, risk_model),
        prediction=prediction_evidence(analysis, preferences, risk_model),
        other=None if obstacle else other_answers(analysis, preferences)[ONLY],
        cautions=cautions(analysis, samples.window),
    )


def _dimension_evidence(analysis: Analysis) -> Iterator[DimensionEvidence]:
    fleet, demand = analysis.fleet, analysis.fleet.demand
    limits = analysis.decisions.matches[ONLY].limits if analysis.decisions.matches else None
    for place, dimension in enumerate(DIMENSIONS):
        used = fleet.usage.dimensions[place]
        count = int(used.counts[ONLY])
        yield DimensionEvidence(
            dimension=dimension.name,
            unit=dimension.unit,
            samples=count,
            percentile=fleet.thresholds[place],
            forgiven_hours=forgiven_hours(fleet.thresholds[place], count),
            maximum=known(used.tail[ONLY, 0] * demand.scale[ONLY, place]),
            demand=known(demand.used[ONLY, place]),
            headroom=float(fleet.headrooms[place]),
            required=known(demand.required[ONLY, place]),
            limit=None if limits is None else known(_limit(analysis, limits, place)),
            current_capacity=known(demand.capacity[ONLY, place]),
            current_risk=known(analysis.decisions.current_risk[ONLY, place]),
        )


def _limit(analysis: Analysis, limits: Floats, place: int) -> float:
    """Return what a type must have at least: where the prediction decides, for the cap to hold."""
    if np.isneginf(limits[ONLY, place]) and analysis.decisions.predicted[ONLY]:
        return capped_peak(analysis, place)
    return float(limits[ONLY, place])


def _verdict(analysis: Analysis, match: Match) -> _Verdict:
    """Return every reason against every type, from the rules and arrays of the match."""
    market, candidates = analysis.market, match.candidates
    itself = np.arange(len(market.types.names)) == match.now.type_index
    refused = {CURRENT_TYPE: itself}
    refused |= {rule.reason: ~rule.allows(market, match.now) for rule in RULES}
    for place, dimension in enumerate(DIMENSIONS):
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


def _considered(analysis: Analysis, verdict: _Verdict) -> Iterator[TypeEvidence]:
    """Yield the options, then the near misses: the dearest types below the best one's price."""
    options = analysis.decisions.options.types[ONLY]
    listed = dict.fromkeys(options[options != NONE].tolist())
    candidates = analysis.decisions.matches[ONLY].candidates
    best_price = analysis.decisions.options.prices[ONLY, CURRENT_POOL, 0]
    cheaper = candidates.types[~(candidates.prices >= best_price)].tolist()
    refused = [place for place in cheaper[::-1] if verdict.of(place) and place not in listed]
    shown = [*listed, *refused[:RUNNERS_UP]]
    risks = current_scores(
        with_capacity(analysis.fleet, analysis.market.capacity[shown]), DIMENSIONS
    )
    violated = type_risks(analysis, shown)
    for row, (place, by_dimension) in enumerate(zip(shown, risks.tolist(), strict=True)):
        yield _type_evidence(analysis, verdict, place, by_dimension, violated[row].tolist())


def _type_evidence(
    analysis: Analysis,
    verdict: _Verdict,
    place: int,
    by_dimension: list[float],
    violated: list[float],
) -> TypeEvidence:
    options, now = analysis.decisions.options, analysis.decisions.matches[ONLY].now
    pools, ranks = np.nonzero(options.types[ONLY] == place)
    market = analysis.market
    risks = options.risks[ONLY][pools, ranks].tolist()
    capacity = market.capacity[place].tolist()
    member = in_pools(market.types, now)[:, place].tolist()
    return TypeEvidence(
        instance_type=market.types.names[place],
        architecture_pools=tuple(p for p, so in zip(ARCHITECTURES, member, strict=True) if so),
        hourly_usd=float(market.prices[now.region, now.platform][place]),
        capacity=_by_dimension(capacity),
        ranks={
            ARCHITECTURES[pool]: rank + 1
            for pool, rank in zip(pools.tolist(), ranks.tolist(), strict=True)
        },
        performance_risk=risks[0] if risks else None,
        risks=_by_dimension(by_dimension),
        violation_risk=known(violation_risks(analysis, np.array([[place]]))[ONLY, 0]),
        violation_risks=_by_dimension(violated),
        refused_because=verdict.of(place),
    )


def _by_dimension(figures: list[float]) -> dict[str, float | None]:
    pairs = zip(DIMENSIONS, figures, strict=True)
    return {dimension.name: known(figure) for dimension, figure in pairs}
