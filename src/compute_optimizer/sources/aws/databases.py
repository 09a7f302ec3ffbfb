"""RDS DB instances and Aurora clusters."""

from typing import Any

from compute_optimizer.model.database import (
    AURORA_IO_OPTIMIZED,
    AURORA_PREFIX,
    AURORA_STANDARD,
    Database,
)
from compute_optimizer.model.resource import RDS_DB_INSTANCE, Resource
from compute_optimizer.sources.aws.calls import DB_CLUSTERS, DB_INSTANCES, Record
from compute_optimizer.sources.aws.records import Answers, Located, tags_of
from compute_optimizer.sources.aws.volumes import PROVISIONED_IOPS

OTHER_SERVICES = ("docdb", "neptune")
"""Engines that the API of RDS lists and that are not RDS."""


def read_databases(at: Located, answers: Answers) -> list[Resource]:
    """Return the DB instances, and the clusters of Aurora."""
    classes = {one["DBInstanceIdentifier"]: one["DBInstanceClass"] for one in answers[DB_INSTANCES]}
    writers = {
        member["DBInstanceIdentifier"]
        for cluster in answers[DB_CLUSTERS]
        for member in cluster["DBClusterMembers"]
        if member["IsClusterWriter"]
    }
    instances = [
        _instance(at, one, writer=one["DBInstanceIdentifier"] in writers)
        for one in answers[DB_INSTANCES]
        if one["Engine"] not in OTHER_SERVICES
    ]
    clusters = [
        _cluster(at, one, classes)
        for one in answers[DB_CLUSTERS]
        if one["Engine"].startswith(AURORA_PREFIX)
    ]
    return [*instances, *clusters]


def _instance(at: Located, one: Record, *, writer: bool) -> Resource:
    aurora = one["Engine"].startswith(AURORA_PREFIX)
    storage = one.get("StorageType", "")
    provisioned = not aurora and storage in PROVISIONED_IOPS
    return Database(
        **_shared(at, one, one["DBInstanceArn"], one["DBInstanceIdentifier"]),
        instance_type=one["DBInstanceClass"],
        state=one["DBInstanceStatus"].lower(),
        multi_az=one.get("MultiAZ", False),
        storage_type=storage,
        allocated_gib=0 if aurora else one["AllocatedStorage"],
        iops=one.get("Iops") if provisioned else None,
        throughput_mibps=(one.get("StorageThroughput") or None) if provisioned else None,
        max_allocated_gib=one.get("MaxAllocatedStorage"),
        cluster=one.get("DBClusterIdentifier", ""),
        promotion_tier=one.get("PromotionTier") if aurora else None,
        writer=writer,
        read_replica="ReadReplicaSourceDBInstanceIdentifier" in one,
        performance_insights=one.get("PerformanceInsightsEnabled", False),
    )


def _cluster(at: Located, one: Record, classes: dict[str, str]) -> Resource:
    optimized = one.get("StorageType") == AURORA_IO_OPTIMIZED
    members = (member["DBInstanceIdentifier"] for member in one["DBClusterMembers"])
    return Database(
        **_shared(at, one, one["DBClusterArn"], one["DBClusterIdentifier"]),
        instance_type=AURORA_IO_OPTIMIZED if optimized else AURORA_STANDARD,
        state=one["Status"].lower(),
        member_classes=tuple(classes[name] for name in members if name in classes),
    )


def _shared(at: Located, one: Record, arn: str, name: str) -> dict[str, Any]:
    """Return what an instance and a cluster have in common."""
    tags = tags_of(one.get("TagList"))
    return {
        **at.shared(
            RDS_DB_INSTANCE, arn=arn, resource_id=name, name=tags.get("Name", ""), tags=tags
        ),
        "engine": one["Engine"].lower(),
        "engine_version": one.get("EngineVersion", ""),
    }
