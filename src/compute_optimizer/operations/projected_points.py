"""What the operations of projected metrics share: whose points, which ones, and their samples."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np

from compute_optimizer.engine.arrays import Integers
from compute_optimizer.errors import NotFound
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Window,
    look_back,
)
from compute_optimizer.model.recommendation import Recommendation
from compute_optimizer.model.resource import Resource, ShardKey
from compute_optimizer.model.spans import day_of
from compute_optimizer.operations.access import account_in_reach, opted_in_caller
from compute_optimizer.operations.context import Context
from compute_optimizer.shapes import InvalidParameterValueException, ResourceNotFoundException
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.inventory import find_resource, shard_of
from compute_optimizer.store.recommendations import Selection, read_page
from compute_optimizer.store.tiles import read_samples


@dataclass(frozen=True, slots=True)
class Projecting:
    """What one operation has of its own."""

    resource_type: str
    recommendation: type[Recommendation]
    """The class of the stored recommendations."""
    member: str
    """The member of the request that names the resource, such as instanceArn."""
    arn: re.Pattern[str]
    """What an ARN looks like, with the groups region and account."""
    kind: str
    """What errors call the resource, such as `EC2 instance`."""
    noun: str
    """The same in short, such as `instance`."""
    step: int = SLOT_SECONDS
    """Seconds of which periods are multiples."""


@dataclass(frozen=True, slots=True)
class Points:
    """Which points a request wants; all in seconds, moments since 1970."""

    first: int
    """Where the period begins in which the first moment lies."""
    end: int
    """Where the period ends in which the last moment lies."""
    period: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of the resource."""

    resource: Resource
    shard: ShardKey
    recommendation: Any


def account_of(context: Context, operation: Projecting, request: dict[str, Any]) -> str:
    """Return the account of the resource that a request names.

    Raises the modelled exceptions of `account_in_reach`, and InvalidParameterValueException for
    what is no such resource of the request's Region.
    """
    caller = opted_in_caller(context)
    return account_in_reach(context, caller, _owner(operation, request, context.region))


def _owner(operation: Projecting, request: dict[str, Any], region: str) -> str:
    arn = request[operation.member]
    parts = operation.arn.fullmatch(arn)
    if parts is None:
        raise InvalidParameterValueException(
            f"The {operation.member} {arn!r} is not valid; expected the ARN of an {operation.kind}."
        )
    if parts["region"] != region:
        raise InvalidParameterValueException(
            f"The {operation.noun} {arn} is not in the Region of this request, {region}."
        )
    return parts["account"]


def points_in(operation: Projecting, request: dict[str, Any]) -> Points:
    """Return the points that a request wants; raise InvalidParameterValueException for none."""
    period, start, end = request["period"], request["startTime"], request["endTime"]
    if period <= 0 or period % operation.step:
        raise InvalidParameterValueException(
            f"The period {period} is not valid; expected a multiple of {operation.step} seconds."
        )
    if start >= end:
        raise InvalidParameterValueException(
            f"The startTime {start.isoformat()} is not before the endTime {end.isoformat()}."
        )
    first, last = (int(moment.timestamp()) // period * period for moment in (start, end))
    return Points(first, last + period, period)


def known_of(
    context: Context, operation: Projecting, request: dict[str, Any], account_id: str
) -> Known:
    """Return what is stored of the resource; raise ResourceNotFoundException where nothing is."""
    arn = request[operation.member]
    scope, wanted = Scope(account_id, context.region, operation.resource_type), (arn,)
    with context.state.reading() as connection:
        run_id = current_run(connection, scope)
        found = run_id and read_page(
            connection,
            run_id,
            scope,
            operation.recommendation,
            limit=1,
            selection=Selection(arns=wanted),
        )
        if not found:
            raise ResourceNotFoundException(
                f"There is no recommendation for the {operation.noun} {arn}."
            )
        try:
            return Known(find_resource(connection, arn), shard_of(connection, arn), found[0])
        except NotFound as error:
            raise ResourceNotFoundException(
                f"The {operation.noun} {arn} is not known any more."
            ) from error


def samples_of(
    context: Context, known: Known, wanted: Points, keys: Collection[MetricKey]
) -> tuple[ShardSamples, Integers]:
    """Return the samples of a resource, and where their slots begin in seconds since 1970.

    Only days that hold any of the points are read, (1, slots); what the analysis did not look at,
    and what lies outside the points, is NaN. No series where the points lie outside all that.
    """
    one = known.recommendation
    looked_at = look_back(one.last_refresh, int(one.lookback_days))
    window = _clipped(looked_at, wanted)
    if window is None:
        return ShardSamples((one.resource_arn,), looked_at, {}), np.empty(0, np.int64)
    with context.state.reading() as connection:
        samples = read_samples(
            connection, context.tiles, known.shard, window, keys, [one.resource_arn]
        )
    seconds = _midnight(window.first) + SLOT_SECONDS * np.arange(
        window.days * SLOTS_PER_DAY, dtype=np.int64
    )
    end = min(wanted.end, one.last_refresh.timestamp())
    for matrix in samples.series.values():
        matrix[:, (seconds < wanted.first) | (seconds >= end)] = np.nan
    return samples, seconds


def _clipped(window: Window, wanted: Points) -> Window | None:
    """Return the days of the window that hold any of the points; None where no day does."""
    first, last = _midnight(window.first), _midnight(window.last) + SLOTS_PER_DAY * SLOT_SECONDS
    begin, end = max(first, wanted.first), min(last, wanted.end)
    return Window(day_of(begin), day_of(end - 1)) if begin < end else None


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
