"""What an inventory row says of each resource type: one reader each, listed by hand."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.model.auto_scaling_group import (
    DYNAMIC,
    FIXED,
    LOWEST_PRICE,
    PRIORITIZED,
    SCALING,
    AutoScalingGroup,
)
from compute_optimizer.model.database import AURORA_PREFIX, Database
from compute_optimizer.model.ebs_volume import IN_USE, VOLUME_STATES, EbsVolume
from compute_optimizer.model.ecs_service import FARGATE
from compute_optimizer.model.idle_only import INSTANCES, NODES, REAL_TIME
from compute_optimizer.model.lambda_function import (
    ARCHITECTURES,
    LambdaFunction,
    qualified,
    short_id,
)
from compute_optimizer.model.license import LicensedInstance
from compute_optimizer.model.nat_gateway import (
    AVAILABLE,
    CONNECTIVITY_TYPES,
    NAT_GATEWAY_STATES,
    NatGateway,
)
from compute_optimizer.model.resource import (
    AURORA_STORAGE,
    AUTO_SCALING_GROUP,
    DOCUMENTDB_CLUSTER,
    DYNAMODB_TABLE,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    ELASTICACHE_CLUSTER,
    LAMBDA_FUNCTION,
    MEMORYDB_CLUSTER,
    NAT_GATEWAY,
    RDS_DB_INSTANCE,
    SAGEMAKER_ENDPOINT,
    WORKSPACES,
    Resource,
)
from compute_optimizer.sources.files import cells
from compute_optimizer.sources.files.cells import Row, RowRefused
from compute_optimizer.sources.files.idle_only import read_idle_only
from compute_optimizer.sources.files.licenses import read_license
from compute_optimizer.sources.files.refusals import Reason
from compute_optimizer.sources.files.services import SERVICE_ID, read_service

STATES = ("pending", "running", "shutting-down", "terminated", "stopping", "stopped")
"""EC2's instance states."""

RESOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)

STRATEGIES = {
    "prioritized": PRIORITIZED,
    "lowest-price": LOWEST_PRICE,
    "lowestprice": LOWEST_PRICE,
}
"""Allocation strategies of On-Demand Instances by what Auto Scaling and the service call them."""

TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)
"""Of a table (Amazon DynamoDB Developer Guide)."""

GROUP_NAME = "[!-9;-~]{1,255}"
"""Of an Auto Scaling group: anything printable but a colon."""

PROVISIONED = ("io1", "io2")
"""Volume types that are nothing without their IOPS."""


LAST_TIER = 15
"""Promotion tiers of Aurora's readers are 0 to 15 (Amazon Aurora User Guide)."""


@dataclass(frozen=True, slots=True)
class InventoryKind:
    """How the rows of one resource type are read."""

    arn: str
    """How its ARNs begin after the account, such as `instance`."""
    read: Callable[..., Resource]
    """(row, members that every type has) -> resource; raises RowRefused."""
    service: str = "ec2"
    """Of its ARNs."""
    separator: str = "/"
    """Between `arn` and the id."""
    also: tuple[str, ...] = ()
    """How other ARNs of it begin in place of `arn`."""
    named: re.Pattern[str] | None = None
    """Where the id stands in what an ARN has after `arn`, as the group `id`; None for all of it:
    then an ARN can be made from an id."""
    id: re.Pattern[str] = RESOURCE_ID
    default_type: str = ""
    """Of rows without a type; empty where one is required."""
    short: Callable[[str], str] = str
    """From the id in an ARN to the one that people use."""
    whole: Callable[[str], str] = str
    """From an ARN to the same with everything that it leaves out."""


def _instance(row: Row, shared: Mapping[str, Any]) -> Resource:
    own: dict[str, Any] = {
        "state": cells.choice(row, "state", "running", STATES, Reason.STATE),
        "platform": cells.platform(row),
        "vcpus": cells.capacity(row, "vcpus"),
        "memory_mib": cells.capacity(row, "memory_mib"),
        "auto_scaling_group_arn": cells.text(row, "auto_scaling_group_arn") or None,
    }
    sql_server = read_license(row)
    if sql_server is None:
        return Resource(**shared, **own)
    return LicensedInstance(**shared, **own, sql_server=sql_server)


def _volume(row: Row, shared: Mapping[str, Any]) -> Resource:
    needed = ("size_gib", "iops") if shared["instance_type"] in PROVISIONED else ("size_gib",)
    for field in needed:
        cells.required(row, field)
    return EbsVolume(
        **shared,
        state=cells.choice(row, "state", IN_USE, VOLUME_STATES, Reason.STATE),
        size_gib=cells.whole_capacity(row, "size_gib") or 0,
        iops=cells.whole_capacity(row, "iops"),
        throughput_mibps=cells.whole_capacity(row, "throughput_mibps"),
        root=cells.flag(row, "root"),
        created_at=cells.moment(row, "created_at"),
    )


def _nat_gateway(row: Row, shared: Mapping[str, Any]) -> Resource:
    routed = cells.flag(row, "in_route_table") if cells.text(row, "in_route_table") else None
    connectivity = cells.choice(row, "type", "", CONNECTIVITY_TYPES, Reason.CONNECTIVITY)
    return NatGateway(
        **{**shared, "instance_type": connectivity},
        state=cells.choice(row, "state", AVAILABLE, NAT_GATEWAY_STATES, Reason.STATE),
        in_route_table=routed,
    )


