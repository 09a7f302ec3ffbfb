"""The evidence behind one Aurora cluster's recommendation: what both kinds of storage cost."""

from collections.abc import Iterator
from datetime import datetime

from compute_optimizer.catalog.database_classes import DatabaseClasses
from compute_optimizer.catalog.database_prices import database_price_date
from compute_optimizer.engine.evidence import (
    ONLY,
    fitting,
    history_of,
    in_order,
    metric_evidence,
    refusals_of,
)
from compute_optimizer.engine.explanation import ChoiceEvidence, Explanation, Figure
from compute_optimizer.engine.figures import known
from compute_optimizer.engine.obstacles import Obstacle
from compute_optimizer.engine.savings import SLOTS_PER_MONTH
from compute_optimizer.model.database import Database
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
)
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.units import BYTES_PER_GIB
from compute_optimizer.resources.rds.cluster_records import cluster_codes, shown_choices
from compute_optimizer.resources.rds.clusters import (
    CHOICES,
    LEAST_DAYS,
    VARIATION_LIMITS,
    ClusterAnalysis,
)
from compute_optimizer.resources.rds.dimensions import BYTES_USED, READ_IOS, WRITE_IOS

KEYS = (
    MetricKey(READ_IOS, Statistic.SUM),
    MetricKey(WRITE_IOS, Statistic.SUM),
    MetricKey(BYTES_USED, Statistic.AVERAGE),
)

NOT_BACK = "I/O-Optimized is not moved away from"


def cluster_explanation(
    cluster: Database,
    samples: ShardSamples,
    clusters: ClusterAnalysis,
    obstacle: Obstacle | None,
    classes: DatabaseClasses,
    *,
    as_of: datetime,
) -> Explanation:
    """Return the explanation of one Aurora cluster."""
    now, cheaper = int(clusters.now[ONLY]), bool(clusters.cheaper[ONLY])
    judged = Finding.NOT_OPTIMIZED if cheaper else Finding.OPTIMIZED
    choices = in_order(_choices(clusters)) if obstacle is None else ()
    needed = LEAST_DAYS * SLOTS_PER_DAY
    return Explanation(
        resource_arn=cluster.arn,
        instance_type=cluster.instance_type,
        as_of=as_of,
        window=samples.window,
        finding=obstacle.code if obstacle else judged.value,
        finding_reason_codes=() if obstacle else cluster_codes(now, cheaper),
        binding_dimension=None,
        idle=None,
        history=history_of(samples.series.get(KEYS[0]), samples.window, READ_IOS, needed),
        metrics=tuple(
            metric_evidence(key, samples.series[key]) for key in KEYS if key in samples.series
        ),
        dimensions=(),
        price_date=database_price_date(classes, cluster.region, cluster.engine),
        current_monthly_usd=known(clusters.monthly_usd[ONLY, now]),
        choices=choices,
        figures=tuple(_figures(clusters)),
        refusals=refusals_of(choices),
        fitting_types=fitting(choices),
    )


def _choices(clusters: ClusterAnalysis) -> Iterator[ChoiceEvidence]:
    shown = shown_choices(ONLY, clusters)
    for choice, name in enumerate(CHOICES):
        yield ChoiceEvidence(
            of="storage",
            configuration=name,
            rank=shown.index(choice) + 1 if choice in shown else None,
            monthly_usd=known(clusters.monthly_usd[ONLY, choice]),
            performance_risk=None,
            capacity={},
            refused_because=() if choice in shown else (NOT_BACK,),
        )


def _figures(clusters: ClusterAnalysis) -> Iterator[Figure]:
    reads, writes, used = (clusters.averages[key.metric][ONLY] for key in KEYS)
    yield Figure(
        "I/O",
        "operations a month",
        known((reads + writes) * SLOTS_PER_MONTH),
        None,
        "what Standard charges for",
    )
    yield Figure("storage in use", "GiB", known(used / BYTES_PER_GIB), None, "the price of both")
    yield Figure(
        "days with data",
        "days",
        float(clusters.days[ONLY]),
        float(LEAST_DAYS),
        "with fewer there is no recommendation",
    )
    yield Figure(
        "I/O varies from day to day",
        "standard deviation through the mean",
        known(clusters.spread[ONLY]),
        VARIATION_LIMITS[0],
        "from here on the cost of I/O is said to vary",
    )
