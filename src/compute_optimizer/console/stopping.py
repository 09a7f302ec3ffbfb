"""How what is idle is stopped, scaled to nothing, or deleted: commands, and a snippet of Terraform.

What can be taken back comes first: a volume leaves a snapshot, machines are stopped. Types of which
deleting is all that can be done, and loses data, have no command here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.console.changes import Change, Subject, aws_command, terraform_block
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    NAT_GATEWAY,
    RDS_DB_INSTANCE,
)


@dataclass(frozen=True, slots=True)
class Stop:
    """How the resources of one type are stopped."""

    title: str
    make: Callable[[Subject], Change]


def stop_of(resource_type: str) -> Stop | None:
    """Return how an idle resource of a type is stopped; None for types without a command."""
    return STOPS.get(resource_type)


def _instance(subject: Subject) -> Change:
    return Change(
        aws_command(subject, "ec2 stop-instances", instance_ids=subject.last),
        terraform_block(
            "aws_ec2_instance_state", subject, {"instance_id": subject.last, "state": "stopped"}
        ),
        "Its volumes stay and cost on; a public address that is not elastic is lost.",
    )


def _group(subject: Subject) -> Change:
    none = {"min_size": 0, "desired_capacity": 0}
    command = "autoscaling update-auto-scaling-group"
    return Change(
        aws_command(subject, command, auto_scaling_group_name=subject.last, **none),
        terraform_block("aws_autoscaling_group", subject, none),
        "Its instances are terminated. A policy or a schedule may start others: suspend it, too.",
    )


def _volume(subject: Subject) -> Change:
    which = {"volume_id": subject.last}
    waiting = {"snapshot_ids": "SNAPSHOT_ID"}
    return Change(
        "\n".join(
            [
                aws_command(subject, "ec2 create-snapshot", **which),
                aws_command(subject, "ec2 wait snapshot-completed", **waiting),
                aws_command(subject, "ec2 delete-volume", **which),
            ]
        ),
        terraform_block("aws_ebs_snapshot", subject, which),
        "Put the id of the snapshot in, which costs on, by what it holds. An attached volume is "
        "detached first. In Terraform take its block away once the snapshot is there.",
    )


def _service(subject: Subject) -> Change:
    parts = subject.arn.split("/")
    cluster: dict[str, Any] = {"cluster": parts[-2]} if len(parts) > 2 else {}
    command = "ecs update-service"
    return Change(
        aws_command(subject, command, **cluster, service=parts[-1], desired_count=0),
        terraform_block("aws_ecs_service", subject, {"desired_count": 0}),
        "A scaling policy may start tasks again: its least number has to be 0, too.",
    )


def _database(subject: Subject) -> Change:
    return Change(
        aws_command(subject, "rds stop-db-instance", db_instance_identifier=subject.last),
        terraform_block(
            "aws_rds_instance_state", subject, {"identifier": subject.last, "state": "stopped"}
        ),
        "Its storage costs on, and RDS starts it again after seven days. An instance of Aurora is "
        "stopped with its cluster: aws rds stop-db-cluster.",
    )


def _gateway(subject: Subject) -> Change:
    return Change(
        aws_command(subject, "ec2 delete-nat-gateway", nat_gateway_id=subject.last),
        f"# Take the block of {subject.last} away.",
        "Its elastic address is kept and costs on until it is released. Another gateway gets "
        "another id, which route tables have to name.",
    )


STOPS: Mapping[str, Stop] = {
    EC2_INSTANCE: Stop("Stop it", _instance),
    AUTO_SCALING_GROUP: Stop("Scale it to nothing", _group),
    EBS_VOLUME: Stop("Keep a snapshot and delete it", _volume),
    ECS_SERVICE: Stop("Scale it to nothing", _service),
    RDS_DB_INSTANCE: Stop("Stop it", _database),
    NAT_GATEWAY: Stop("Delete it", _gateway),
}
"""By resource type."""
