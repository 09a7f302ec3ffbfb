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
from compute_optimizer.model.ebs_volume import IN_USE, VOLUME_STATES, EbsVolume
from compute_optimizer.model.nat_gateway import (
    AVAILABLE,
    CONNECTIVITY_TYPES,
    NAT_GATEWAY_STATES,
    NatGateway,
)
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    NAT_GATEWAY,
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

STRATEGIES = {
    "prioritized": PRIORITIZED,
    "lowest-price": LOWEST_PRICE,
    "lowestprice": LOWEST_PRICE,
}
"""Allocation strategies of On-Demand Instances by what Auto Scaling and the service call them."""

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
    named: re.Pattern[str] | None = None
    """Where the id stands in what an ARN has after `arn`, as the group `id`; None for all of it:
    then an ARN can be made from an id."""


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


def _group(row: Row, shared: Mapping[str, Any]) -> Resource:
    names = [name.strip() for name in shared["instance_type"].split(";") if name.strip()]
    if not names:
        raise RowRefused(Reason.MISSING, "type")
    least, desired, most = (cells.count(row, field) for field in GROUP_SIZES)
    if not least <= desired <= most:
        raise RowRefused(Reason.GROUP_SIZE, f"{least} <= {desired} <= {most}")
    return AutoScalingGroup(
        **{**shared, "instance_type": names[0], "name": shared["name"] or shared["resource_id"]},
        platform=_platform(row),
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


def _platform(row: Row) -> str:
    value = cells.text(row, "platform").casefold() or "linux"
    if value not in PLATFORMS:
        raise RowRefused(Reason.PLATFORM, value)
    return PLATFORMS[value]


KINDS = {
    EC2_INSTANCE: Kind("instance", _instance),
    EBS_VOLUME: Kind("volume", _volume),
    NAT_GATEWAY: Kind("natgateway", _nat_gateway),
    AUTO_SCALING_GROUP: Kind(
        "autoScalingGroup",
        _group,
        service="autoscaling",
        named=re.compile(r"[!-.0-9;-~]+:autoScalingGroupName/(?P<id>[!-9;-~]{1,255})", re.ASCII),
    ),
}
"""By the service's own name of the resource type."""
