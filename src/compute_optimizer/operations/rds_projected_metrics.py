"""GetRDSDatabaseRecommendationProjectedMetrics: the CPU that options would have shown."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import numpy as np

from compute_optimizer.catalog.database_classes import load_database_classes
from compute_optimizer.engine.arrays import Integers
from compute_optimizer.errors import NotFound
from compute_optimizer.model.database import CLUSTER_MARK, DatabaseRecommendation
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    ShardSamples,
    Statistic,
    Window,
    look_back,
)
from compute_optimizer.model.resource import RDS_DB_INSTANCE, ShardKey
from compute_optimizer.operations.access import target_account
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.databases import DATABASE_ARN, architectures_of
from compute_optimizer.resources.rds.projection import cpu_points, cpu_ratios, wanted_series
from compute_optimizer.shapes import InvalidParameterValueException, ResourceNotFoundException
from compute_optimizer.store.inventory import shard_of
from compute_optimizer.store.recommendations import Scope, Selection, current_run, read_page
from compute_optimizer.store.tiles import read_samples
from compute_optimizer.views.database import projected_metrics, ranked_options


@dataclass(frozen=True, slots=True)
class Range:
    """Which points a request wants; moments are seconds since 1970."""

    first: int
    """Where the period begins in which the start lies."""
    end: int
    """Where the period ends in which the end lies."""
    period: int


def get_rds_database_recommendation_projected_metrics(
    context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Return a series of points for each option of a DB instance.

    Raises the modelled exceptions of `target_account`, InvalidParameterValueException for what is
    no DB instance of this Region, no period and no range, and ResourceNotFoundException for an
    instance without a recommendation.
    """
    arn = request["resourceArn"]
    account_id = target_account(context, [_owner_of(arn, context.region)])
    wanted = range_of(request)
    one, shard = _known(context, arn, account_id)
    statistic = Statistic(request["stat"])
    samples, seconds = _samples(context, one, shard, wanted, statistic)
    points = cpu_points(samples, seconds, statistic, wanted.period)
    options = ranked_options(one, architectures_of(request))
    names = [option.db_class for option in options]
    ratios = cpu_ratios(one.db_class or "", names, load_database_classes())
    shown = projected_metrics(names, ratios.tolist(), points.starts.tolist(), points.values)
    return {"recommendedOptionProjectedMetrics": shown}


def range_of(request: dict[str, Any]) -> Range:
    """Return the points that a request wants; raise InvalidParameterValueException for none."""
    period, start, end = request["period"], request["startTime"], request["endTime"]
    if period <= 0 or period % SLOT_SECONDS:
        raise InvalidParameterValueException(
            f"The period {period} is not valid; expected a multiple of {SLOT_SECONDS} seconds."
        )
    if start >= end:
        raise InvalidParameterValueException(
            f"The startTime {start.isoformat()} is not before the endTime {end.isoformat()}."
        )
    first, last = (int(moment.timestamp()) // period * period for moment in (start, end))
    return Range(first, last + period, period)


def _owner_of(arn: str, region: str) -> str:
    parts = DATABASE_ARN.fullmatch(arn)
    if parts is None or CLUSTER_MARK in arn:
        raise InvalidParameterValueException(
            f"The resourceArn {arn!r} is not valid; expected the ARN of an RDS DB instance."
        )
    if parts["region"] != region:
        raise InvalidParameterValueException(
            f"The DB instance {arn} is not in the Region of this request, {region}."
        )
    return parts["account"]


def _known(context: Context, arn: str, account_id: str) -> tuple[DatabaseRecommendation, ShardKey]:
    scope = Scope(account_id, context.region, RDS_DB_INSTANCE)
    with context.state.reading() as connection:
        run_id = current_run(connection, scope)
        wanted = Selection(arns=(arn,))
        found = run_id and read_page(
            connection, run_id, scope, DatabaseRecommendation, limit=1, selection=wanted
        )
        if not found:
            raise ResourceNotFoundException(
                f"There is no recommendation for the DB instance {arn}."
            )
        try:
            return found[0], shard_of(connection, arn)
        except NotFound as error:
            raise ResourceNotFoundException(
                f"The DB instance {arn} is not known any more."
            ) from error


def _samples(
    context: Context,
    one: DatabaseRecommendation,
    shard: ShardKey,
    wanted: Range,
    statistic: Statistic,
) -> tuple[ShardSamples, Integers]:
    """Return the samples of the look-back period inside the range, and when slots begin."""
    window = look_back(one.last_refresh, int(one.lookback_days))
    keys = wanted_series(statistic)
    with context.state.reading() as connection:
        samples = read_samples(connection, context.tiles, shard, window, keys, [one.resource_arn])
    seconds = _slots(window)
    outside = (seconds < wanted.first) | (seconds >= wanted.end)
    outside |= seconds >= one.last_refresh.timestamp()
    for matrix in samples.series.values():
        matrix[:, outside] = np.nan
    return samples, seconds


def _slots(window: Window) -> Integers:
    midnight = int(datetime.combine(window.first, time(), UTC).timestamp())
    slots: Integers = np.arange(window.days * SLOTS_PER_DAY, dtype=np.int64) * SLOT_SECONDS
    return slots + midnight
