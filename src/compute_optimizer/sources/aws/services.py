"""ECS services with the size of their tasks and the policies that scale them."""

from collections.abc import Mapping
from typing import Any

from compute_optimizer.model.ecs_service import (
    EC2,
    FARGATE,
    STEPS,
    TRACKS_CPU,
    TRACKS_MEMORY,
    Container,
    EcsService,
)
from compute_optimizer.model.resource import ECS_SERVICE, Resource
from compute_optimizer.sources.aws.calls import (
    SERVICE_POLICIES,
    SERVICES,
    TASK_DEFINITIONS,
    Record,
)
from compute_optimizer.sources.aws.records import Answers, Located, tags_of

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
"""Capacity providers that run tasks on Fargate."""

EXTERNAL = "EXTERNAL"
"""Launch type of tasks on the customer's own machines: nothing there to buy."""

TRACKED = {
    "ECSServiceAverageCPUUtilization": TRACKS_CPU,
    "ECSServiceAverageMemoryUtilization": TRACKS_MEMORY,
}
"""Policies by the metric that they hold at a target."""

STEP_SCALING = "StepScaling"


def read_services(at: Located, answers: Answers) -> list[Resource]:
    """Return the services that run on Fargate or EC2."""
    tasks = {one["taskDefinitionArn"]: one for one in answers[TASK_DEFINITIONS]}
    policies: dict[str, list[str]] = {}
    for policy in answers[SERVICE_POLICIES]:
        if (word := _policy(policy)) is not None:
            policies.setdefault(policy["ResourceId"], []).append(word)
    found: list[Resource] = []
    for one in answers[SERVICES]:
        launched = _launch_type(one)
        if launched is None:
            continue
        name = "/".join((one["clusterArn"].rpartition("/")[2], one["serviceName"]))
        members = at.shared(
            ECS_SERVICE,
            # Older ARNs do not name the cluster, so that two services may have the same.
            arn=at.arn("ecs", f"service/{name}"),
            resource_id=name,
            instance_type=launched,
            name=one["serviceName"],
            tags=tags_of(one.get("tags")),
        )
        found.append(
            EcsService(
                **members,
                **_task(tasks[one["taskDefinition"]]),
                state=one["status"].lower(),
                desired_count=one["desiredCount"],
                auto_scaling=tuple(dict.fromkeys(policies.get(f"service/{name}", ()))),
            )
        )
    return found


def _launch_type(service: Record) -> str | None:
    """Return what the tasks run on; None for machines that are not AWS's."""
    providers = {one["capacityProvider"] for one in service.get("capacityProviderStrategy", ())}
    launch_type = service.get("launchType", "")
    if launch_type == EXTERNAL:
        return None
    fargate = launch_type in FARGATE_PROVIDERS or not providers.isdisjoint(FARGATE_PROVIDERS)
    return FARGATE if fargate else EC2


def _policy(policy: Record) -> str | None:
    """Return the word for a policy; None for one that follows neither CPU nor memory."""
    if policy["PolicyType"] == STEP_SCALING:
        return STEPS
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration", {})
    metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    return TRACKED.get(metric)


def _task(definition: Record) -> dict[str, Any]:
    """Return what a task definition says of the size of a task."""
    runs_on: Mapping[str, str] = definition.get("runtimePlatform", {})
    windows = runs_on.get("operatingSystemFamily", "").startswith("WINDOWS")
    return {
        "cpu_units": int(definition.get("cpu", 0)),
        "task_memory": int(definition.get("memory", 0)),
        "architecture": runs_on.get("cpuArchitecture", "x86_64").lower(),
        "platform": "windows" if windows else "linux",
        "task_definition_arn": definition["taskDefinitionArn"],
        "containers": tuple(
            # ECS writes 0 for a size that is left out.
            Container(
                one["name"],
                one.get("cpu") or None,
                one.get("memory") or None,
                one.get("memoryReservation") or None,
            )
            for one in definition["containerDefinitions"]
        ),
    }
