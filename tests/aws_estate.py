"""One or two resources of every type in a local AWS, as a customer may have them."""

import io
import json
import zipfile
from dataclasses import dataclass

from tests.local_aws import LocalAws

TAGS = [{"Key": "Name", "Value": "web-1"}, {"Key": "team", "Value": "search"}]


@dataclass(frozen=True)
class Network:
    """Where things are put."""

    subnet: str
    gateway: str
    """A NAT gateway with a route to it."""
    unused_gateway: str


def machines(aws: LocalAws) -> str:
    """Start a tagged instance with a second volume, and return its id."""
    machine = aws.machine(TagSpecifications=[{"ResourceType": "instance", "Tags": TAGS}])
    ec2 = aws.client("ec2")
    volume = ec2.create_volume(
        AvailabilityZone="us-east-1a", Size=100, VolumeType="io1", Iops=2000
    )["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=machine, Device="/dev/sdb")
    return machine


def network(aws: LocalAws) -> Network:
    """Make a network with two NAT gateways, to one of which a route leads."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    used, unused = (
        ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]
        for _ in range(2)
    )
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(
        RouteTableId=table,
        DestinationCidrBlock="0.0.0.0/0",
        NatGatewayId=used["NatGatewayId"],
    )
    return Network(subnet, used["NatGatewayId"], unused["NatGatewayId"])


def group(aws: LocalAws, subnet: str) -> None:
    """Make a group `web` of two instances that follows its load."""
    template = aws.client("ec2").create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "c5.xlarge"},
    )["LaunchTemplate"]["LaunchTemplateId"]
    autoscaling = aws.client("autoscaling")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        MinSize=1,
        DesiredCapacity=2,
        MaxSize=4,
        VPCZoneIdentifier=subnet,
    )
    autoscaling.put_scaling_policy(
        AutoScalingGroupName="web",
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 50.0,
        },
    )


def function(aws: LocalAws) -> None:
    """Make a function `worker`."""
    trust = {"Version": "2012-10-17", "Statement": []}
    role = aws.client("iam").create_role(
        RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("worker.py", "def main(event, context): pass")
    aws.client("lambda").create_function(
        FunctionName="worker",
        Runtime="python3.12",
        Role=role,
        Handler="worker.main",
        Code={"ZipFile": packed.getvalue()},
        MemorySize=512,
        Timeout=30,
        Architectures=["arm64"],
        Tags={"team": "search"},
    )


def service(aws: LocalAws) -> None:
    """Make a service `api` of two tasks on Fargate that follows its CPU."""
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="prod")
    task = ecs.register_task_definition(
        family="api",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="1024",
        memory="2048",
        runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        containerDefinitions=[
            {"name": "app", "image": "app", "cpu": 768, "memory": 1536},
            {"name": "log", "image": "log", "memoryReservation": 128},
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(
        cluster="prod",
        serviceName="api",
        taskDefinition=task,
        desiredCount=2,
        launchType="FARGATE",
        tags=[{"key": "team", "value": "search"}],
    )
    scaling = aws.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/prod/api",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    scaling.put_scaling_policy(
        **target,
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
            },
            "TargetValue": 50.0,
        },
    )


def databases(aws: LocalAws) -> None:
    """Make a PostgreSQL instance `orders`, and an Aurora cluster `shop` with two instances."""
    rds = aws.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.m5.large",
        Engine="postgres",
        EngineVersion="16.3",
        AllocatedStorage=200,
        StorageType="gp3",
        Iops=12000,
        MultiAZ=True,
        MasterUsername="admin1",
        MasterUserPassword="not-a-secret",
        Tags=[{"Key": "team", "Value": "search"}],
    )
    rds.create_db_cluster(
        DBClusterIdentifier="shop",
        Engine="aurora-mysql",
        MasterUsername="admin1",
        MasterUserPassword="not-a-secret",
    )
    for number in (1, 2):
        rds.create_db_instance(
            DBInstanceIdentifier=f"shop-{number}",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-mysql",
            DBClusterIdentifier="shop",
            PromotionTier=number,
        )


def fill(aws: LocalAws) -> Network:
    """Make all of it."""
    machines(aws)
    made = network(aws)
    group(aws, made.subnet)
    function(aws)
    service(aws)
    databases(aws)
    (orders,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier="orders")[
        "DBInstances"
    ]
    aws.counters[orders["DbiResourceId"]] = {"os.swap.in": {}}
    return made
