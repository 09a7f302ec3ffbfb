"""Rows of ECS services in an inventory become services."""

import json
from typing import Any

import pytest

from compute_optimizer.model.ecs_service import Container, EcsService
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import resource_of

ACCOUNT = "111111111111"
ARN = f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/prod/api"
ROW = {
    "id": "prod/api",
    "account": ACCOUNT,
    "region": "us-east-1",
    "resource_type": "EcsService",
    "cpu_units": "1024",
    "memory_mib": "3072",
}
SERVICE = EcsService(
    ARN,
    ACCOUNT,
    "us-east-1",
    "EcsService",
    "prod/api",
    "Fargate",
    name="api",
    state="steadystate",
    cpu_units=1024,
    task_memory=3072,
)


@pytest.mark.parametrize("row", [ROW, {"arn": ARN, "cpu_units": 1024, "memory_mib": 3072.0}])
def test_a_service_is_of_one_steady_task_on_fargate_unless_the_row_says_otherwise(
    row: dict[str, Any],
) -> None:
    assert resource_of(row) == SERVICE


def test_services_without_a_cluster_in_their_arn_are_taken() -> None:
    row = ROW | {"id": "", "arn": ARN.replace("prod/", "")}

    assert resource_of(row).resource_id == "api"


def test_a_whole_row() -> None:
    containers = [
        {"name": "api", "cpu": 512, "memory": 2048, "memoryReservation": 1024},
        {"name": "proxy", "cpu": 0},
    ]
    told = {
        "state": "MoreWork",
        "launch_type": "EC2",
        "architecture": "arm64",
        "desired_count": "3",
        "auto_scaling": "cpu; StepScaling",
        "task_definition_arn": "arn:aws:ecs:us-east-1:111111111111:task-definition/api:7",
        "containers": json.dumps(containers),
    }

    found = resource_of(ROW | told)

    assert isinstance(found, EcsService)
    assert (found.state, found.instance_type, found.architecture) == ("morework", "EC2", "arm64")
    assert (found.desired_count, found.task_definition_arn) == (3, told["task_definition_arn"])
    assert found.auto_scaling == ("TargetTrackingScalingCpu", "StepScaling")
    assert found.containers == (Container("api", 512, 2048, 1024), Container("proxy"))


def test_no_task_and_no_policy_are_told_too() -> None:
    found = resource_of(ROW | {"desired_count": 0, "auto_scaling": "none", "containers": []})

    assert isinstance(found, EcsService)
    assert (found.desired_count, found.auto_scaling, found.containers) == (0, (), ())


@pytest.mark.parametrize(
    ("change", "reason", "found"),
    [
        ({"cpu_units": ""}, "MISSING", "cpu_units"),
        ({"memory_mib": ""}, "MISSING", "memory_mib"),
        ({"cpu_units": "0.25"}, "CAPACITY", "cpu_units: 0.25"),
        ({"desired_count": "-1"}, "CAPACITY", "desired_count: -1"),
        ({"launch_type": "EXTERNAL"}, "LAUNCH_TYPE", "external"),
        ({"architecture": "riscv"}, "ARCHITECTURE", "riscv"),
        ({"platform": "plan9"}, "PLATFORM", "plan9"),
        ({"state": "running"}, "STATE", "running"),
        ({"auto_scaling": "cpu;requests"}, "AUTO_SCALING", "requests"),
        ({"containers": "api"}, "CONTAINERS", "api"),
        ({"containers": "{}"}, "CONTAINERS", "{}"),
        ({"containers": [{"cpu": 1}]}, "CONTAINERS", "{'cpu': 1}"),
        (
            {"containers": [{"name": "a", "cpu": "1"}]},
            "CONTAINERS",
            "{'name': 'a', 'cpu': '1'}",
        ),
        ({"id": "a/b/c"}, "RESOURCE_ID", "a/b/c"),
        ({"id": "", "arn": ARN + "a" * 250}, "RESOURCE_ID", "prod/api" + "a" * 250),
        ({"arn": ARN, "id": "prod/web"}, "ARN_DIFFERS", f"prod/web in {ARN}"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], reason: str, found: str) -> None:
    with pytest.raises(RowRefused) as caught:
        resource_of(ROW | change)

    assert (caught.value.reason.name, caught.value.found) == (reason, found)
