"""EC2 instances and the Auto Scaling groups that they belong to."""

from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.sources.aws.calls import GROUPS, INSTANCES
from compute_optimizer.sources.aws.records import Answers, Located, tags_of

GONE = ("shutting-down", "terminated")
"""States of instances that are no more."""

SPOT = "spot"
"""Lifecycle of instances that get no rightsizing (spec 2.1)."""

PLATFORMS = {"windows": "windows", "red hat": "rhel", "suse": "suse"}
"""Platforms that have prices of their own, by how PlatformDetails begin without case; all others
count as Linux."""


def read_instances(at: Located, answers: Answers) -> list[Resource]:
    """Return the instances that exist and are no Spot Instances."""
    groups = {
        member["InstanceId"]: group["AutoScalingGroupARN"]
        for group in answers[GROUPS]
        for member in group["Instances"]
    }
    found = []
    for one in (one for reservation in answers[INSTANCES] for one in reservation["Instances"]):
        if one["State"]["Name"] in GONE or one.get("InstanceLifecycle") == SPOT:
            continue
        instance_id, tags = one["InstanceId"], tags_of(one.get("Tags"))
        members = at.shared(
            EC2_INSTANCE,
            arn=at.arn("ec2", f"instance/{instance_id}"),
            resource_id=instance_id,
            instance_type=one["InstanceType"],
            name=tags.get("Name", ""),
            tags=tags,
        )
        found.append(
            Resource(
                **members,
                state=one["State"]["Name"],
                platform=platform_of(one.get("PlatformDetails", "")),
                auto_scaling_group_arn=groups.get(instance_id),
            )
        )
    return found


def platform_of(details: str) -> str:
    """Return what decides the price, from what EC2 says of the platform."""
    known = (name for start, name in PLATFORMS.items() if details.lower().startswith(start))
    return next(known, "linux")
