"""From the arrays that decided to the records that are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import isnan

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog.prices import price_date
from compute_optimizer.engine.arrays import Booleans, Floats, Integers, Singles
from compute_optimizer.engine.demand import Demand
from compute_optimizer.engine.dimensions import CPU_PLACE
from compute_optimizer.engine.figures import DECIMALS
from compute_optimizer.engine.finding import finding_of, reason_codes
from compute_optimizer.engine.options import CURRENT_POOL
from compute_optimizer.engine.peaks import joint
from compute_optimizer.engine.ranking import NONE
from compute_optimizer.engine.risk import RISK_NAMES, overall, predicted_risks
from compute_optimizer.engine.savings import monthly_savings
from compute_optimizer.model.metrics import SLOT_SECONDS, Statistic
from compute_optimizer.model.preferences import ARCHITECTURES, PROFILES, PUBLISHED, Preferences
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Evidence,
    OtherAnswer,
    RecommendationOption,
    Savings,
    StoredDemand,
    UtilizationMetric,
)
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.ec2.analysis import Ec2Analysis, published_because
from compute_optimizer.resources.ec2.differences import migration_effort, platform_differences
from compute_optimizer.resources.ec2.dimensions import (
    DIMENSION_NAMES,
    DIMENSIONS,
    MEMORY_PLACE,
    PERCENTAGES,
    WIRE_NAMES,
)

_Places = tuple[Integers, Integers, Integers]


@dataclass(frozen=True, slots=True)
class _Column:
    """The highest values of one metric, by resource."""

    name: str
    values: list[float]
    statistics: list[str]


def recommendations_of(
    resources: Sequence[Resource],
    analysis: Ec2Analysis,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> tuple[Ec2InstanceRecommendation, ...]:
    """Return the recommendation of every resource that has no obstacle."""
    decisions = analysis.decisions
    utilization, options = _utilization(analysis), _options_by_row(analysis)
    over, under = decisions.over.tolist(), decisions.under.tolist()
    any_over, any_under = _any(decisions.over), _any(decisions.under)
    risks = overall(decisions.current_risk).tolist()
    idle = analysis.idle.tolist()
    evidence = _evidence(resources, analysis, preferences)
    others = other_answers(analysis, preferences)
    prices = decisions.current_price.tolist()
    return tuple(
        Ec2InstanceRecommendation(
            resource_arn=resource.arn,
            account_id=resource.account_id,
            name=resource.name,
            current_instance_type=resource.instance_type,
            state=resource.state,
            tags=dict(resource.tags),
            finding=finding_of(any_over[row], any_under[row]),
            finding_reason_codes=reason_codes(DIMENSION_NAMES, over[row], under[row]),
            utilization=utilization[row],
            lookback_days=float(preferences.lookback_days),
            options=options[row],
            current_performance_risk=RISK_NAMES[int(risks[row])],
            preferences=preferences,
            idle=idle[row],
            last_refresh=as_of,
            auto_scaling_group_arn=resource.auto_scaling_group_arn,
            evidence=evidence[row],
            other=others[row],
            current_hourly_usd=None if isnan(prices[row]) else prices[row],
        )
        for row, resource in enumerate(resources)
        if analysis.obstacles[row] is None
    )


def _any(flags: Booleans) -> list[bool]:
    """Return of each resource whether a dimension has the flag, from (resources, dimensions)."""
    found: Booleans = np.any(flags, axis=1, keepdims=False)
    return list(found.tolist())


def binding_dimensions(demand: Demand) -> list[str | None]:
    """Return which dimension asks for the largest share of each resource's current capacity.

    None where no dimension with a known capacity asks for anything.
    """
    asked = (demand.required > 0) & (demand.capacity > 0)
    shares = np.divide(demand.required, demand.capacity, out=np.zeros(asked.shape), where=asked)
    places = np.where(asked.any(axis=1), shares.argmax(axis=1), NONE).tolist()
    return [None if place == NONE else DIMENSION_NAMES[place] for place in places]


def violation_risks(analysis: Ec2Analysis, types: Integers) -> Floats:
    """Return the predicted risk of types in any dimension, shape of `types` (resources, ...).

    NaN where nothing is predicted.
    """
    if analysis.predicted is None:
        return np.full(types.shape, np.nan)
    found = predicted_risks(analysis.predicted, analysis.market.capacity, types)
    any_of = joint(list(np.moveaxis(found, -1, 0)))
    return np.where(np.isnan(found).all(axis=-1), np.nan, any_of)


def other_answers(analysis: Ec2Analysis, preferences: Preferences) -> list[OtherAnswer | None]:
    """Return what the other profile says, by resource; None without a risk model."""
    other = analysis.other
    if other is None:
        return [None] * analysis.fleet.chosen.rows
    (profile,) = (one for one in PROFILES if one != preferences.profile)
    first = other.options.types[:, CURRENT_POOL, 0]
    columns = zip(
        _any(other.over),
        _any(other.under),
        first.tolist(),
        _savings(other.current_price, other.options.prices[:, CURRENT_POOL, 0]),
        violation_risks(analysis, first[:, None])[:, 0].tolist(),
        strict=True,
    )
    names = analysis.market.types.names
    return [
        OtherAnswer(
            profile=profile,
            finding=finding_of(over, under),
            instance_type=None if place == NONE else names[place],
            savings=None if place == NONE else savings,
            violation_risk=None if isnan(risk) else round(risk, DECIMALS),
        )
        for over, under, place, savings, risk in columns
    ]


def _evidence(
    resources: Sequence[Resource], analysis: Ec2Analysis, preferences: Preferences
) -> list[Evidence]:
    """Return what is stored of that which decided, by resource."""
    because = published_because(analysis, preferences)
    binding = binding_dimensions(analysis.fleet.demand)
    markets = {(resource.region, resource.platform) for resource in resources}
    dates = {market: price_date(analysis.market.types, *market) for market in markets}
    demands = _stored_demands(analysis)
    return [
        Evidence(
            name,
            dates[resource.region, resource.platform],
            asked,
            profile=preferences.profile if reason is None else PUBLISHED,
            published_because=reason,
        )
        for resource, name, asked, reason in zip(resources, binding, demands, because, strict=True)
    ]


def _stored_demands(analysis: Ec2Analysis) -> list[tuple[StoredDemand, ...]]:
    fleet = analysis.fleet
    counts = np.stack([used.counts for used in fleet.usage.dimensions], axis=1)
    missing = np.round(1 - counts / max(fleet.chosen.slots, 1), DECIMALS).tolist()
    used, required = fleet.demand.used, fleet.demand.required
    known = ((counts > 0) & ~np.isnan(required)).tolist()
    columns = (counts.tolist(), missing, used.tolist(), required.tolist())
    return [
        tuple(
            [
                StoredDemand(dimension.name, *figures)
                for dimension, is_known, *figures in zip(DIMENSIONS, here, *row, strict=True)
                if is_known
            ]
        )
        for here, *row in zip(known, *columns, strict=True)
    ]


def reported(metric: str, samples: Singles | Floats) -> Floats:
    """Return samples in the unit that the service reports: percent, or a rate per second."""
    scale = 1 if metric in PERCENTAGES else 1 / SLOT_SECONDS
    rounded: Floats = np.round(samples.astype(np.float64) * scale, DECIMALS)
    return rounded


def _utilization(analysis: Ec2Analysis) -> list[tuple[UtilizationMetric, ...]]:
    """Return the highest values of every resource."""
    peaks = analysis.fleet.usage.peaks
    columns = [
        _Column(
            name, reported(metric, peaks[metric]).tolist(), _statistics(analysis, metric).tolist()
        )
        for metric, name in WIRE_NAMES.items()
        if metric in peaks
    ]
    return _rows_of(columns, analysis.fleet.chosen.rows)


def _statistics(analysis: Ec2Analysis, metric: str) -> NDArray[np.object_]:
    """Return the statistic of the samples that were used, (resources,)."""
    kept = Statistic.MAXIMUM if metric in PERCENTAGES else Statistic.SUM
    names = np.array([kept.value, Statistic.AVERAGE.value], dtype=object)
    found: NDArray[np.object_] = names[analysis.fleet.chosen.averaged[metric].astype(np.int64)]
    return found


def _rows_of(columns: Sequence[_Column], rows: int) -> list[tuple[UtilizationMetric, ...]]:
    """Return the metrics that exist, by row: NaN is the one value that differs from itself."""
    found = [
        [
            UtilizationMetric(column.name, value, statistic) if value == value else None
            for value, statistic in zip(column.values, column.statistics, strict=True)
        ]
        for column in columns
    ]
    if not found:
        return [()] * rows
    return [tuple([one for one in row if one is not None]) for row in zip(*found, strict=True)]


def _options_by_row(analysis: Ec2Analysis) -> list[tuple[RecommendationOption, ...]]:
    """Return the options of every resource, pool by pool and best first."""
    chosen = analysis.decisions.options
    rows, pools, ranks = np.nonzero(chosen.types != NONE)
    built = _built_options(analysis, (rows, pools, ranks))
    bounds = np.searchsorted(rows, np.arange(len(chosen.types) + 1)).tolist()
    return [tuple(built[start:end]) for start, end in pairwise(bounds)]


def _built_options(analysis: Ec2Analysis, at: _Places) -> list[RecommendationOption]:
    """Return the options at the given (resources, pools, ranks)."""
    rows, pools, ranks = at
    decisions, types = analysis.decisions, analysis.market.types
    prices, places = decisions.options.prices[at], decisions.options.types[at]
    currents = [analysis.fleet.currents[row] for row in rows.tolist()]
    columns = zip(
        places.tolist(),
        [now.type_index for now in currents if now is not None],
        ranks.tolist(),
        pools.tolist(),
        decisions.options.risks[at].tolist(),
        _projected(analysis, rows, places),
        _savings(decisions.current_price[rows], prices),
        prices.tolist(),
        violation_risks(analysis, decisions.options.types)[at].tolist(),
        strict=True,
    )
    return [
        RecommendationOption(
            instance_type=types.names[place],
            rank=rank + 1,
            architecture_pool=ARCHITECTURES[pool],
            performance_risk=risk,
            projected_utilization=projected,
            platform_differences=platform_differences(types, now, place),
            migration_effort=migration_effort(types, now, place),
            savings=savings,
            hourly_usd=None if isnan(price) else price,
            violation_risk=None if isnan(violated) else round(violated, DECIMALS),
        )
        for place, now, rank, pool, risk, projected, savings, price, violated in columns
    ]


def _savings(current: Floats, option: Floats) -> list[Savings | None]:
    monthly, percentage = monthly_savings(current, option)
    pairs = zip(percentage.tolist(), monthly.tolist(), strict=True)
    return [None if isnan(usd) else Savings(percent, usd) for percent, usd in pairs]


def _projected(
    analysis: Ec2Analysis, rows: Integers, places: Integers
) -> list[tuple[UtilizationMetric, ...]]:
    """Return what CPU and memory would have shown at most on each option, not cut at 100 %."""
    demand, capacity = analysis.fleet.demand, analysis.market.capacity
    columns = []
    for place in (CPU_PLACE, MEMORY_PLACE):
        (metric,) = DIMENSIONS[place].metrics
        if metric in analysis.fleet.usage.peaks:
            ratio = demand.capacity[rows, place] / capacity[places, place]
            values = reported(metric, analysis.fleet.usage.peaks[metric][rows] * ratio)
            statistics = _statistics(analysis, metric)[rows]
            columns.append(_Column(WIRE_NAMES[metric], values.tolist(), statistics.tolist()))
    return _rows_of(columns, len(rows))
