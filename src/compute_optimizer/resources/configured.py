"""What a resource of the inventory is, in the words of its advice, and whether it is as advised.

One row of CONFIGURED for each resource type.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from math import nan
from typing import Any

import numpy as np

from compute_optimizer.catalog.volume_types import load_volume_types, performance_of
from compute_optimizer.model.auto_scaling_group import (
    AutoScalingGroup,
)
from compute_optimizer.model.database import (
    Database,
    StorageConfiguration,
)
from compute_optimizer.model.decision import (
    Advice,
    Configuration,
)
from compute_optimizer.model.ebs_volume import (
    EbsVolume,
)
from compute_optimizer.model.ecs_service import EcsService
from compute_optimizer.model.lambda_function import LambdaFunction
from compute_optimizer.model.license import LicensedInstance
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    LICENSE,
    RDS_DB_INSTANCE,
    Resource,
)

IN_USE = "inUse"
"""The one member of a configuration that idle recommendations change."""

STOPPED_STATES = frozenset(
    {"stopping", "stopped", "shutting-down", "terminated", "deleting", "deleted", "inactive"}
)
"""States, as the services name them without case, of resources that are not used any more."""


class Standing(Enum):
    """How a resource compares with the advice that was given for it."""

    AS_IT_WAS = "as it was"
    PARTLY = "partly as advised"
    ADVISED = "as advised"
    OTHER = "something else"


def configured(advice: Advice, resource: Resource) -> Configuration:
    """Return what a resource of the inventory is, as far as the advice speaks of it.

    A member that the inventory does not state is None.
    """
    if advice.idle:
        return {IN_USE: not _is_stopped(resource)}
    return CONFIGURED[advice.resource_type](resource)


def standing(advice: Advice, now: Configuration | None) -> Standing:
    """Return how a resource compares with the advice; `now` is None where the resource is gone.

    Only members that the advice changes count, and of those the ones that the inventory states.
    """
    if now is None:
        return Standing.ADVISED if advice.idle else Standing.OTHER
    members = [
        (now[name], advice.current.get(name), wanted)
        for name, wanted in advice.advised.items()
        if wanted != advice.current.get(name) and now.get(name) is not None
    ]
    if not members or all(here == before for here, before, _ in members):
        return Standing.AS_IT_WAS
    if all(here == wanted for here, _, wanted in members):
        return Standing.ADVISED
    if any(here not in (before, wanted) for here, before, wanted in members):
        return Standing.OTHER
    return Standing.PARTLY


def text_of(now: Configuration | None) -> str:
    """Return a configuration in one line for people."""
    if now is None:
        return "gone"
    return ", ".join(f"{name} {value}" for name, value in now.items() if value is not None)


def _volume_now(one: EbsVolume) -> Configuration:
    types = load_volume_types()
    place = types.index.get(one.instance_type)
    stated = {"volumeType": one.instance_type, "sizeGib": one.size_gib}
    if place is None:
        return stated
    figures = (np.array([nan if x is None else float(x)]) for x in (one.iops, one.throughput_mibps))
    here = performance_of(types.types[place], np.array([float(one.size_gib)]), *figures)
    return stated | {"iops": int(here.iops[0]), "throughputMibps": int(here.throughput[0])}


def _database_now(one: Database) -> Configuration:
    if one.is_cluster:
        return {"storageType": one.instance_type}
    own = StorageConfiguration(
        one.storage_type, one.allocated_gib or None, one.iops, one.throughput_mibps
    )
    return {"dbClass": one.instance_type, **storage_members(own)}


def storage_members(one: StorageConfiguration) -> dict[str, Any]:
    """Return the members of a storage configuration that are stated."""
    figures = {
        "storageType": one.storage_type,
        "allocatedGib": one.allocated_gib,
        "iops": one.iops,
        "throughputMibps": one.throughput_mibps,
    }
    return {name: value for name, value in figures.items() if value is not None}


def _service_now(one: EcsService) -> Configuration:
    return {"cpuUnits": one.cpu_units, "memoryMib": one.task_memory}


def _function_now(one: LambdaFunction) -> Configuration:
    return {"memorySize": one.memory_size}


def _type_now(one: Resource) -> Configuration:
    return {"instanceType": one.instance_type}


def _license_now(one: Resource) -> Configuration:
    server = one.sql_server if isinstance(one, LicensedInstance) else None
    return {"edition": server.edition if server else "none"}


CONFIGURED: Mapping[str, Callable[[Any], Configuration]] = {
    EC2_INSTANCE: _type_now,
    AUTO_SCALING_GROUP: _type_now,
    EBS_VOLUME: _volume_now,
    LAMBDA_FUNCTION: _function_now,
    ECS_SERVICE: _service_now,
    RDS_DB_INSTANCE: _database_now,
    LICENSE: _license_now,
}
"""From a resource of the inventory to what it is, in the members that its advice has."""


def _is_stopped(one: Resource) -> bool:
    if isinstance(one, AutoScalingGroup):
        return one.desired_capacity == 0
    if isinstance(one, EcsService) and one.desired_count == 0:
        return True
    return one.state.casefold() in STOPPED_STATES
