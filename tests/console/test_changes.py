"""What changed since the analysis before, and how an option is put into effect."""

import shlex
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from compute_optimizer.console.changes import Subject, change_to
from compute_optimizer.console.options import Option
from tests.console.conftest import House
from tests.console.visiting import words
from tests.records import ACCOUNT, recommendation
from tests.written_runs import SCOPE, store_run


def analyze(house: House, count: int) -> None:
    """Store a run of so many recommendations, each of which saves 79.424 USD."""
    found = [recommendation(number) for number in range(count)]
    store_run(house.state, SCOPE, found, now=house.clock.now())


def test_the_dashboard_compares_with_the_analysis_before(house: House) -> None:
    house.enroll(ACCOUNT)
    visit = house.visit()
    visit.sign_in(ACCOUNT)
    analyze(house, 2)
    assert "There is nothing to compare with" in words(visit.get("/console/"))

    house.clock.advance(timedelta(hours=1))
    analyze(house, 3)
    page = words(visit.get("/console/"))
    # 2 x 79.424 = 158.848 and 3 x 79.424 = 238.272.
    assert "Estimated monthly savings $158.85 $238.27 +$79.42" in page
    assert "Overprovisioned 2 3 +1" in page


def option(name: str, of: str, **wire: Any) -> Option:
    return Option(name, 1, of, None, None, None, None, None, {}, None, None, (), (), wire)


STORAGE = {"storageType": "gp3", "iops": 12000, "storageThroughput": 500}
VOLUME = {"volumeType": "gp3", "volumeBaselineIOPS": 3000, "volumeBaselineThroughput": 125}

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


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_names_what_is_changed_and_to_what(name: str) -> None:
    resource_type, arn, to, words_of_command, terraform = CHANGES[name]
    change = change_to(resource_type, Subject(arn, "web-1"), to)

    assert change is not None
    told = shlex.split(change.commands.replace("\\\n", " "), comments=True)
    assert " ".join(words_of_command) in " ".join(told)
    assert told[told.index("--region") + 1] == "us-east-1"
    assert terraform in change.terraform
    assert 'web-1" {' in change.terraform


def test_names_cannot_end_a_command_or_a_block() -> None:
    evil = 'x"; rm -rf ~ #\n}'
    arn = "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:u:autoScalingGroupName/a b'; rm -rf ~"
    change = change_to("AutoScalingGroup", Subject(arn, evil), option("m5.large", "type"))

    assert change is not None
    # The whole name is one word of the shell.
    assert "a b'; rm -rf ~" in shlex.split(change.commands)
    assert change.terraform.splitlines()[0] == 'resource "aws_launch_template" "x___rm_-rf______" {'


def test_a_license_has_no_command() -> None:
    subject = Subject("arn:aws:ec2:us-east-1:1:instance/i-1", "db")

    assert change_to("License", subject, option("Standard", "license")) is None


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


OF_EVERY_COMMAND = {"--region", "--cli-input-json"}
"""Global options of the AWS CLI, and what it adds to every operation."""


@pytest.mark.parametrize("kind", CHANGES)
def test_commands_and_their_options_are_those_of_the_service_models(kind: str) -> None:
    resource_type, arn, to, *_ = CHANGES[kind]
    change = change_to(resource_type, Subject(arn, "web-1"), to)
    assert change is not None

    lines = change.commands.replace("\\\n", " ").splitlines()
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("aws ")]
    assert commands
    for command in commands:
        options = {word for word in command if word.startswith("--")}
        assert options <= known_to_the_cli(command), command
