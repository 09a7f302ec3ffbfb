"""GetECSServiceRecommendationProjectedMetrics: what options would have shown, from the samples."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import numpy as np

from compute_optimizer.engine.arrays import Integers
from compute_optimizer.errors import NotFound
from compute_optimizer.model.ecs_service import EcsServiceRecommendation
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    ShardSamples,
    Statistic,
    look_back,
)
from compute_optimizer.model.resource import ECS_SERVICE
from compute_optimizer.operations.access import account_in_reach, opted_in_caller
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.ecs_services import SERVICE_ARN
from compute_optimizer.resources.ecs_service import METRICS
from compute_optimizer.resources.services.projection import projected_series
from compute_optimizer.shapes import InvalidParameterValueException, ResourceNotFoundException
from compute_optimizer.store.inventory import shard_of
from compute_optimizer.store.recommendations import Scope, Selection, current_run, read_page
from compute_optimizer.store.tiles import read_samples
from compute_optimizer.views.ecs_service import option_projected_metrics

PERIOD_STEP = 60
"""Seconds: periods are multiples of it (spec 7, a proposal); finer ones than a slot have a point
where a slot begins."""


@dataclass(frozen=True, slots=True)
class Points:
    """Which points a request wants, in seconds; moments since 1970."""

    begin: int
    """Where the period begins in which the first moment lies."""
    end: int
    """Where the period ends in which the last moment lies."""
    period: int


def get_ecs_service_projected_metrics(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer GetECSServiceRecommendationProjectedMetrics: a pair of series for each option.

    Raises the modelled exceptions of `account_in_reach`, InvalidParameterValueException for what
    is no service of this Region, no period and no range, and ResourceNotFoundException for a
    service without a recommendation.
    """
    caller = opted_in_caller(context)
    arn = request["serviceArn"]
    account_id = account_in_reach(context, caller, _owner_of(arn, context.region))
    wanted = _points_in(request)
    one = _recommendation(context, arn, account_id)
    samples, seconds = _samples(context, one, wanted)
    statistic = Statistic(request["stat"])
    found = [
        option_projected_metrics(
            option,
            projected_series(
                one, option, samples, seconds, period=wanted.period, statistic=statistic
            ),
        )
        for option in one.options
    ]
    return {"recommendedOptionProjectedMetrics": found}


def _owner_of(arn: str, region: str) -> str:
    parts = SERVICE_ARN.fullmatch(arn)
    if parts is None:
        raise InvalidParameterValueException(
            f"The serviceArn {arn!r} is not valid; expected the ARN of an ECS service."
        )
    if parts["region"] != region:
        raise InvalidParameterValueException(
            f"The service {arn} is not in the Region of this request, {region}."
        )
    return parts["account"]


def _points_in(request: dict[str, Any]) -> Points:
    period, start, end = request["period"], request["startTime"], request["endTime"]
    if period <= 0 or period % PERIOD_STEP:
        raise InvalidParameterValueException(
            f"The period {period} is not valid; expected a multiple of {PERIOD_STEP} seconds."
        )
    if start >= end:
        raise InvalidParameterValueException(
            f"The startTime {start.isoformat()} is not before the endTime {end.isoformat()}."
        )
    first, last = (int(moment.timestamp()) // period * period for moment in (start, end))
    return Points(first, last + period, period)


def _recommendation(context: Context, arn: str, account_id: str) -> EcsServiceRecommendation:
    scope, wanted = Scope(account_id, context.region, ECS_SERVICE), Selection(arns=(arn,))
    with context.state.reading() as connection:
        run_id = current_run(connection, scope)
        found = run_id and read_page(
            connection, run_id, scope, EcsServiceRecommendation, limit=1, selection=wanted
        )
    if not found:
        raise ResourceNotFoundException(f"There is no recommendation for the service {arn}.")
    return found[0]


def _samples(
    context: Context, one: EcsServiceRecommendation, wanted: Points
) -> tuple[ShardSamples, Integers]:
    """Return the samples of the service and where their slots begin, in seconds since 1970.

    What the analysis did not look at, and what lies outside the wanted points, is NaN.
    """
    window = look_back(one.last_refresh, int(one.lookback_days))
    with context.state.reading() as connection:
        try:
            shard = shard_of(connection, one.resource_arn)
        except NotFound as error:
            raise ResourceNotFoundException(
                f"The service {one.resource_arn} is not known any more."
            ) from error
        samples = read_samples(
            connection, context.tiles, shard, window, METRICS, [one.resource_arn]
        )
    midnight = int(datetime.combine(window.first, time(), UTC).timestamp())
    seconds = midnight + SLOT_SECONDS * np.arange(window.days * SLOTS_PER_DAY, dtype=np.int64)
    known = min(wanted.end, one.last_refresh.timestamp())
    for matrix in samples.series.values():
        matrix[:, (seconds < wanted.begin) | (seconds >= known)] = np.nan
    return samples, seconds
