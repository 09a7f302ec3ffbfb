"""Changes that put an option into effect or stop what is idle, and what the AWS CLI knows."""

from typing import Any

import botocore.session
from botocore import xform_name

from compute_optimizer.console.options import Option

STORAGE = {"storageType": "gp3", "iops": 12000, "storageThroughput": 500}
VOLUME = {"volumeType": "gp3", "volumeBaselineIOPS": 3000, "volumeBaselineThroughput": 125}
OF_EVERY_COMMAND = {"--region", "--cli-input-json"}
"""Global options of the AWS CLI, and what it adds to every operation."""


def option(name: str, of: str, **wire: Any) -> Option:
    return Option(name, 1, of, None, None, None, None, None, {}, None, None, (), (), wire)


CHANGES = {
    "instance": (
        "Ec2Instance",
        "arn:aws:ec2:us-east-1:1:instance/i-1",
        option("m5.large", "type"),
        ["--instance-id", "i-1", "--instance-type", "Value=m5.large"],
        'instance_type = "m5.large"',
    ),
    "volume": (
        "EbsVolume",
        "arn:aws:ec2:us-east-1:1:volume/vol-1",
        option("gp3", "volume", configuration=VOLUME),
        ["--volume-type", "gp3", "--iops", "3000", "--throughput", "125"],
        'type       = "gp3"\n  iops       = 3000\n  throughput = 125',
    ),
    "function": (
        "LambdaFunction",
        "arn:aws:lambda:us-east-1:1:function:job:$LATEST",
        option("512 MB", "memory", memorySize=512),
        ["--function-name", "job", "--memory-size", "512"],
        "memory_size = 512",
    ),
    "service": (
        "EcsService",
        "arn:aws:ecs:us-east-1:1:service/prod/web",
        option("256 CPU units", "task", cpu=256, memory=512),
        ["--cluster", "prod", "--service", "web"],
        'cpu    = "256"',
    ),
    "database": (
        "RdsDBInstance",
        "arn:aws:rds:us-east-1:1:db:orders",
        option("db.r6g.large", "class"),
        ["--db-instance-identifier", "orders", "--db-instance-class", "db.r6g.large"],
        'instance_class = "db.r6g.large"',
    ),
    "storage": (
        "RdsDBInstance",
        "arn:aws:rds:us-east-1:1:db:orders",
        option("gp3", "storage", storageConfiguration=STORAGE),
        ["--storage-type", "gp3", "--iops", "12000", "--storage-throughput", "500"],
        "storage_throughput = 500",
    ),
    "group": (
        "AutoScalingGroup",
        "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:u:autoScalingGroupName/web",
        option("m5.large", "type"),
        ["--auto-scaling-group-name", "web"],
        'resource "aws_launch_template"',
    ),
    "cluster": (
        "RdsDBInstance",
        "arn:aws:rds:us-east-1:1:cluster:orders",
        option("aurora-iopt1", "storage", storageConfiguration={"storageType": "aurora-iopt1"}),
        ["--db-cluster-identifier", "orders", "--storage-type", "aurora-iopt1"],
        'resource "aws_rds_cluster"',
    ),
}

IDLE = {
    "Ec2Instance": ("ec2:us-east-1:1:instance/i-1", "ec2 stop-instances", "--instance-ids i-1"),
    "AutoScalingGroup": (
        "autoscaling:us-east-1:1:autoScalingGroup:u:autoScalingGroupName/web",
        "autoscaling update-auto-scaling-group",
        "--auto-scaling-group-name web --min-size 0 --desired-capacity 0",
    ),
    "EbsVolume": ("ec2:us-east-1:1:volume/vol-1", "ec2 delete-volume", "--volume-id vol-1"),
    "EcsService": (
        "ecs:us-east-1:1:service/prod/web",
        "ecs update-service",
        "--cluster prod --service web --desired-count 0",
    ),
    "RdsDBInstance": (
        "rds:us-east-1:1:db:orders",
        "rds stop-db-instance",
        "--db-instance-identifier orders",
    ),
    "NatGateway": (
        "ec2:us-east-1:1:natgateway/nat-1",
        "ec2 delete-nat-gateway",
        "--nat-gateway-id nat-1",
    ),
}


def known_to_the_cli(command: list[str]) -> set[str]:
    """Return the options that a command of the AWS CLI has, by botocore's service models."""
    service, verb, *rest = command
    model = botocore.session.get_session().get_service_model(service)
    if verb == "wait":
        waiters = botocore.session.get_session().get_waiter_model(service)
        by_verb = {xform_name(name, "-"): name for name in waiters.waiter_names}
        name = waiters.get_waiter(by_verb[rest[0]]).operation
    else:
        by_verb = {xform_name(name, "-"): name for name in model.operation_names}
        name = by_verb[verb]
    members = model.operation_model(name).input_shape.members
    return {f"--{xform_name(member, '-')}" for member in members} | OF_EVERY_COMMAND
