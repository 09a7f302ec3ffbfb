"""The inventory of one account and Region: resource type -> its calls -> how they are read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from compute_optimizer.errors import InvalidInput
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
from compute_optimizer.sources.aws import calls
from compute_optimizer.sources.aws.account_region import AccountRegion
from compute_optimizer.sources.aws.calls import Call
from compute_optimizer.sources.aws.databases import read_databases
from compute_optimizer.sources.aws.functions import read_functions
from compute_optimizer.sources.aws.gateways import read_gateways
from compute_optimizer.sources.aws.groups import read_groups
from compute_optimizer.sources.aws.instances import read_instances
from compute_optimizer.sources.aws.records import Answers, Located
from compute_optimizer.sources.aws.services import read_services
from compute_optimizer.sources.aws.volumes import read_volumes


@dataclass(frozen=True, slots=True)
class Reading:
    """How the resources of one type are found."""

    calls: tuple[Call, ...]
    """All whose answers `read` gets."""
    read: Callable[[Located, Answers], list[Resource]]


READINGS = {
    EC2_INSTANCE: Reading((calls.INSTANCES, calls.GROUPS), read_instances),
    AUTO_SCALING_GROUP: Reading(
        (
            calls.GROUPS,
            calls.GROUP_POLICIES,
            calls.GROUP_SCHEDULES,
            calls.LAUNCH_CONFIGURATIONS,
            calls.LAUNCH_TEMPLATES,
            calls.INSTANCES,
        ),
        read_groups,
    ),
    EBS_VOLUME: Reading((calls.VOLUMES, calls.INSTANCES), read_volumes),
    NAT_GATEWAY: Reading((calls.NAT_GATEWAYS, calls.ROUTE_TABLES), read_gateways),
    LAMBDA_FUNCTION: Reading((calls.FUNCTIONS, calls.FUNCTION_TAGS, calls.INVOKED), read_functions),
    ECS_SERVICE: Reading(
        (calls.SERVICES, calls.TASK_DEFINITIONS, calls.SERVICE_POLICIES), read_services
    ),
    RDS_DB_INSTANCE: Reading((calls.DB_INSTANCES, calls.DB_CLUSTERS), read_databases),
}
"""By resource type."""


def check_collected(resource_types: Iterable[str]) -> None:
    """Raise InvalidInput for a type that is not read from AWS."""
    for name in sorted(resource_types):
        if name not in READINGS:
            raise InvalidInput(
                f"resources of type {name!r} are not collected from AWS; expected one of "
                f"{', '.join(READINGS)}; others can be imported"
            )


def resources_of(place: AccountRegion, resource_type: str) -> list[Resource]:
    """Return the resources of one type; raise SourceUnavailable."""
    reading = READINGS[resource_type]
    answers = {call: place.records(call) for call in reading.calls}
    return reading.read(Located(place.partition, place.account_id, place.region), answers)
