"""What records of AWS say that the local AWS does not: read as boto3 would return them."""

from typing import Any

import pytest

from compute_optimizer.model.auto_scaling_group import (
    DYNAMIC,
    FIXED,
    LOWEST_PRICE,
    SCHEDULED,
    AutoScalingGroup,
)
from compute_optimizer.model.database import Database
from compute_optimizer.model.ecs_service import EC2, FARGATE, STEPS, EcsService
from compute_optimizer.sources.aws import calls
from compute_optimizer.sources.aws.databases import read_databases
from compute_optimizer.sources.aws.groups import read_groups
from compute_optimizer.sources.aws.instances import platform_of
from compute_optimizer.sources.aws.inventory import READINGS
from compute_optimizer.sources.aws.records import Answers, Located
from compute_optimizer.sources.aws.services import read_services

HERE = Located("aws", "111111111111", "us-east-1")

GROUP: dict[str, Any] = {
    "AutoScalingGroupName": "web",
    "AutoScalingGroupARN": "arn:aws:autoscaling:us-east-1:111111111111:autoScalingGroup:1:x/web",
    "MinSize": 0,
    "MaxSize": 4,
    "DesiredCapacity": 0,
    "Instances": [],
}


def answers(resource_type: str, **given: list[Any]) -> Answers:
    """Return nothing for each call of a type, but for those that are given by name."""
    empty: dict[calls.Call, list[Any]] = {call: [] for call in READINGS[resource_type].calls}
    return empty | {getattr(calls, name): records for name, records in given.items()}


def a_group(group: dict[str, Any] | None = None, /, **given: list[Any]) -> AutoScalingGroup:
    (found,) = read_groups(
        HERE, answers("AutoScalingGroup", GROUPS=[GROUP | (group or {})], **given)
    )
    assert isinstance(found, AutoScalingGroup)
    return found


def test_a_group_that_mixes_types_names_them_by_priority() -> None:
    overrides = [
        {"InstanceType": "m5.large", "WeightedCapacity": "1"},
        {"InstanceType": "c5.large"},
    ]
    policy = {
        "LaunchTemplate": {"LaunchTemplateSpecification": {}, "Overrides": overrides},
        "InstancesDistribution": {
            "OnDemandAllocationStrategy": "lowest-price",
            "OnDemandPercentageAboveBaseCapacity": 50,
        },
    }

    found = a_group({"MixedInstancesPolicy": policy})

    assert found.mixed_types == ("m5.large", "c5.large")
    assert found.allocation_strategy == LOWEST_PRICE
    assert (found.weighted, found.spot) == (True, True)


@pytest.mark.parametrize(
    ("given", "scaling"),
    [
        ({}, FIXED),
        ({"GROUP_SCHEDULES": [{"AutoScalingGroupName": "web"}]}, SCHEDULED),
        ({"GROUP_POLICIES": [{"AutoScalingGroupName": "web", "Enabled": True}]}, DYNAMIC),
        ({"GROUP_POLICIES": [{"AutoScalingGroupName": "web", "Enabled": False}]}, FIXED),
        ({"GROUP_POLICIES": [{"AutoScalingGroupName": "other", "Enabled": True}]}, FIXED),
    ],
)
def test_how_a_group_scales(given: dict[str, list[Any]], scaling: str) -> None:
    assert a_group(**given).scaling == scaling


def test_an_empty_group_has_the_type_that_it_would_launch() -> None:
    template = {
        "LaunchTemplateId": "lt-1",
        "LaunchTemplateData": {
            "InstanceType": "c5.xlarge",
            "InstanceMarketOptions": {"MarketType": "spot"},
        },
    }
    configuration = {"LaunchConfigurationName": "old", "InstanceType": "m4.large", "SpotPrice": "1"}

    templated = a_group(
        {"LaunchTemplate": {"LaunchTemplateId": "lt-1"}}, LAUNCH_TEMPLATES=[template]
    )
    configured = a_group({"LaunchConfigurationName": "old"}, LAUNCH_CONFIGURATIONS=[configuration])

    assert (templated.instance_type, templated.spot) == ("c5.xlarge", True)
    assert (configured.instance_type, configured.spot) == ("m4.large", True)
    assert a_group().instance_type == "unknown"


def a_service(**members: Any) -> list[EcsService]:
    service = {
        "serviceArn": "arn:aws:ecs:us-east-1:111111111111:service/prod/api",
        "clusterArn": "arn:aws:ecs:us-east-1:111111111111:cluster/prod",
        "serviceName": "api",
        "status": "ACTIVE",
        "desiredCount": 1,
        "taskDefinition": "arn:task",
    } | members
    task = {"taskDefinitionArn": "arn:task", "containerDefinitions": []}
    policy = {"ResourceId": "service/prod/api", "PolicyType": "StepScaling"}
    given = answers(
        "EcsService", SERVICES=[service], TASK_DEFINITIONS=[task], SERVICE_POLICIES=[policy, policy]
    )
    return [one for one in read_services(HERE, given) if isinstance(one, EcsService)]


@pytest.mark.parametrize(
    ("members", "launch_types"),
    [
        ({"launchType": "FARGATE"}, [FARGATE]),
        ({"launchType": "EC2"}, [EC2]),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}, [FARGATE]),
        ({"capacityProviderStrategy": [{"capacityProvider": "my-machines"}]}, [EC2]),
        ({"launchType": "EXTERNAL"}, []),
    ],
)
def test_what_a_service_runs_on(members: dict[str, Any], launch_types: list[str]) -> None:
    assert [one.instance_type for one in a_service(**members)] == launch_types


def test_policies_of_a_service_are_told_once() -> None:
    (found,) = a_service(launchType="EC2")

    assert found.auto_scaling == (STEPS,)
    assert (found.cpu_units, found.task_memory) == (0, 0)  # EC2 needs no size of a task


def a_database(**members: Any) -> list[Database]:
    database = {
        "DBInstanceIdentifier": "orders",
        "DBInstanceArn": "arn:aws:rds:us-east-1:111111111111:db:orders",
        "DBInstanceClass": "db.m5.large",
        "DBInstanceStatus": "available",
        "Engine": "postgres",
        "AllocatedStorage": 200,
        "StorageType": "gp2",
        "Iops": 600,
    } | members
    given = answers("RdsDBInstance", DB_INSTANCES=[database])
    return [one for one in read_databases(HERE, given) if isinstance(one, Database)]


def test_performance_insights_and_replicas_are_told() -> None:
    (found,) = a_database(
        PerformanceInsightsEnabled=True, ReadReplicaSourceDBInstanceIdentifier="main"
    )

    assert found.performance_insights
    assert found.read_replica


def test_iops_that_follow_from_the_size_are_not_provisioned() -> None:
    assert [one.iops for one in a_database()] == [None]
    assert [one.iops for one in a_database(StorageType="io1")] == [600]


@pytest.mark.parametrize("engine", ["docdb", "neptune"])
def test_other_services_that_rds_lists_are_left_out(engine: str) -> None:
    assert a_database(Engine=engine) == []


@pytest.mark.parametrize(
    ("details", "platform"),
    [
        ("Linux/UNIX", "linux"),
        ("Windows", "windows"),
        ("Windows with SQL Server Standard", "windows"),
        ("Red Hat Enterprise Linux", "rhel"),
        ("SUSE Linux", "suse"),
        ("", "linux"),
    ],
)
def test_platform_is_what_decides_the_price(details: str, platform: str) -> None:
    assert platform_of(details) == platform
