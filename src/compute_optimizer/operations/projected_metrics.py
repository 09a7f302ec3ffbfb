"""GetEC2RecommendationProjectedMetrics: what options would have shown, from the stored samples."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np

from compute_optimizer.engine.arrays import Integers
from compute_optimizer.errors import NotFound
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    Statistic,
    Window,
    look_back,
)
from compute_optimizer.model.preference_rules import RESOURCE_ARNS
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.operations.access import account_in_reach, opted_in_caller
from compute_optimizer.operations.architectures import presentation_of
from compute_optimizer.operations.catalog import known_types
from compute_optimizer.operations.context import Context
from compute_optimizer.resources.ec2.projection import (
    ProjectedSeries,
    projected_series,
    series_to_project,
)
from compute_optimizer.shapes import InvalidParameterValueException, ResourceNotFoundException
from compute_optimizer.store.inventory import find_resource, shard_of
from compute_optimizer.store.recommendations import Scope, Selection, current_run, read_page
from compute_optimizer.store.tiles import read_samples
from compute_optimizer.views.ec2_instance import ranked_options
from compute_optimizer.views.projected_metrics import option_projected_metrics


@dataclass(frozen=True, slots=True)
class Points:
    """Which points a request wants; all in seconds, moments since 1970."""

    first: int
    """Where the period begins in which the first moment lies."""
    last: int
    """The same of the last moment."""
    period: int

    @property
    def end(self) -> int:
        """Where the last period ends."""
        return self.last + self.period


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of the instance."""

    resource: Resource
    shard: ShardKey
    recommendation: Ec2InstanceRecommendation


def get_ec2_recommendation_projected_metrics(
    context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Answer GetEC2RecommendationProjectedMetrics: a series of points for each option.

    Raises the modelled exceptions of `account_in_reach`, InvalidParameterValueException for what
    is no instance of this Region, no period and no range, and ResourceNotFoundException for an
    instance without a recommendation.
    """
    caller = opted_in_caller(context)
    arn = request["instanceArn"]
    account_id = account_in_reach(context, caller, _owner_of(arn, context.region))
    wanted = points_in(request)
    known = _known(context, arn, account_id)
    shown = presentation_of(context, request)
    options = ranked_options(known.recommendation.options, shown.architectures)
    types = [option.instance_type for option in options]
    series = _series(context, known, types, wanted, Statistic(request["stat"]))
    return {"recommendedOptionProjectedMetrics": option_projected_metrics(options, series, shown)}


def points_in(request: dict[str, Any]) -> Points:
    """Return the points that a request wants; raise InvalidParameterValueException for none."""
    period = request["period"]
    if period <= 0 or period % SLOT_SECONDS:
        raise InvalidParameterValueException(
            f"The period {period} is not valid; expected a multiple of {SLOT_SECONDS} seconds."
        )
    start, end = request["startTime"], request["endTime"]
    if start >= end:
        raise InvalidParameterValueException(
            f"The startTime {start.isoformat()} is not before the endTime {end.isoformat()}."
        )
    first, last = (int(moment.timestamp()) // period * period for moment in (start, end))
    return Points(first, last, period)


def _owner_of(arn: str, region: str) -> str:
    parts = RESOURCE_ARNS[EC2_INSTANCE].fullmatch(arn)
    if parts is None:
        raise InvalidParameterValueException(
            f"The instanceArn {arn!r} is not valid; expected the ARN of an EC2 instance."
        )
    if parts["region"] != region:
        raise InvalidParameterValueException(
            f"The instance {arn} is not in the Region of this request, {region}."
        )
    return parts["account"]


def _known(context: Context, arn: str, account_id: str) -> Known:
    scope = Scope(account_id, context.region, EC2_INSTANCE)
    with context.state.reading() as connection:
        run_id = current_run(connection, scope)
        wanted = Selection(arns=(arn,))
        found = run_id and read_page(
            connection, run_id, scope, Ec2InstanceRecommendation, limit=1, selection=wanted
        )
        if not found:
            raise ResourceNotFoundException(f"There is no recommendation for the instance {arn}.")
        try:
            resource = find_resource(connection, arn)
            return Known(resource, shard_of(connection, arn), found[0])
        except NotFound as error:
            raise ResourceNotFoundException(f"The instance {arn} is not known any more.") from error


def _series(
    context: Context, known: Known, types: list[str], wanted: Points, statistic: Statistic
) -> list[ProjectedSeries]:
    """Return the points of every metric; none where the range lies outside the look-back period."""
    one = known.recommendation
    window = _clipped(look_back(one.last_refresh, int(one.lookback_days)), wanted)
    if window is None:
        return []
    keys = series_to_project(one, statistic).values()
    with context.state.reading() as connection:
        samples = read_samples(
            connection, context.tiles, known.shard, window, list(keys), [one.resource_arn]
        )
    seconds = _slots(window)
    outside = (seconds < wanted.first) | (seconds >= wanted.end)
    outside |= seconds >= one.last_refresh.timestamp()
    for matrix in samples.series.values():
        matrix[:, outside] = np.nan
    return projected_series(
        known.resource,
        one,
        samples,
        seconds,
        known_types(context.state),
        options=types,
        period=wanted.period,
        statistic=statistic,
    )


def _clipped(window: Window, wanted: Points) -> Window | None:
    """Return the days of the window that hold any of the points; None where no day does."""
    first, last = _midnight(window.first), _midnight(window.last) + SLOTS_PER_DAY * SLOT_SECONDS
    begin, end = max(first, wanted.first), min(last, wanted.end)
    return Window(_day(begin), _day(end - 1)) if begin < end else None


def _slots(window: Window) -> Integers:
    slots: Integers = np.arange(window.days * SLOTS_PER_DAY, dtype=np.int64) * SLOT_SECONDS
    return slots + _midnight(window.first)


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()
