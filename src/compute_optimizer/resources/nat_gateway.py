"""NAT gateways: nothing but whether one is used at all."""

from collections.abc import Sequence
from datetime import datetime
from math import nan

import numpy as np

from compute_optimizer.catalog.nat_gateways import HOURLY_USD, PRICE_DATE, NatGatewayTypes
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.evidence import chosen_metrics, history_of
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.idle import IdleLimit, Measure, Required
from compute_optimizer.engine.obstacles import RECOMMENDATION_NOT_FOUND
from compute_optimizer.engine.usage import choose_series
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.model.nat_gateway import AVAILABLE, NatGateway
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    HOURS_PER_MONTH,
    Finding,
    IdleRecommendation,
    Results,
)
from compute_optimizer.resources.idleness import IdleRule, Shown

UNUSED_DAYS = 32
"""Without any traffic (spec 5.1, published)."""

CONNECTIONS = "ActiveConnectionCount"
PACKETS = ("PacketsInFromSource", "PacketsInFromDestination")

METRICS = (
    MetricKey(CONNECTIONS, Statistic.MAXIMUM),
    *(MetricKey(metric, Statistic.SUM) for metric in PACKETS),
)
"""Every series that the analysis wants from the tiles."""

STATISTICS = {key.metric: key.statistic for key in METRICS}


def recommend(
    gateways: Sequence[NatGateway],
    samples: ShardSamples,
    types: NatGatewayTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Results[IdleRecommendation]:
    """Return nothing: NAT gateways have no size, so there is none to recommend."""
    return Results((), ())


def explain(
    gateway: NatGateway,
    samples: ShardSamples,
    types: NatGatewayTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the evidence for one gateway: its price, and that no size is recommended.

    What the rules of idleness say is told beside it, as of any type.
    """
    chosen = choose_series(samples, (CONNECTIONS, *PACKETS))
    hourly = HOURLY_USD.get(gateway.region)
    return Explanation(
        resource_arn=gateway.arn,
        instance_type=gateway.instance_type,
        as_of=as_of,
        window=samples.window,
        finding=RECOMMENDATION_NOT_FOUND.code,
        finding_reason_codes=(),
        binding_dimension=None,
        idle=None,
        history=history_of(chosen.series.get(CONNECTIONS), samples.window, CONNECTIONS),
        metrics=tuple(chosen_metrics(chosen, STATISTICS)),
        dimensions=(),
        price_date=None if hourly is None else PRICE_DATE,
        current_monthly_usd=None if hourly is None else hourly * HOURS_PER_MONTH,
    )


def _concerned(
    gateways: Sequence[NatGateway], _types: NatGatewayTypes, _since: datetime
) -> Booleans:
    """Return those that work and to which, as far as is known, no route leads."""
    found = [one.state == AVAILABLE and one.in_route_table is False for one in gateways]
    return np.array(found, dtype=np.bool_)


def _monthly_usd(
    gateways: Sequence[NatGateway], _samples: ShardSamples, _types: NatGatewayTypes
) -> Floats:
    return np.array([HOURLY_USD.get(one.region, nan) for one in gateways]) * HOURS_PER_MONTH


IDLE = (
    IdleRule(
        idle_type="NatGateway",
        finding=Finding.UNUSED,
        description=(
            "The NAT gateway had no active connections and no incoming packets over the "
            "{days}-day lookback period, and no route table refers to it."
        ),
        limits=tuple(
            IdleLimit((metric,), Measure.PEAK, 0, inclusive=True)
            for metric in (CONNECTIONS, *PACKETS)
        ),
        shown={metric: Shown(metric) for metric in (CONNECTIONS, *PACKETS)},
        monthly_usd=_monthly_usd,
        concerned=_concerned,
        required=Required(every_day=True),
        fixed_days=UNUSED_DAYS,
    ),
)
"""Its rule."""
