"""What an inventory row says of an ECS service."""

import json
import re
from collections.abc import Mapping
from typing import Any

from compute_optimizer.model.ecs_service import (
    EC2,
    FARGATE,
    SERVICE_STATES,
    STEADY_STATE,
    STEPS,
    TRACKS_CPU,
    TRACKS_MEMORY,
    Container,
    EcsService,
)
from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.files import cells
from compute_optimizer.sources.files.cells import Row, RowRefused
from compute_optimizer.sources.files.refusals import Reason

SERVICE_ID = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?", re.ASCII)
"""Cluster and service, as in the ARN; the inventory keeps 256 characters."""

LAUNCH_TYPES = {"fargate": FARGATE, "ec2": EC2}

POLICIES = {
    "cpu": TRACKS_CPU,
    TRACKS_CPU.casefold(): TRACKS_CPU,
    "memory": TRACKS_MEMORY,
    TRACKS_MEMORY.casefold(): TRACKS_MEMORY,
    "step": STEPS,
    STEPS.casefold(): STEPS,
}
"""Policies by what inventories call them."""

NO_POLICY = "none"

SIZES = {"cpu": "cpu", "memory": "memory", "memory_reservation": "memoryreservation"}
"""The members of a container, and its keys in a task definition without case and `_`."""


def read_service(row: Row, shared: Mapping[str, Any]) -> Resource:
    """Return the service of a row; raises RowRefused."""
    for field in ("cpu_units", "memory_mib"):
        cells.required(row, field)
    launch_type = cells.choice(
        row, "launch_type", "fargate", tuple(LAUNCH_TYPES), Reason.LAUNCH_TYPE
    )
    own = {
        "name": shared["name"] or shared["resource_id"].rpartition("/")[2],
        "instance_type": LAUNCH_TYPES[launch_type],
    }
    return EcsService(
        **{**shared, **own},
        state=cells.choice(row, "state", STEADY_STATE, SERVICE_STATES, Reason.STATE),
        platform=cells.platform(row),
        cpu_units=cells.whole_capacity(row, "cpu_units") or 0,
        task_memory=cells.whole_capacity(row, "memory_mib") or 0,
        architecture=cells.architecture(row),
        desired_count=_tasks(row),
        auto_scaling=_policies(row),
        task_definition_arn=cells.text(row, "task_definition_arn") or None,
        containers=_containers(row.get("containers")),
    )


def _tasks(row: Row) -> int:
    """Return how many tasks are wanted: none is a number too."""
    if cells.text(row, "desired_count") in ("0", "0.0"):
        return 0
    return cells.whole_capacity(row, "desired_count") or 1


def _policies(row: Row) -> tuple[str, ...]:
    words = [word.strip() for word in cells.text(row, "auto_scaling").split(";")]
    wanted = [word for word in words if word and word.casefold() != NO_POLICY]
    for word in wanted:
        if word.casefold() not in POLICIES:
            raise RowRefused(Reason.AUTO_SCALING, word)
    return tuple(dict.fromkeys(POLICIES[word.casefold()] for word in wanted))


def _containers(value: Any) -> tuple[Container, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise RowRefused(Reason.CONTAINERS, value[: cells.MAX_TEXT]) from None
    if not isinstance(value, list):
        raise RowRefused(Reason.CONTAINERS, value)
    return tuple(_container(one) for one in value)


def _container(one: Any) -> Container:
    if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
        raise RowRefused(Reason.CONTAINERS, one)
    plain = {str(key).casefold().replace("_", ""): value for key, value in one.items()}
    # ECS writes 0 for a size that is left out.
    sizes = {name: plain.get(key) or None for name, key in SIZES.items()}
    if not all(size is None or _is_size(size) for size in sizes.values()):
        raise RowRefused(Reason.CONTAINERS, one)
    return Container(one["name"], **sizes)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
