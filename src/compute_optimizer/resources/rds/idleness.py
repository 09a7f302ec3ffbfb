"""When DB instances are idle."""

from collections.abc import Sequence
from datetime import datetime
from math import nan

import numpy as np

from compute_optimizer.catalog.database_classes import ENGINES, DatabaseClasses
from compute_optimizer.catalog.database_prices import hourly_database_prices
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.idle import IDLE_PEAK_CPU, IdleLimit, Measure
from compute_optimizer.engine.usage import CPU_METRIC
from compute_optimizer.model.database import Database
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.recommendation import HOURS_PER_MONTH, Finding
from compute_optimizer.resources.idleness import IdleRule, Shown
from compute_optimizer.resources.rds.dimensions import CONNECTIONS
from compute_optimizer.resources.rds.storage import present_monthly_usd

IDLE_IOPS = 20.0
"""Reads and writes a second: every sample lies below (assumed; the service says low: spec 5.3 and
15, question 35). The CPU is held to the limit of instances for the same want of a figure."""

OPERATIONS = ("ReadIOPS", "WriteIOPS")

LIMITS = (
    IdleLimit((CONNECTIONS,), Measure.PEAK, 0, inclusive=True),
    IdleLimit((CPU_METRIC,), Measure.PEAK, IDLE_PEAK_CPU, name="cpu_percent"),
    IdleLimit(OPERATIONS, Measure.PEAK, IDLE_IOPS, name="operations_per_second"),
)

AVAILABLE = "available"
"""The state of a DB instance that works: one that is stopped does nothing, and costs less."""


def concerned(databases: Sequence[Database]) -> Booleans:
    """Return the DB instances of which nothing else depends (spec 5.1).

    Replicas and secondary clusters of a global database have no connections by nature.
    """
    found = [
        not (one.is_cluster or one.read_replica or one.global_secondary)
        and one.engine in ENGINES
        and one.state == AVAILABLE
        for one in databases
    ]
    return np.array(found, dtype=np.bool_)


def _concerned(
    databases: Sequence[Database], _classes: DatabaseClasses, _since: datetime
) -> Booleans:
    return concerned(databases)


def _monthly_usd(
    databases: Sequence[Database],
    _samples: ShardSamples,
    classes: DatabaseClasses,
    _as_of: datetime,
) -> Floats:
    """Return what instance and storage cost; the storage of Aurora is its cluster's."""
    instances = np.array([_hourly_usd(one, classes) for one in databases]) * HOURS_PER_MONTH
    aurora = np.array([one.is_aurora for one in databases], dtype=np.bool_)
    storage = np.where(aurora, 0.0, present_monthly_usd(databases, classes.types.own_prices))
    return instances + storage


def _hourly_usd(one: Database, classes: DatabaseClasses) -> float:
    place = classes.types.index.get(one.instance_type)
    if place is None:
        return nan
    prices = hourly_database_prices(
        classes, one.region, one.engine, multi_az=one.multi_az, storage=one.storage_type
    )
    return float(prices[place])


RULES = (
    IdleRule(
        idle_type="RDSDBInstance",
        finding=Finding.IDLE,
        description=(
            "The DB instance had no connections, a peak CPU utilization below {cpu_percent:g}% "
            "and fewer than {operations_per_second:g} read and write operations per second over "
            "the {days}-day lookback period."
        ),
        limits=LIMITS,
        shown={
            CPU_METRIC: Shown("CPU"),
            CONNECTIONS: Shown("DatabaseConnections"),
            "ReadIOPS": Shown("EBSVolumeReadIOPS"),
            "WriteIOPS": Shown("EBSVolumeWriteIOPS"),
        },
        monthly_usd=_monthly_usd,
        concerned=_concerned,
    ),
)