def _database(row: Row, shared: Mapping[str, Any]) -> Resource:
    aurora = cells.required(row, "engine").casefold().startswith(AURORA_PREFIX)
    for field in () if aurora else ("storage_type", "size_gib"):
        cells.required(row, field)
    if cells.text(row, "storage_type") in PROVISIONED:
        cells.required(row, "iops")
    return Database(
        **shared,
        **_engine(row),
        multi_az=cells.flag(row, "multi_az"),
        storage_type=cells.text(row, "storage_type"),
        allocated_gib=0 if aurora else cells.whole_capacity(row, "size_gib") or 0,
        iops=cells.whole_capacity(row, "iops"),
        throughput_mibps=cells.whole_capacity(row, "throughput_mibps"),
        max_allocated_gib=cells.whole_capacity(row, "max_allocated_gib"),
        cluster=cells.text(row, "cluster"),
        promotion_tier=cells.whole_up_to(row, "promotion_tier", LAST_TIER, Reason.TIER),
        writer=cells.flag(row, "writer"),
        read_replica=cells.flag(row, "read_replica"),
        global_secondary=cells.flag(row, "global_secondary"),
        performance_insights=cells.flag(row, "performance_insights"),
    )


def _cluster(row: Row, shared: Mapping[str, Any]) -> Resource:
    classes = cells.required(row, "member_classes").split(";")
    return Database(
        **{**shared, "resource_type": RDS_DB_INSTANCE},
        **_engine(row),
        member_classes=tuple(one.strip() for one in classes if one.strip()),
    )


def _engine(row: Row) -> dict[str, Any]:
    return {
        "engine": cells.required(row, "engine").casefold(),
        "engine_version": cells.text(row, "engine_version"),
        "state": cells.text(row, "state").casefold() or "available",
    }


def _group(row: Row, shared: Mapping[str, Any]) -> Resource:
    names = [name.strip() for name in shared["instance_type"].split(";") if name.strip()]
    if not names:
        raise RowRefused(Reason.MISSING, "type")
    least, desired, most = (cells.count(row, field) for field in GROUP_SIZES)
    if not least <= desired <= most:
        raise RowRefused(Reason.GROUP_SIZE, f"{least} <= {desired} <= {most}")
    return AutoScalingGroup(
        **{**shared, "instance_type": names[0], "name": shared["name"] or shared["resource_id"]},
        platform=cells.platform(row),
        min_size=least,
        max_size=most,
        desired_capacity=desired,
        mixed_types=tuple(names) if len(names) > 1 else (),
        allocation_strategy=_strategy(row),
        scaling=cells.choice(
            row, "scaling", FIXED if least == most else DYNAMIC, SCALING, Reason.SCALING
        ),
        spot=cells.flag(row, "spot"),
        weighted=cells.flag(row, "weighted"),
    )


GROUP_SIZES = ("min_size", "desired_capacity", "max_size")


def _strategy(row: Row) -> str | None:
    value = cells.text(row, "allocation_strategy").casefold()
    if value and value not in STRATEGIES:
        raise RowRefused(Reason.STRATEGY, value)
    return STRATEGIES.get(value)


def _function(row: Row, shared: Mapping[str, Any]) -> Resource:
    cells.required(row, "memory_mib")
    own = {
        "name": shared["name"] or shared["resource_id"],
        "instance_type": cells.architecture(row),
    }
    return LambdaFunction(
        **{**shared, **own},
        memory_size=cells.whole_capacity(row, "memory_mib") or 0,
        timeout_seconds=cells.capacity(row, "timeout_seconds"),
    )


KINDS = {
    EC2_INSTANCE: InventoryKind("instance", _instance),
    EBS_VOLUME: InventoryKind("volume", _volume),
    NAT_GATEWAY: InventoryKind("natgateway", _nat_gateway),
    AUTO_SCALING_GROUP: InventoryKind(
        "autoScalingGroup",
        _group,
        service="autoscaling",
        separator=":",
        named=re.compile(rf"[!-.0-9;-~]+:autoScalingGroupName/(?P<id>{GROUP_NAME})", re.ASCII),
        id=re.compile(GROUP_NAME, re.ASCII),
    ),
    LAMBDA_FUNCTION: InventoryKind(
        "function",
        _function,
        service="lambda",
        separator=":",
        id=re.compile(r"[A-Za-z0-9_-]{1,140}(:(\$LATEST|[A-Za-z0-9_-]{1,128}))?", re.ASCII),
        default_type=ARCHITECTURES[0],
        short=short_id,
        whole=qualified,
    ),
    ECS_SERVICE: InventoryKind(
        "service",
        read_service,
        service="ecs",
        id=SERVICE_ID,
        default_type=FARGATE,
    ),
    RDS_DB_INSTANCE: InventoryKind("db", _database, service="rds", separator=":"),
    AURORA_STORAGE: InventoryKind("cluster", _cluster, service="rds", separator=":"),
    DYNAMODB_TABLE: InventoryKind("table", read_idle_only, service="dynamodb", id=TABLE_NAME),
    ELASTICACHE_CLUSTER: InventoryKind(
        "cluster",
        read_idle_only,
        service="elasticache",
        separator=":",
        also=("replicationgroup", "serverlesscache"),
    ),
    MEMORYDB_CLUSTER: InventoryKind(
        "cluster", read_idle_only, service="memorydb", default_type=NODES
    ),
    DOCUMENTDB_CLUSTER: InventoryKind(
        "cluster", read_idle_only, service="rds", separator=":", default_type=INSTANCES
    ),
    WORKSPACES: InventoryKind("workspace", read_idle_only, service="workspaces"),
    SAGEMAKER_ENDPOINT: InventoryKind(
        "endpoint", read_idle_only, service="sagemaker", default_type=REAL_TIME
    ),
}
"""By the service's own name of the resource type; clusters of Aurora are kept among the databases.
An ARN that several have is of the first."""
