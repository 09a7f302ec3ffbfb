"""Databases and their samples made by hand, for tests of the type and of its cases."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from compute_optimizer.catalog.database_classes import load_database_classes
from compute_optimizer.model.database import Database, DatabaseRecommendation
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES, Preferences
from compute_optimizer.model.recommendation import Results
from compute_optimizer.model.resource import RDS_DB_INSTANCE
from compute_optimizer.resources.rds_database import recommend
from tests.fleets import ACCOUNT, AS_OF, REGION, shard

GIB = 2**30
MIB = 2**20


def maximum(metric: str) -> MetricKey:
    return MetricKey(metric, Statistic.MAXIMUM)


READ_IOPS, WRITE_IOPS = maximum("ReadIOPS"), maximum("WriteIOPS")
READ_FLOW = maximum("ReadThroughput")
CONNECTIONS = maximum("DatabaseConnections")
MEMORY_USED = maximum("mem_used_percent")
FREE = MetricKey("FreeStorageSpace", Statistic.AVERAGE)
BYTES_USED = MetricKey("VolumeBytesUsed", Statistic.AVERAGE)
READ_IOS = MetricKey("VolumeReadIOPs", Statistic.SUM)
WRITE_IOS = MetricKey("VolumeWriteIOPs", Statistic.SUM)


def database_arn(name: str, kind: str = "db", region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:rds:{region}:{account}:{kind}:{name}"


def database(number: int, db_class: str, **others: Any) -> Database:
    """Return a DB instance: of MySQL with 100 GiB of gp3, unless something else is said."""
    region = others.pop("region", REGION)
    name = others.pop("id", f"orders-{number}")
    engine = others.pop("engine", "mysql")
    storage = {} if engine.startswith("aurora") else {"storage_type": "gp3", "allocated_gib": 100}
    return Database(
        arn=database_arn(name, region=region),
        account_id=ACCOUNT,
        region=region,
        resource_type=RDS_DB_INSTANCE,
        resource_id=name,
        instance_type=db_class,
        engine=engine,
        **{"state": "available", "engine_version": "8.4.3", **storage, **others},
    )


def cluster(name: str, storage: str = "aurora", **others: Any) -> Database:
    """Return an Aurora cluster with one db.r5.large."""
    region = others.pop("region", REGION)
    return Database(
        arn=database_arn(name, "cluster", region),
        account_id=ACCOUNT,
        region=region,
        resource_type=RDS_DB_INSTANCE,
        resource_id=name,
        instance_type=storage,
        **{
            "state": "available",
            "engine": "aurora-mysql",
            "member_classes": ("db.r5.large",),
            **others,
        },
    )


def analyzed_databases(
    databases: Sequence[Database],
    series: Mapping[MetricKey, ArrayLike],
    preferences: Preferences = DEFAULT_PREFERENCES,
    days: int = 14,
) -> Results[DatabaseRecommendation]:
    return recommend(
        databases,
        shard(databases, series, days),
        load_database_classes(),
        as_of=AS_OF,
        preferences=preferences,
    )


def recommended_database(
    one: Database,
    series: Mapping[MetricKey, ArrayLike],
    preferences: Preferences = DEFAULT_PREFERENCES,
) -> DatabaseRecommendation:
    """Return the recommendation for one database."""
    (found,) = analyzed_databases([one], series, preferences).recommendations
    return found


def class_options(found: DatabaseRecommendation, pool: str = "CURRENT") -> list[str]:
    return [o.db_class for o in found.instance_options if o.architecture_pool == pool]
