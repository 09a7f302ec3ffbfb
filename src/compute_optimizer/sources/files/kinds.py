"""What an inventory row says of each resource type: one reader each, listed by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.model.ebs_volume import IN_USE, VOLUME_STATES, EbsVolume
from compute_optimizer.model.nat_gateway import (
    AVAILABLE,
    CONNECTIVITY_TYPES,
    NAT_GATEWAY_STATES,
    NatGateway,
)
from compute_optimizer.model.resource import EBS_VOLUME, EC2_INSTANCE, NAT_GATEWAY, Resource
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


@dataclass(frozen=True, slots=True)
class Kind:
    """How the rows of one resource type are read."""

    arn: str
    """How its ARNs begin after the account, such as `instance`; their service is ec2."""
    read: Callable[..., Resource]
    """(row, members that every type has) -> resource; raises RowRefused."""


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


def _platform(row: Row) -> str:
    value = cells.text(row, "platform").casefold() or "linux"
    if value not in PLATFORMS:
        raise RowRefused(Reason.PLATFORM, value)
    return PLATFORMS[value]


KINDS = {
    EC2_INSTANCE: Kind("instance", _instance),
    EBS_VOLUME: Kind("volume", _volume),
    NAT_GATEWAY: Kind("natgateway", _nat_gateway),
}
"""By the service's own name of the resource type."""
