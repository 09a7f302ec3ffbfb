"""The Auto Scaling groups of a generated fleet: machines of one role and type, side by side."""

from collections.abc import Mapping, Sequence

import numpy as np

from compute_optimizer.model.auto_scaling_group import DYNAMIC, FIXED, SCHEDULED, AutoScalingGroup
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, Resource
from compute_optimizer.scenario.fleet import Machine

GROUPED_ROLES = ("web", "api")
"""Roles whose machines are interchangeable."""

LEAST_MEMBERS = 2

SCALING_SHARES: Mapping[str, float] = {FIXED: 0.5, DYNAMIC: 0.4, SCHEDULED: 0.1}
"""Shares of the groups by how they scale, in round figures of no real fleet; they add up to 1."""

_Kind = tuple[str, str, str, str]
"""Account, Region, role and instance type."""


def generate_groups(
    seed: int, fleet: Sequence[Machine]
) -> tuple[tuple[AutoScalingGroup, ...], Mapping[str, str]]:
    """Return groups by ARN, the same for the same seed, and the group's ARN by that of a member."""
    generator = np.random.default_rng((seed, len(fleet)))
    alike: dict[_Kind, list[Resource]] = {}
    for machine in fleet:
        one = machine.resource
        role = one.tags["Application"]
        if role in GROUPED_ROLES:
            kind = (one.account_id, one.region, role, one.instance_type)
            alike.setdefault(kind, []).append(one)
    groups: dict[str, AutoScalingGroup] = {}
    members: dict[str, str] = {}
    for kind in sorted(alike):
        if len(alike[kind]) >= LEAST_MEMBERS:
            group = _group(generator, kind, alike[kind])
            groups[group.arn] = group
            members |= {one.arn: group.arn for one in alike[kind]}
    return tuple(groups[arn] for arn in sorted(groups)), members


def _group(
    generator: np.random.Generator, kind: _Kind, members: Sequence[Resource]
) -> AutoScalingGroup:
    account_id, region, role, instance_type = kind
    name = f"{role}-{instance_type.replace('.', '-')}"
    digits = generator.bytes(16).hex()
    unique = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    scaling = str(generator.choice(list(SCALING_SHARES), p=list(SCALING_SHARES.values())))
    size, fixed = len(members), scaling == FIXED
    return AutoScalingGroup(
        arn=(
            f"arn:aws:autoscaling:{region}:{account_id}:autoScalingGroup:{unique}"
            f":autoScalingGroupName/{name}"
        ),
        account_id=account_id,
        region=region,
        resource_type=AUTO_SCALING_GROUP,
        resource_id=name,
        instance_type=instance_type,
        name=name,
        tags={"Team": members[0].tags["Team"], "Application": role},
        min_size=size if fixed else 1,
        max_size=size if fixed else 2 * size,
        desired_capacity=size,
        scaling=scaling,
    )
