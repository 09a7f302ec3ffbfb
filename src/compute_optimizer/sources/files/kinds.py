"""What an inventory row says of each resource type: one reader each, listed by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.model.database import AURORA_PREFIX, Database
from compute_optimizer.model.ebs_volume import IN_USE, VOLUME_STATES, EbsVolume
from compute_optimizer.model.resource import (
    AURORA_STORAGE,
    EBS_VOLUME,
    EC2_INSTANCE,
    RDS_DB_INSTANCE,
    Resource,
)
from compute_optimizer.sources.files import cells
from compute_optimizer.sources.files.cells import Row, RowRefused
from compute_optimizer.sources.files.refusals import Reason

STATES = ("pending", "running", "shutting-down", "terminated", "stopping", "stopped")
"""EC2's instance states."""

PLATFORMS = {
    "linux": "linux",
    "linux/unix": "linux",
    "windows": "windows",
    "rhel": "rhel",
    "red hat enterprise linux": "rhel",
    "suse": "suse",
    "suse linux": "suse",
}
"""Platforms by what EC2 and people call them; they decide the price."""

PROVISIONED = ("io1", "io2")
"""Volume types that are nothing without their IOPS."""


LAST_TIER = 15
"""Promotion tiers of Aurora's readers are 0 to 15 (Amazon Aurora User Guide)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the rows of one resource type are read."""

    arn: str
    """How its ARNs begin after the account, such as `instance`."""
    read: Callable[..., Resource]
    """(row, members that every type has) -> resource; raises RowRefused."""
    service: str = "ec2"
    """Of its ARNs."""
    separator: str = "/"
    """What stands before the id in its ARNs."""


def _instance(row: Row, shared: Mapping[str, Any]) -> Resource:
    return Resource(
        **shared,
        state=cells.choice(row, "state", "running", STATES, Reason.STATE),
        platform=_platform(row),
        vcpus=cells.capacity(row, "vcpus"),
        memory_mib=cells.capacity(row, "memory_mib"),
        auto_scaling_group_arn=cells.text(row, "auto_scaling_group_arn") or None,
    )


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


def _platform(row: Row) -> str:
    value = cells.text(row, "platform").casefold() or "linux"
    if value not in PLATFORMS:
        raise RowRefused(Reason.PLATFORM, value)
    return PLATFORMS[value]


KINDS = {
    EC2_INSTANCE: Kind("instance", _instance),
    EBS_VOLUME: Kind("volume", _volume),
    RDS_DB_INSTANCE: Kind("db", _database, "rds", ":"),
    AURORA_STORAGE: Kind("cluster", _cluster, "rds", ":"),
}
"""By the service's own name of the resource type; clusters are kept among the databases."""
