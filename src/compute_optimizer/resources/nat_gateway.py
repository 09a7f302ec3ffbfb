"""NAT gateways: nothing but whether one is used at all."""

from collections.abc import Sequence
from datetime import datetime
from math import isnan

import numpy as np

from compute_optimizer.catalog.nat_gateways import (
    NatGatewayTypes,
    hourly_nat_price,
    nat_price_date,
)
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.idle import IdleLimit, Measure, Required
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.model.nat_gateway import AVAILABLE, NatGateway
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import HOURS_PER_MONTH, Finding
from compute_optimizer.resources.idle_evidence import unsized_evidence
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


def explain(
    gateway: NatGateway,
    samples: ShardSamples,
    types: NatGatewayTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the evidence for one gateway: its metrics, and what it costs."""
    hourly = hourly_nat_price(gateway.region, types.own_prices)
    return unsized_evidence(
        gateway,
        samples,
        METRICS,
        as_of=as_of,
        monthly_usd=None if isnan(hourly) else hourly * HOURS_PER_MONTH,
        price_date=nat_price_date(gateway.region, types.own_prices),
    )


def _concerned(
    gateways: Sequence[NatGateway], _types: NatGatewayTypes, _since: datetime
) -> Booleans:
    """Return those that work and to which, as far as is known, no route leads."""
    found = [one.state == AVAILABLE and one.in_route_table is False for one in gateways]
    return np.array(found, dtype=np.bool_)


def _monthly_usd(
    gateways: Sequence[NatGateway],
    _samples: ShardSamples,
    types: NatGatewayTypes,
    _as_of: datetime,
) -> Floats:
    hourly = [hourly_nat_price(one.region, types.own_prices) for one in gateways]
    return np.array(hourly) * HOURS_PER_MONTH


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
