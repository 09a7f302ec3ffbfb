"""What answers say stands in the service model; what filters select is what the answers show."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StructureShape

from compute_optimizer.model.account import EnrollmentStatus
from compute_optimizer.model.export import JobStatus
from compute_optimizer.model.recommendation import PerformanceRisk
from compute_optimizer.model.stated_preferences import ScopeName
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.resources.ebs import demand as ebs
from compute_optimizer.resources.ec2 import dimensions as ec2
from compute_optimizer.resources.rds import dimensions as rds
from compute_optimizer.resources.services import records as services
from compute_optimizer.scenario.organization import ACCOUNTS
from compute_optimizer.shapes.model import service_model
from compute_optimizer.views.summaries import SUMMARY_PARTS
from tests.wire.effects import ARMED, LISTS, base, filters_of, shown_list
from tests.wire.strategies import operation_model
from tests.wire.world import Refused, World

SPELLED = {
    "Finding": {"UNDER_PROVISIONED", "OVER_PROVISIONED", "OPTIMIZED", "NOT_OPTIMIZED"},
    "MetricName": {"CPU", "MEMORY"},
    "MetricStatistic": {"MAXIMUM", "AVERAGE"},
}
"""By enum, what answers about instances and groups spell unlike the model (spec 3.2)."""

OUTSIDE = {("GetRecommendationSummaries", "Finding"): {"InsufficientMetrics"}}
"""By operation and enum, what is told of licenses although the enum lacks it (spec 10)."""

WIRE_CASED = (
    "GetAutoScalingGroupRecommendations",
    "GetEC2InstanceRecommendations",
    "GetEC2RecommendationProjectedMetrics",
    "GetRecommendationSummaries",
)


def enum_values(shape: Shape, value: Any) -> Iterator[tuple[str, list[str], str]]:
    """Yield (enum, its values, the value) of every member of an answer that has an enum."""
    if isinstance(shape, StructureShape):
        for name, inner in value.items():
            yield from enum_values(shape.members[name], inner)
    elif isinstance(shape, ListShape):
        for inner in value:
            yield from enum_values(shape.member, inner)
    elif "enum" in shape.metadata:
        yield shape.name, shape.metadata["enum"], value


def answers(world: World, operation: str) -> Iterator[Any]:
    """Yield what an operation answers about every account of the demo."""
    if operation in LISTS or operation == "GetRecommendationSummaries":
        armed = ARMED if takes_architectures(operation) else {}
        for account in ACCOUNTS:
            yield world.answer(operation, {"accountIds": [account.account_id]} | armed)
    elif operation.startswith(("Get", "Describe")):
        yield world.answer(operation, base(world, operation))


def takes_architectures(operation: str) -> bool:
    shape = operation_model("compute-optimizer", operation).input_shape
    return "recommendationPreferences" in shape.members


def strange(world: World, operation: str) -> set[tuple[str, str]]:
    """Return (enum, value) of what an operation answers outside its enums."""
    shape = operation_model("compute-optimizer", operation).output_shape
    return {
        (enum, value)
        for answer in answers(world, operation)
        for enum, modelled, value in enum_values(shape, answer)
        if value not in modelled and value not in OUTSIDE.get((operation, enum), ())
    }


@pytest.mark.parametrize("operation", OPERATIONS)
def test_enum_values_of_answers_are_modelled_or_known_to_be_spelled_otherwise(
    operation: str, world: World
) -> None:
    allowed = SPELLED if operation in WIRE_CASED else {}

    for enum, value in strange(world, operation):
        assert value in allowed.get(enum, ()), f"{enum}: {value}"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_spelling_of_the_model_is_the_models_own(operation: str, world: World) -> None:
    assert not strange(replace(world, enum_style="model"), operation)


# What the tables of the program can say, whether or not the demo has such a resource.

OVER_AND_UNDER = ("Overprovisioned", "Underprovisioned")
IDLE_RULES = [rule for kind in RESOURCE_TYPES for rule in kind.idle]

DECLARED: Mapping[str, Iterable[str]] = {
    "CurrentPerformanceRisk": PerformanceRisk,
    "EBSMetricName": ebs.WIRE_NAMES.values(),
    "ECSServiceMetricName": services.WIRE_NAMES,
    "ECSServiceRecommendationFindingReasonCode": [
        f"{code}{how}" for code in services.CODES for how in OVER_AND_UNDER
    ],
    "IdleFinding": [rule.finding for rule in IDLE_RULES],
    "IdleMetricName": [shown.name for rule in IDLE_RULES for shown in rule.shown.values()],
    "IdleRecommendationResourceType": [rule.idle_type for rule in IDLE_RULES],
    "InstanceRecommendationFindingReasonCode": [
        f"{dimension.name}{how}" for dimension in ec2.DIMENSIONS for how in OVER_AND_UNDER
    ],
    "JobStatus": JobStatus,
    "MetricName": ec2.WIRE_NAMES.values(),
    "RDSDBMetricName": [
        *rds.WIRE_NAMES.values(),
        *rds.CLUSTER_WIRE_NAMES.values(),
        rds.STORAGE_SPACE,
    ],
    "RecommendationSourceType": SUMMARY_PARTS,
    "ScopeName": ScopeName,
    "Status": EnrollmentStatus,
}
"""By enum of the service model."""


@pytest.mark.parametrize("enum", DECLARED)
def test_declared_values_are_in_their_enum(enum: str) -> None:
    modelled = service_model().shape_for(enum).metadata["enum"]

    assert set(DECLARED[enum]) <= set(modelled)


# Filters

SHOWN: Mapping[str, Callable[[dict[str, Any]], list[str]]] = {
    "Finding": lambda one: [one["finding"]],
    "FindingReasonCode": lambda one: one.get("findingReasonCodes", []),
    "FindingReasonCodes": lambda one: one.get("findingReasonCodes", []),
    "Idle": lambda one: [one["idle"]] if "idle" in one else [],
    "InferredWorkloadTypes": lambda one: one.get("inferredWorkloadTypes", []),
    "InstanceFinding": lambda one: [one["instanceFinding"]] if "instanceFinding" in one else [],
    "InstanceFindingReasonCode": lambda one: one.get("instanceFindingReasonCodes", []),
    "JobStatus": lambda one: [one["status"]],
    "LicenseName": lambda one: [one["currentLicenseConfiguration"]["licenseName"]],
    # A group is its own source, and does not say so.
    "RecommendationSourceType": lambda one: (
        [source["recommendationSourceType"] for source in one.get("recommendationSources", ())]
        or ["AutoScalingGroup"]
    ),
    "ResourceType": lambda one: [one["resourceType"]],
    "Status": lambda one: [one["status"]],
    "StorageFinding": lambda one: [one["storageFinding"]] if "storageFinding" in one else [],
    "StorageFindingReasonCode": lambda one: one.get("storageFindingReasonCodes", []),
}
"""By filter, what an entry shows of it."""

FILTERED = [
    (operation, name)
    for operation in OPERATIONS
    if "filters" in operation_model("compute-optimizer", operation).input_shape.members
    and not operation.startswith("Export")
    for name in filters_of(operation)
]


@pytest.mark.parametrize(("operation", "name"), FILTERED)
def test_filter_selects_what_shows_the_value(operation: str, name: str, world: World) -> None:
    model_world, read = replace(world, enum_style="model"), SHOWN[name]
    asked = base(world, operation) if operation in LISTS else {}
    everything = shown_list(model_world.answer(operation, asked))
    values = {value for one in everything for value in read(one)}

    for value in values:
        chosen = {"filters": [{"name": name, "values": [value]}]}
        found = shown_list(model_world.answer(operation, asked | chosen))
        assert found == [one for one in everything if value in read(one)], value
    assert everything
    refused = world.ask(operation, asked | {"filters": [{"name": name, "values": ["Nonsense"]}]})
    assert isinstance(refused, Refused)
    assert refused.code == "InvalidParameterValueException"
    assert name in refused.message
    assert "Nonsense" in refused.message
