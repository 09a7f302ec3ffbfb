"""What AWS's APIs say of each resource becomes its record: a local AWS answers."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, TypeVar

import pytest

from compute_optimizer.interfaces import SystemClock
from compute_optimizer.model.auto_scaling_group import DYNAMIC, AutoScalingGroup
from compute_optimizer.model.collection import Scope
from compute_optimizer.model.database import Database
from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.model.ecs_service import FARGATE, TRACKS_CPU, Container, EcsService
from compute_optimizer.model.lambda_function import LambdaFunction
from compute_optimizer.model.nat_gateway import NatGateway
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    NAT_GATEWAY,
    RDS_DB_INSTANCE,
    Resource,
)
from compute_optimizer.sources.aws import Access, AwsSource
from tests import aws_estate
from tests.local_aws import OWN, REGION, LocalAws

InventoryKind = TypeVar("InventoryKind", bound=Resource)


@pytest.fixture
def source(aws: LocalAws) -> Iterator[AwsSource]:
    """AWS as the program sees it."""
    with closing(AwsSource(Access(requests_per_second=0), SystemClock())) as found:
        yield found


def listed(
    source: AwsSource, resource_type: str, kind: type[InventoryKind]
) -> dict[str, InventoryKind]:
    """Return the resources of a type by their ids."""
    found: Sequence[Any] = source.inventory(Scope(OWN, REGION, resource_type))
    assert all(type(one) is kind and one.resource_type == resource_type for one in found)
    return {one.resource_id: one for one in found}


def test_instance(aws: LocalAws, source: AwsSource) -> None:
    machine = aws_estate.machines(aws)

    found = listed(source, EC2_INSTANCE, Resource)[machine]

    assert found == Resource(
        arn=f"arn:aws:ec2:{REGION}:{OWN}:instance/{machine}",
        account_id=OWN,
        region=REGION,
        resource_type=EC2_INSTANCE,
        resource_id=machine,
        instance_type="m5.2xlarge",
        name="web-1",
        state="running",
        platform="linux",
        tags={"Name": "web-1", "team": "search"},
    )


def test_instances_that_are_gone_or_spot_are_left_out(aws: LocalAws, source: AwsSource) -> None:
    gone, stopped = aws.machine(), aws.machine()
    ec2 = aws.client("ec2")
    ec2.terminate_instances(InstanceIds=[gone])
    ec2.stop_instances(InstanceIds=[stopped])
    aws.machine(InstanceMarketOptions={"MarketType": "spot"})

    found = listed(source, EC2_INSTANCE, Resource)

    assert {name: one.state for name, one in found.items()} == {stopped: "stopped"}


def test_volumes_of_an_instance(aws: LocalAws, source: AwsSource) -> None:
    aws_estate.machines(aws)
    free = aws.client("ec2").create_volume(
        AvailabilityZone="us-east-1a", Size=50, VolumeType="gp3", Iops=4000, Throughput=250
    )["VolumeId"]

    found = listed(source, EBS_VOLUME, EbsVolume)

    detached = found.pop(free)
    assert (detached.state, detached.iops, detached.throughput_mibps) == ("available", 4000, 250)
    assert detached.created_at is not None
    by_type = {one.instance_type: one for one in found.values()}
    assert (by_type["io1"].size_gib, by_type["io1"].iops) == (100, 2000)
    assert by_type["io1"].state == "in-use"
    assert {one.root for one in found.values()} == {True, False}


def test_nat_gateways_and_the_routes_to_them(aws: LocalAws, source: AwsSource) -> None:
    made = aws_estate.network(aws)

    found = listed(source, NAT_GATEWAY, NatGateway)

    assert found[made.gateway].in_route_table is True
    assert found[made.unused_gateway].in_route_table is False
    assert {one.instance_type for one in found.values()} == {"private"}


def test_group_and_its_instances(aws: LocalAws, source: AwsSource) -> None:
    aws_estate.group(aws, aws_estate.network(aws).subnet)

    group = listed(source, AUTO_SCALING_GROUP, AutoScalingGroup)["web"]
    members = listed(source, EC2_INSTANCE, Resource).values()

    assert (group.min_size, group.desired_capacity, group.max_size) == (1, 2, 4)
    assert (group.instance_type, group.scaling, group.spot) == ("c5.xlarge", DYNAMIC, False)
    assert group.mixed_types == ()
    assert [one.auto_scaling_group_arn for one in members] == [group.arn, group.arn]


def test_function(aws: LocalAws, source: AwsSource) -> None:
    aws_estate.function(aws)

    found = listed(source, LAMBDA_FUNCTION, LambdaFunction)["worker"]

    assert found.arn == f"arn:aws:lambda:{REGION}:{OWN}:function:worker:$LATEST"
    assert (found.instance_type, found.memory_size, found.timeout_seconds) == ("arm64", 512, 30)
    assert found.tags == {"team": "search"}


def test_versions_of_a_function_that_are_called(aws: LocalAws, source: AwsSource) -> None:
    aws_estate.function(aws)
    functions = aws.client("lambda")
    for size in (1024, 2048, 3072):
        functions.update_function_configuration(FunctionName="worker", MemorySize=size)
        functions.publish_version(FunctionName="worker")
    # Version 1 by its number, 3 through an alias, 2 by nobody.
    for dimensions in (
        {"Resource": "worker:1"},
        {"Resource": "worker:prod", "ExecutedVersion": "3"},
        {"Resource": "worker:prod"},
        {"Resource": "worker"},
    ):
        whole = {"FunctionName": "worker", **dimensions}
        aws.put("AWS/Lambda", "Invocations", whole, [1.0], SystemClock().now())

    found = listed(source, LAMBDA_FUNCTION, LambdaFunction)

    assert {name: one.memory_size for name, one in found.items()} == {
        "worker": 3072,
        "worker:1": 1024,
        "worker:3": 3072,
    }
    assert found["worker:1"].arn == f"arn:aws:lambda:{REGION}:{OWN}:function:worker:1"
    assert all(one.has_versions and one.name == "worker" for one in found.values())
    assert found["worker:3"].tags == {"team": "search"}


def test_services_whose_arns_do_not_name_the_cluster(
    aws: LocalAws, source: AwsSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_ECS_NEW_ARN", "false")
    aws_estate.service(aws)
    (old,) = aws.client("ecs").list_services(cluster="prod")["serviceArns"]
    assert old == f"arn:aws:ecs:{REGION}:{OWN}:service/api"

    found = listed(source, ECS_SERVICE, EcsService)["prod/api"]

    assert found.arn == f"arn:aws:ecs:{REGION}:{OWN}:service/prod/api"


def test_service_with_its_task(aws: LocalAws, source: AwsSource) -> None:
    aws_estate.service(aws)

    found = listed(source, ECS_SERVICE, EcsService)["prod/api"]

    assert found.arn == f"arn:aws:ecs:{REGION}:{OWN}:service/prod/api"
    assert (found.instance_type, found.cpu_units, found.task_memory) == (FARGATE, 1024, 2048)
    assert (found.architecture, found.desired_count, found.state) == ("arm64", 2, "active")
    assert found.auto_scaling == (TRACKS_CPU,)
    assert found.containers == (
        Container("app", cpu=768, memory=1536),
        Container("log", memory_reservation=128),
    )
    assert found.tags == {"team": "search"}


def test_databases_and_their_cluster(aws: LocalAws, source: AwsSource) -> None:
    aws_estate.databases(aws)

    found = listed(source, RDS_DB_INSTANCE, Database)

    orders = found["orders"]
    assert orders.arn == f"arn:aws:rds:{REGION}:{OWN}:db:orders"
    assert (orders.engine, orders.instance_type, orders.multi_az) == (
        "postgres",
        "db.m5.large",
        True,
    )
    assert (orders.storage_type, orders.allocated_gib, orders.iops) == ("gp3", 200, 12000)
    assert orders.tags == {"team": "search"}
    shop = found["shop"]
    assert shop.is_cluster
    assert shop.member_classes == ("db.r6g.large", "db.r6g.large")
    one = found["shop-1"]
    assert (one.cluster, one.promotion_tier, one.allocated_gib) == ("shop", 1, 0)
    assert sum(found[f"shop-{number}"].writer for number in (1, 2)) == 1
