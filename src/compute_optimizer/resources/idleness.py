"""Idle recommendations of any resource type: its rules as records, read by one function.

A type states its rules in `ResourceType.idle`; nothing else is needed for them to be analyzed,
stored, listed, filtered and counted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isnan
from typing import Any, TypeVar, cast

import numpy as np
from msgspec import structs

from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.digests import DigestedSamples, KeptSeries
from compute_optimizer.engine.figures import DECIMALS
from compute_optimizer.engine.idle import IdleLimit, Required, idle_rows, told_by_days
from compute_optimizer.engine.usage import Chosen, choose_series, peaks_of
from compute_optimizer.model.effective_preferences import LONGEST_LOOK_BACK
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.idle_limits import IdleLimits
from compute_optimizer.model.metrics import SLOT_SECONDS, ShardSamples, Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Finding,
    IdleRecommendation,
    MetricDimension,
    Recommendation,
    Results,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.summary import Summary

R = TypeVar("R", bound=Recommendation)


ENOUGH = Required()
"""What a rule has to know unless it says otherwise."""


Concerned = Callable[[Sequence[Any], Any, datetime], Booleans]
Prepared = Callable[[Sequence[Any], ShardSamples, Any], ShardSamples]
"""As IdleRule describes them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How a metric is reported."""

    name: str
    """In enum IdleMetricName."""
    per_second: bool = False
    """Samples are sums over a slot, and the rate is reported."""
    totals: bool = False
    """What exports tell is the sum over the window (enum ExportableIdleField)."""
    dimensions: Callable[[Any], tuple[MetricDimension, ...]] | None = None
    """From a resource to the parts of it that the metric is of; None where that is all of it."""


def everyone(resources: Sequence[Resource], _catalog: Any, _since: datetime) -> Booleans:
    """Return that the rule looks at each resource."""
    return np.ones(len(resources), dtype=np.bool_)


def as_sent(_resources: Sequence[Resource], samples: ShardSamples, _catalog: Any) -> ShardSamples:
    """Return the samples as they are."""
    return samples


def all_of_it(resources: Sequence[Resource]) -> Floats:
    """Return that the action saves all that each resource costs."""
    return np.ones(len(resources))


@dataclass(frozen=True, slots=True)
class IdleRule:
    """When resources of one type are idle, and what is said of one that is."""

    idle_type: str
    """The name in enum IdleRecommendationResourceType, such as EC2Instance."""
    finding: Finding
    description: str
    """A sentence; {days} stands for the days of the window, and the name of a limit for it."""
    limits: tuple[IdleLimit, ...]
    """All of them hold, over the whole window. Those that leave the fewest stand first."""
    shown: Mapping[str, Shown]
    """Metric -> how its highest sample is reported."""
    monthly_usd: Callable[[Sequence[Any], Any, Any, datetime], Floats]
    """From resources, samples, catalog and the moment of the analysis to what each costs a month;
    NaN where unknown."""
    concerned: Concerned = everyone
    """From resources, catalog and the moment a whole window ago to which the rule looks at."""
    saved_share: Callable[[Sequence[Any]], Floats] = all_of_it
    """What share of its cost the recommended action saves, 0 to 1: 1 where that is to delete."""
    prepared: Prepared = as_sent
    """From resources, samples and catalog to samples with what only these together tell."""
    required: Required = ENOUGH
    fixed_days: int | None = None
    """Length of the window where no preference changes it."""
    longest_days: int = LONGEST_LOOK_BACK
    """To which a preference may extend the window."""


def limited(rule: IdleRule, stated: IdleLimits) -> IdleRule:
    """Return the rule with the figures that are stated for its type; the others stay."""
    figures = stated.get(rule.idle_type, {})
    limits = (replace(one, limit=figures.get(one.name, one.limit)) for one in rule.limits)
    return replace(rule, limits=tuple(limits))


def window_days(rule: IdleRule, preferences: Preferences) -> int:
    """Return how many days of samples the rule looks at."""
    return rule.fixed_days or min(preferences.lookback_days, rule.longest_days)


def concerned_rows(
    rule: IdleRule, resources: Sequence[Resource], catalog: Any, as_of: datetime, days: int
) -> Booleans:
    """Return which resources a rule looks at, (resources,)."""
    return rule.concerned(resources, catalog, as_of - timedelta(days=days))


def idle_recommendations(
    rule: IdleRule,
    resources: Sequence[Resource],
    samples: ShardSamples | DigestedSamples,
    catalog: Any,
    *,
    as_of: datetime,
) -> tuple[IdleRecommendation, ...]:
    """Return the recommendation of each resource that is idle by the rule.

    The resources are in the row order of the samples, which span the rule's window. Days in short
    do where `told_in_short` says so.
    """
    days = samples.window.days
    among = concerned_rows(rule, resources, catalog, as_of, days)
    if not among.any():
        return ()
    if isinstance(samples, ShardSamples):
        samples = rule.prepared(resources, samples, catalog)
    metrics = {metric for limit in rule.limits for metric in limit.metrics} | rule.shown.keys()
    chosen = choose_series(samples, sorted(metrics))
    found = idle_rows(chosen, rule.limits, rule.required, days, among).tolist()
    idle = [resources[row] for row in found]
    if not idle:
        return ()
    costs = rule.monthly_usd(idle, samples.rows(found), catalog, as_of).tolist()
    shares = rule.saved_share(idle).tolist()
    utilization = _utilization(rule, chosen, found, idle)
    description = _description(rule, days)
    return tuple(
        IdleRecommendation(
            resource_arn=resource.arn,
            resource_id=resource.resource_id,
            account_id=resource.account_id,
            name=resource.name,
            idle_type=rule.idle_type,
            tags=dict(resource.tags),
            finding=rule.finding,
            description=description,
            utilization=used,
            lookback_days=float(days),
            savings=None if isnan(cost) else Savings(share * 100, share * cost),
            last_refresh=as_of,
        )
        for resource, cost, share, used in zip(idle, costs, shares, utilization, strict=True)
    )


def nothing_sized(
    resources: Sequence[Resource],
    samples: ShardSamples,
    catalog: Any,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Results[IdleRecommendation]:
    """Return nothing: what is only looked at for idleness has no size to recommend."""
    return Results((), ())


def marked(found: Iterable[R], idle: Iterable[IdleRecommendation]) -> tuple[R, ...]:
    """Return recommendations of size, those that say whether their resource is idle saying so."""
    names = {one.resource_arn for one in idle}
    # Nearly all say so already, and a copy of each costs as much as making it did.
    return tuple(
        one
        if getattr(one, "idle", None) in (None, one.resource_arn in names)
        else structs.replace(cast(Any, one), idle=one.resource_arn in names)
        for one in found
    )


def _description(rule: IdleRule, days: int) -> str:
    figures = {limit.name: limit.limit for limit in rule.limits if limit.name}
    return rule.description.format(days=days, **figures)


def _utilization(
    rule: IdleRule, chosen: Chosen, rows: Sequence[int], idle: Sequence[Resource]
) -> list[tuple[UtilizationMetric, ...]]:
    """Return what the rows used, and of some metrics the sum besides; 0 where nothing was sent."""
    columns: list[list[UtilizationMetric]] = []
    for metric, shown in rule.shown.items():
        parts = [shown.dimensions(one) if shown.dimensions else () for one in idle]
        for statistic, measured in _told(chosen, metric, shown, rows):
            values = np.round(np.nan_to_num(measured), DECIMALS).tolist()
            pairs = zip(values, parts, strict=True)
            columns.append([UtilizationMetric(shown.name, v, statistic, p) for v, p in pairs])
    return list(zip(*columns, strict=True))


def _told(
    chosen: Chosen, metric: str, shown: Shown, rows: Sequence[int]
) -> Iterator[tuple[str, Floats]]:
    """Yield the statistics that are told of a metric, (rows,) each."""
    scale = 1 / SLOT_SECONDS if shown.per_second else 1.0
    none, sent = np.zeros(len(rows)), metric in chosen.series
    peaks = peaks_of(chosen, metric, rows) if sent else none
    yield Statistic.MAXIMUM.value, peaks.astype(np.float64) * scale
    if shown.totals:
        series = chosen.series[metric][rows] if sent else none[:, None]
        yield Statistic.SUM.value, np.nansum(series, axis=1, dtype=np.float64)


def told_in_short(rule: IdleRule, parts: Sequence[KeptSeries]) -> bool:
    """Return whether days in short, of which the parts are kept, tell what the rule asks."""
    asked = rule.prepared is as_sent and not any(shown.totals for shown in rule.shown.values())
    return asked and all(told_by_days(limit, parts) for limit in rule.limits)


def facets_of(recommendation: IdleRecommendation) -> Facets:
    """Return what filters look at; the type of idle resource is the source type."""
    return Facets(
        finding=recommendation.finding.value,
        reason_codes=(),
        source_type=recommendation.idle_type,
        workload_types=(),
        tags=dict(recommendation.tags),
    )


def counted_savings(recommendation: IdleRecommendation) -> float:
    """Return the monthly savings that totals count, in the currency of the Region."""
    return recommendation.savings.monthly_usd if recommendation.savings else 0.0


def counted_after_discounts(recommendation: IdleRecommendation) -> float:
    """Return the monthly savings at effective rates; at list prices where these are not known."""
    after = recommendation.after_discounts
    return counted_savings(recommendation) if after is None else after.monthly_usd


def summary_of(recommendation: IdleRecommendation) -> Summary:
    """Return the recommendation in one line."""
    return Summary(recommendation.name, (), recommendation.idle_type, None, None)
