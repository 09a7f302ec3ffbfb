"""The inventory of one account and Region: resource type -> its calls -> how they are read."""

from collections.abc import Callable
from dataclasses import dataclass

from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.sources.aws.calls import GROUPS, INSTANCES, Call
from compute_optimizer.sources.aws.instances import read_instances
from compute_optimizer.sources.aws.place import Place
from compute_optimizer.sources.aws.records import Answers, Located


@dataclass(frozen=True, slots=True)
class Reading:
    """How the resources of one type are found."""

    calls: tuple[Call, ...]
    """All whose answers `read` gets."""
    read: Callable[[Located, Answers], list[Resource]]


READINGS = {
    EC2_INSTANCE: Reading((INSTANCES, GROUPS), read_instances),
}
"""By resource type."""


def resources_of(place: Place, resource_type: str) -> list[Resource]:
    """Return the resources of one type; raise SourceUnavailable."""
    reading = READINGS[resource_type]
    answers = {call: place.records(call) for call in reading.calls}
    return reading.read(Located(place.partition, place.account_id, place.region), answers)
