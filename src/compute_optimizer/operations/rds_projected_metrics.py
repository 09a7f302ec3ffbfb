"""GetRDSDatabaseRecommendationProjectedMetrics: the CPU that options would have shown."""

from typing import Any

from compute_optimizer.catalog.database_classes import load_database_classes
from compute_optimizer.model.database import DatabaseRecommendation
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.model.preference_rules import RESOURCE_ARNS
from compute_optimizer.model.resource import RDS_DB_INSTANCE
from compute_optimizer.operations.architectures import architectures_of
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.projected_points import (
    Projecting,
    account_of,
    known_of,
    points_in,
    samples_of,
)
from compute_optimizer.resources.rds.projection import cpu_points, cpu_ratios, wanted_series
from compute_optimizer.views.database import projected_metrics, ranked_options

DB_INSTANCES = Projecting(
    resource_type=RDS_DB_INSTANCE,
    recommendation=DatabaseRecommendation,
    member="resourceArn",
    # A cluster has no CPU of its own.
    arn=RESOURCE_ARNS[RDS_DB_INSTANCE],
    kind="RDS DB instance",
    noun="DB instance",
)


def get_rds_database_recommendation_projected_metrics(
    context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Return a series of points for each option of a DB instance.

    Raises the modelled exceptions of `account_of`, InvalidParameterValueException for what is
    no DB instance of this Region, no period and no range, and ResourceNotFoundException for an
    instance without a recommendation.
    """
    account_id = account_of(context, DB_INSTANCES, request)
    wanted = points_in(DB_INSTANCES, request)
    known = known_of(context, DB_INSTANCES, request, account_id)
    one, statistic = known.recommendation, Statistic(request["stat"])
    samples, seconds = samples_of(context, known, wanted, wanted_series(statistic))
    starts, values = cpu_points(samples, seconds, statistic, wanted.period)
    options = ranked_options(one, architectures_of(request))
    names = [option.db_class for option in options]
    ratios = cpu_ratios(one.db_class or "", names, load_database_classes())
    shown = projected_metrics(names, ratios.tolist(), starts.tolist(), values)
    return {"recommendedOptionProjectedMetrics": shown}
