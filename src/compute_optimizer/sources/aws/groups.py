"""Auto Scaling groups: sizes, instance types, and what scales them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from compute_optimizer.model.auto_scaling_group import (
    DYNAMIC,
    FIXED,
    LOWEST_PRICE,
    PRIORITIZED,
    SCHEDULED,
    AutoScalingGroup,
)
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, Resource
from compute_optimizer.sources.aws.calls import (
    GROUP_POLICIES,
    GROUP_SCHEDULES,
    GROUPS,
    INSTANCES,
    LAUNCH_CONFIGURATIONS,
    LAUNCH_TEMPLATES,
    Record,
)
from compute_optimizer.sources.aws.instances import platform_of
from compute_optimizer.sources.aws.records import Answers, Located, tags_of

STRATEGIES = {"prioritized": PRIORITIZED, "lowest-price": LOWEST_PRICE}

WHOLLY_ON_DEMAND = 100
"""Percent above the base capacity that are no Spot Instances, also the default."""

UNKNOWN_TYPE = "unknown"
"""Of a group that has no instances and names none: it gets no recommendation."""


def read_groups(at: Located, answers: Answers) -> list[Resource]:
    """Return the groups."""
    platforms = {
        one["InstanceId"]: platform_of(one.get("PlatformDetails", ""))
        for reservation in answers[INSTANCES]
        for one in reservation["Instances"]
    }
    scaled = {one["AutoScalingGroupName"] for one in answers[GROUP_POLICIES] if _enabled(one)}
    scheduled = {one["AutoScalingGroupName"] for one in answers[GROUP_SCHEDULES]}
    found: list[Resource] = []
    for one in answers[GROUPS]:
        name, launch = one["AutoScalingGroupName"], _launch(one, answers)
        types = _types(one, launch)
        running = Counter(platforms.get(member["InstanceId"]) for member in one["Instances"])
        members = at.shared(
            AUTO_SCALING_GROUP,
            arn=one["AutoScalingGroupARN"],
            resource_id=name,
            instance_type=types[0],
            name=name,
            tags=tags_of(one.get("Tags")),
        )
        found.append(
            AutoScalingGroup(
                **members,
                **_mixture(one, types),
                platform=next((kind for kind, _ in running.most_common() if kind), "linux"),
                min_size=one["MinSize"],
                max_size=one["MaxSize"],
                desired_capacity=one["DesiredCapacity"],
                scaling=DYNAMIC if name in scaled else SCHEDULED if name in scheduled else FIXED,
                spot=_is_spot(one, launch),
            )
        )
    return found


def _enabled(policy: Record) -> bool:
    return bool(policy.get("Enabled", True))


def _launch(group: Record, answers: Answers) -> Mapping[str, Any]:
    """Return what new instances of a group are launched from; empty where it is not known."""
    if name := group.get("LaunchConfigurationName"):
        known = {one["LaunchConfigurationName"]: one for one in answers[LAUNCH_CONFIGURATIONS]}
        configuration: Mapping[str, Any] = known.get(name, {})
        return configuration
    policy = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    template = group.get("LaunchTemplate") or policy.get("LaunchTemplateSpecification", {})
    having = [
        one["LaunchTemplateData"]
        for one in answers[LAUNCH_TEMPLATES]
        if one["LaunchTemplateId"] == template.get("LaunchTemplateId")
    ]
    return having[0] if having else {}


def _overrides(group: Record) -> list[Record]:
    found: list[Record] = (
        group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("Overrides", [])
    )
    return found


def _types(group: Record, launch: Mapping[str, Any]) -> list[str]:
    """Return the instance types by priority: those that it names, else those that it runs."""
    named = [one["InstanceType"] for one in _overrides(group) if "InstanceType" in one]
    running = Counter(one["InstanceType"] for one in group["Instances"] if "InstanceType" in one)
    own = [launch["InstanceType"]] if "InstanceType" in launch else []
    found = named or [name for name, _ in running.most_common()] or own or [UNKNOWN_TYPE]
    return list(dict.fromkeys(found))


def _mixture(group: Record, types: list[str]) -> dict[str, Any]:
    """Return what is said of a group that mixes instance types."""
    if "MixedInstancesPolicy" not in group:
        return {}
    spread = group["MixedInstancesPolicy"].get("InstancesDistribution", {})
    return {
        "mixed_types": tuple(types) if len(types) > 1 else (),
        "allocation_strategy": STRATEGIES.get(spread.get("OnDemandAllocationStrategy", "")),
        "weighted": any("WeightedCapacity" in one for one in _overrides(group)),
    }


def _is_spot(group: Record, launch: Mapping[str, Any]) -> bool:
    """Return whether some of the instances may be Spot Instances."""
    spread = group.get("MixedInstancesPolicy", {}).get("InstancesDistribution", {})
    on_demand = spread.get("OnDemandPercentageAboveBaseCapacity", WHOLLY_ON_DEMAND)
    market = launch.get("InstanceMarketOptions", {}).get("MarketType")
    return on_demand < WHOLLY_ON_DEMAND or market == "spot" or "SpotPrice" in launch
