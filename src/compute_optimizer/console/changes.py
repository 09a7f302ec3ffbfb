"""How the change to an option is made: commands of the AWS CLI, and a snippet of Terraform.

Commands and options of the AWS CLI are held against botocore's service models by a test, arguments
of Terraform against the provider's schema where it is installed. Nothing here is run: people copy
it, and look at it first.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.console.options import Option
from compute_optimizer.model.arn import region_of, short_name
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    RDS_DB_INSTANCE,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is changed."""

    arn: str
    name: str

    @property
    def region(self) -> str:
        """Return the Region."""
        return region_of(self.arn)

    @property
    def last(self) -> str:
        """Return the last part of the ARN: an id or a name."""
        return short_name(self.arn)

    @property
    def label(self) -> str:
        """Return what Terraform may call it."""
        label = re.sub(r"[^A-Za-z0-9_-]", "_", self.name or self.last)
        return label if label[:1].isalpha() else f"r_{label}"


@dataclass(frozen=True, slots=True)
class Change:
    """How one option is put into effect."""

    commands: str
    """Of the AWS CLI, one a line."""
    terraform: str
    mind: str = ""
    """What it does to whoever uses the resource."""


Make = Callable[[Subject, Option], Change]


def change_to(resource_type: str, subject: Subject, option: Option) -> Change | None:
    """Return how to change to an option; None for types without a command for it."""
    make = MAKERS.get((resource_type, option.of))
    return make(subject, option) if make else None


def aws_command(subject: Subject, command: str, **options: Any) -> str:
    """Return a command; what stands in options is quoted for a shell."""
    words = [f"--{name.replace('_', '-')} {shlex.quote(str(v))}" for name, v in options.items()]
    return " \\\n    ".join([f"aws {command} --region {subject.region}", *words])


def terraform_block(kind: str, subject: Subject, members: Mapping[str, Any]) -> str:
    """Return a resource of Terraform with the arguments that are set."""
    width = max(map(len, members))
    lines = [f"  {name:<{width}} = {json.dumps(value)}" for name, value in members.items()]
    return "\n".join([f'resource "{kind}" "{subject.label}" {{', "  # ...", *lines, "}"])


def _instance(subject: Subject, option: Option) -> Change:
    which = {"instance_ids": subject.last}
    to = {"instance_id": subject.last, "instance_type": f"Value={option.name}"}
    return Change(
        "\n".join(
            [
                aws_command(subject, "ec2 stop-instances", **which),
                aws_command(subject, "ec2 wait instance-stopped", **which),
                aws_command(subject, "ec2 modify-instance-attribute", **to),
                aws_command(subject, "ec2 start-instances", **which),
            ]
        ),
        terraform_block("aws_instance", subject, {"instance_type": option.name}),
        "The instance stops and starts: a public address that is not elastic changes, and data in "
        "an instance store is lost.",
    )


def _group(subject: Subject, option: Option) -> Change:
    data = json.dumps({"InstanceType": option.name})
    return Change(
        "\n".join(
            [
                aws_command(
                    subject,
                    "ec2 create-launch-template-version",
                    launch_template_id="LAUNCH_TEMPLATE_ID",
                    source_version="$Latest",
                    launch_template_data=data,
                ),
                aws_command(
                    subject,
                    "autoscaling start-instance-refresh",
                    auto_scaling_group_name=subject.last,
                ),
            ]
        ),
        terraform_block("aws_launch_template", subject, {"instance_type": option.name}),
        "Put the id of the group's launch template in. The refresh replaces instances a few at a "
        "time; the group must use the template's latest version.",
    )


def _volume(subject: Subject, option: Option) -> Change:
    now = option.wire["configuration"]
    speeds: dict[str, Any] = {}
    if now["volumeType"] in ("gp3", "io1", "io2"):
        speeds["iops"] = now["volumeBaselineIOPS"]
    if now["volumeType"] == "gp3":
        speeds["throughput"] = now["volumeBaselineThroughput"]
    to = {"volume_id": subject.last, "volume_type": now["volumeType"], **speeds}
    return Change(
        aws_command(subject, "ec2 modify-volume", **to),
        terraform_block("aws_ebs_volume", subject, {"type": now["volumeType"], **speeds}),
        "The volume stays in use meanwhile. After a change a volume cannot be changed again for "
        "six hours.",
    )


def _function(subject: Subject, option: Option) -> Change:
    size = option.wire["memorySize"]
    name = subject.last.partition(":")[0]
    to = {"function_name": name, "memory_size": size}
    return Change(
        aws_command(subject, "lambda update-function-configuration", **to),
        terraform_block("aws_lambda_function", subject, {"memory_size": size}),
        "Memory and CPU go together: less memory makes an invocation slower, too.",
    )


def _service(subject: Subject, option: Option) -> Change:
    cpu, memory = str(option.wire["cpu"]), str(option.wire["memory"])
    parts = subject.arn.split("/")
    cluster = {"cluster": parts[-2]} if len(parts) > 2 else {}
    task = "TASK_DEFINITION_FAMILY"
    return Change(
        "\n".join(
            [
                f"# In a copy of the task definition set cpu to {cpu} and memory to {memory}, then",
                aws_command(
                    subject, "ecs register-task-definition", cli_input_json="file://definition.json"
                ),
                aws_command(
                    subject,
                    "ecs update-service",
                    **cluster,
                    service=parts[-1],
                    task_definition=task,
                ),
            ]
        ),
        terraform_block("aws_ecs_task_definition", subject, {"cpu": cpu, "memory": memory}),
        "The service replaces its tasks by its own deployment rules.",
    )


def _class(subject: Subject, option: Option) -> Change:
    to = {"db_instance_identifier": subject.last, "db_instance_class": option.name}
    return Change(
        aws_command(subject, "rds modify-db-instance", **to),
        terraform_block("aws_db_instance", subject, {"instance_class": option.name}),
        "Takes effect in the next maintenance window; --apply-immediately does it at once. The "
        "database restarts, with a standby by failing over.",
    )


def _storage(subject: Subject, option: Option) -> Change:
    now = option.wire["storageConfiguration"]
    if ":cluster:" in subject.arn:
        to = {"db_cluster_identifier": subject.last, "storage_type": now["storageType"]}
        return Change(
            aws_command(subject, "rds modify-db-cluster", **to),
            terraform_block("aws_rds_cluster", subject, {"storage_type": now["storageType"]}),
            "The storage of a cluster can be changed to I/O-Optimized once in 30 days.",
        )
    names = {
        "storage_type": "storageType",
        "iops": "iops",
        "storage_throughput": "storageThroughput",
    }
    given = {name: now[member] for name, member in names.items() if now.get(member) is not None}
    return Change(
        aws_command(
            subject, "rds modify-db-instance", db_instance_identifier=subject.last, **given
        ),
        terraform_block("aws_db_instance", subject, given),
        "Storage is changed while the database runs, and may be slower until that is done.",
    )


MAKERS: Mapping[tuple[str, str], Make] = {
    (EC2_INSTANCE, "type"): _instance,
    (AUTO_SCALING_GROUP, "type"): _group,
    (EBS_VOLUME, "volume"): _volume,
    (LAMBDA_FUNCTION, "memory"): _function,
    (ECS_SERVICE, "task"): _service,
    (RDS_DB_INSTANCE, "class"): _class,
    (RDS_DB_INSTANCE, "storage"): _storage,
}
"""By resource type and what is chosen. Licenses have none: an edition is changed by installing."""
