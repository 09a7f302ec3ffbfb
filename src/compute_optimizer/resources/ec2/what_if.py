"""What the analysis would advise under other preferences, from statistics computed once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import percentiles
from compute_optimizer.engine.prediction import Prediction
from compute_optimizer.engine.ranking import NONE, Options
from compute_optimizer.engine.recommender import Decisions, decide
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.model.preferences import (
    ARCHITECTURES,
    CALIBRATED,
    CURRENT,
    DEFAULT_PREFERENCES,
    Preferences,
)
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.resources.ec2.analysis import (
    UNKNOWN_TYPE,
    Measured,
    fleet_at,
    measure_shard,
    prediction_of,
)
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS
from compute_optimizer.resources.ec2.preferred_types import preferred_types

NOT_JUDGED, OPTIMIZED, OVER_PROVISIONED, UNDER_PROVISIONED = range(-1, 3)
"""Codes of the finding."""


@dataclass(frozen=True, slots=True)
class GridPoint:
    """One combination of preferences."""

    preferences: Preferences = DEFAULT_PREFERENCES
    architectures: tuple[str, ...] = (CURRENT,)
    """The pools whose options are ranked together."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Preferred instance types; empty for no restriction."""


DEFAULT_POINT = GridPoint()


@dataclass(frozen=True, slots=True, eq=False)
class Advice:
    """What one grid point says of every resource; every array is (resources,)."""

    finding: Integers
    """NOT_JUDGED, OPTIMIZED, OVER_PROVISIONED or UNDER_PROVISIONED."""
    type_index: Integers
    """Of the first option; NONE where there is none and the resource stays as it is."""
    price: Floats
    """USD per hour after the first option: today's where there is none; NaN where unknown."""
    current_price: Floats
    """USD per hour; NaN where unknown."""


def deepest(points: Sequence[GridPoint]) -> tuple[float, ...]:
    """Return the lowest percentile of each dimension: its tail answers for all higher ones."""
    wanted = [percentiles(DIMENSIONS, point.preferences) for point in points]
    return tuple(min(column) for column in zip(*wanted, strict=True))


def measured_over(
    resources: Sequence[Resource],
    samples: ShardSamples,
    types: InstanceTypes,
    days: int,
    points: Sequence[GridPoint],
) -> Measured:
    """Return the statistics of the newest `days` of the samples, deep enough for the points."""
    return measure_shard(resources, last_days(samples, days), types, deepest(points))


def last_days(samples: ShardSamples, days: int) -> ShardSamples:
    """Return views of the newest days; all of them where there are no more."""
    kept = min(days, samples.window.days)
    window = Window(samples.window.last - timedelta(days=kept - 1), samples.window.last)
    slots = kept * SLOTS_PER_DAY
    series = {key: matrix[:, -slots:] for key, matrix in samples.series.items()}
    return ShardSamples(samples.resource_arns, window, series)


def predicted_over(measured: Measured, risk_model: RiskModel) -> Prediction:
    """Return the coming peaks, whatever the preferences."""
    return prediction_of(fleet_at(measured, DEFAULT_PREFERENCES), DEFAULT_PREFERENCES, risk_model)


def decisions_at(
    measured: Measured, point: GridPoint, prediction: Prediction | None = None
) -> Decisions:
    """Return what the analysis decides under the point's preferences, for all architectures.

    The calibrated profile needs the prediction.
    """
    preferences = point.preferences
    preferred = preferred_types(measured.market.types, point.include, point.exclude)
    market = replace(measured.market, preferred=preferred)
    fleet = fleet_at(measured, preferences)
    if preferences.profile == CALIBRATED and prediction is not None:
        incident = preferences.incident_usd
        known = replace(
            prediction,
            risk_cap=preferences.risk_cap,
            incident_usd=prediction.incident_usd if incident is None else incident,
        )
        fleet = replace(fleet, prediction=known)
    return decide(fleet, market, DIMENSIONS)


def advice(
    resources: Sequence[Resource],
    measured: Measured,
    decisions: Decisions,
    architectures: Sequence[str],
) -> Advice:
    """Return the findings, and the first options over the pools of the given architectures."""
    first, price = _first_options(decisions.options, architectures)
    current_price = _current_prices(resources, measured)
    return Advice(
        finding=_findings(decisions, measured),
        type_index=first,
        price=np.where(first == NONE, current_price, price),
        current_price=current_price,
    )


def _findings(decisions: Decisions, measured: Measured) -> Integers:
    judged = np.array([obstacle is None for obstacle in measured.obstacles], np.bool_)
    under, over = decisions.under.any(axis=1), decisions.over.any(axis=1)
    cases = [~judged, under, over]
    return np.select(cases, [NOT_JUDGED, UNDER_PROVISIONED, OVER_PROVISIONED], OPTIMIZED)


def _first_options(options: Options, architectures: Sequence[str]) -> tuple[Integers, Floats]:
    """Return type and price of the best option over some pools, (resources,) each."""
    pools = [ARCHITECTURES.index(name) for name in architectures]
    types, prices = options.types[:, pools, 0], options.prices[:, pools, 0]
    risks = options.risks[:, pools, 0]
    # An option without a price, the current type kept, is still better than none.
    known = np.nan_to_num(prices, nan=np.finfo(np.float64).max)
    order = np.lexsort((types, risks, np.where(types == NONE, np.inf, known)), axis=-1)
    rows, first = np.arange(len(types)), order[:, 0]
    return types[rows, first], prices[rows, first]


def _current_prices(resources: Sequence[Resource], measured: Measured) -> Floats:
    prices = measured.market.prices
    rows = zip(resources, measured.places.tolist(), strict=True)
    return np.array(
        [
            np.nan if place == UNKNOWN_TYPE else prices[one.region, one.platform][place]
            for one, place in rows
        ]
    )


def changed(one: Advice, other: Advice) -> Booleans:
    """Return whose finding or first option differs, (resources,)."""
    differs: Booleans = (one.finding != other.finding) | (one.type_index != other.type_index)
    return differs
