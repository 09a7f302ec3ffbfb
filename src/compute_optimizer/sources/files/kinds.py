"""What an inventory row says of each resource type: one reader each, listed by hand."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.model.ebs_volume import IN_USE, VOLUME_STATES, EbsVolume
from compute_optimizer.model.ecs_service import FARGATE
from compute_optimizer.model.lambda_function import (
    ARCHITECTURES,
    LambdaFunction,
    qualified,
    short_id,
)
from compute_optimizer.model.resource import (
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    Resource,
)
from compute_optimizer.sources.files import cells
from compute_optimizer.sources.files.cells import Row
from compute_optimizer.sources.files.refusals import Reason
from compute_optimizer.sources.files.services import SERVICE_ID, read_service

STATES = ("pending", "running", "shutting-down", "terminated", "stopping", "stopped")
"""EC2's instance states."""

RESOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)

PROVISIONED = ("io1", "io2")
"""Volume types that are nothing without their IOPS."""


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
    """Between `arn` and the id."""
    id: re.Pattern[str] = RESOURCE_ID
    default_type: str = ""
    """Of rows without a type; empty where one is required."""
    short: Callable[[str], str] = str
    """From the id in an ARN to the one that people use."""
    whole: Callable[[str], str] = str
    """From an ARN to the same with everything that it leaves out."""


def _instance(row: Row, shared: Mapping[str, Any]) -> Resource:
    return Resource(
        **shared,
        state=cells.choice(row, "state", "running", STATES, Reason.STATE),
        platform=cells.platform(row),
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
    EC2_INSTANCE: Kind("instance", _instance),
    EBS_VOLUME: Kind("volume", _volume),
    LAMBDA_FUNCTION: Kind(
        "function",
        _function,
        service="lambda",
        separator=":",
        id=re.compile(r"[A-Za-z0-9_-]{1,140}(:(\$LATEST|[A-Za-z0-9_-]{1,128}))?", re.ASCII),
        default_type=ARCHITECTURES[0],
        short=short_id,
        whole=qualified,
    ),
    ECS_SERVICE: Kind(
        "service",
        read_service,
        service="ecs",
        id=SERVICE_ID,
        default_type=FARGATE,
    ),
}
"""By the service's own name of the resource type."""
