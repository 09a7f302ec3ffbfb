"""The requests that a conformance run sends: read-only operations, by the service's model."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from compute_optimizer.model.conformance import Probe
from compute_optimizer.shapes.model import service_model

READING = ("Get", "Describe")
"""Names of operations that change nothing begin so."""

NONSENSE = "Nonsense"
"""A value of no enum of the model."""

OTHER_ACCOUNT = "111122223333"
"""An account that AWS's documentation uses in examples and that is nobody's."""

UNKNOWN_ARNS: Mapping[str, str] = {
    "autoScalingGroupArns": (
        "autoscaling:us-east-1:{account}:autoScalingGroup:"
        "00000000-0000-4000-8000-000000000000:autoScalingGroupName/nowhere"
    ),
    "functionArns": "lambda:us-east-1:{account}:function:nowhere",
    "instanceArn": "ec2:us-east-1:{account}:instance/i-00000000000000000",
    "instanceArns": "ec2:us-east-1:{account}:instance/i-00000000000000000",
    "resourceArn": "rds:us-east-1:{account}:db:nowhere",
    "resourceArns": "rds:us-east-1:{account}:db:nowhere",
    "serviceArn": "ecs:us-east-1:{account}:service/nowhere/nowhere",
    "serviceArns": "ecs:us-east-1:{account}:service/nowhere/nowhere",
    "volumeArns": "ec2:us-east-1:{account}:volume/vol-00000000000000000",
}
"""Resources that do not exist, by the member that names one."""

OWN_RESOURCES: Mapping[str, tuple[str, str, str]] = {
    "GetEC2RecommendationProjectedMetrics": (
        "GetEC2InstanceRecommendations",
        "instanceRecommendations",
        "instanceArn",
    ),
    "GetECSServiceRecommendationProjectedMetrics": (
        "GetECSServiceRecommendations",
        "ecsServiceRecommendations",
        "serviceArn",
    ),
    "GetEffectiveRecommendationPreferences": (
        "GetEC2InstanceRecommendations",
        "instanceRecommendations",
        "instanceArn",
    ),
    "GetRDSDatabaseRecommendationProjectedMetrics": (
        "GetRDSDatabaseRecommendations",
        "rdsDBRecommendations",
        "resourceArn",
    ),
}
"""Where an operation about one resource finds one: the operation that lists them, where in it."""

FILTER_VALUES: Mapping[str, str] = {
    "Finding": "Optimized",
    "FindingReasonCode": "CPUOverprovisioned",
    "FindingReasonCodes": "CPUOverprovisioned",
    "Idle": "True",
    "InferredWorkloadTypes": "Nginx",
    "InstanceFinding": "Optimized",
    "InstanceFindingReasonCode": "CPUOverprovisioned",
    "JobStatus": "Complete",
    "LicenseName": "SQLServer",
    "RecommendationSourceType": "Ec2Instance",
    "ResourceType": "Ec2Instance",
    "Status": "Active",
    "StorageFinding": "Optimized",
    "StorageFindingReasonCode": "EBSVolumeAllocatedStorageUnderprovisioned",
}
"""A value as the documentation spells it, by filter."""

FILTER_VALUES_OF: Mapping[tuple[str, str], str] = {
    ("GetIdleRecommendations", "Finding"): "Idle",
    ("GetIdleRecommendations", "ResourceType"): "EBSVolume",
    ("GetLambdaFunctionRecommendations", "FindingReasonCode"): "MemoryOverprovisioned",
    ("GetLicenseRecommendations", "FindingReasonCode"): "LicenseOverprovisioned",
}
"""The same where an operation takes another one."""

WINDOW, PERIOD = timedelta(days=14), 86_400
"""What projected metrics are asked for: the default look-back period, and seconds a data point."""


def reading_operations() -> tuple[str, ...]:
    """Return the operations that change nothing, in alphabetical order."""
    names = service_model().operation_names
    return tuple(sorted(name for name in names if name.startswith(READING)))


def probes(operation: str, now: datetime) -> tuple[Probe, ...]:
    """Return the requests of an operation; the first is the plainest."""
    shape = service_model().operation_model(operation).input_shape
    base = {name: _minimal(name, shape.members[name], now) for name in shape.required_members}
    return tuple(_probes(operation, shape, base))


def _probes(operation: str, shape: Any, base: dict[str, Any]) -> Iterator[Probe]:
    own = _own_member(operation, shape)
    yield Probe(operation, "plain", base, own=own)
    if "nextToken" in shape.members:
        yield Probe(operation, "pages of one", base | {"maxResults": 1}, paged=True)
        yield Probe(operation, "unknown token", base | {"nextToken": NONSENSE}, nonsense=True)
        yield Probe(operation, "maxResults 0", base | {"maxResults": 0}, nonsense=True)
    for name in sorted(UNKNOWN_ARNS.keys() & shape.members.keys()):
        members = base | {name: _unknown_arn(name, shape.members[name])}
        yield Probe(operation, f"unknown {name}", members)
    if "accountIds" in shape.members:
        yield Probe(operation, "another account", base | {"accountIds": [OTHER_ACCOUNT]})
    if shape.required_members:
        yield Probe(operation, "nothing", {}, nonsense=True)
    yield from _filtered(operation, shape, base)
    for path, enum in _enums(shape, ()):
        if path != ("filters", "[]", "name"):
            yield from _of_enum(Probe(operation, "", base, own=own), path, enum)


def _own_member(operation: str, shape: Any) -> str:
    """Return the member that names the resource that an operation is about; empty for none."""
    wanted = shape.required_members if operation in OWN_RESOURCES else ()
    return next((name for name in wanted if name in UNKNOWN_ARNS), "")


def _minimal(name: str, shape: Any, now: datetime) -> Any:
    """Return a value of a required member."""
    if name in UNKNOWN_ARNS:
        return _unknown_arn(name, shape)
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return {"startTime": now - WINDOW, "endTime": now, "period": PERIOD}[name]


def _unknown_arn(name: str, shape: Any) -> Any:
    arn = "arn:aws:" + UNKNOWN_ARNS[name].format(account=OTHER_ACCOUNT)
    return [arn] if shape.type_name == "list" else arn


def _filtered(operation: str, shape: Any, base: dict[str, Any]) -> Iterator[Probe]:
    if "filters" not in shape.members:
        return
    for name in shape.members["filters"].member.members["name"].enum:
        usual = FILTER_VALUES_OF.get((operation, name), FILTER_VALUES[name])
        for value in (usual, NONSENSE):
            members = base | {"filters": [{"name": name, "values": [value]}]}
            yield Probe(operation, f"filter {name}={value}", members, nonsense=value == NONSENSE)
    members = base | {"filters": [{"name": NONSENSE, "values": [NONSENSE]}]}
    yield Probe(operation, f"filter {NONSENSE}", members, nonsense=True)


def _enums(shape: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield where the model has an enum in an input, and its values."""
    if getattr(shape, "enum", None):
        yield path, shape.enum
    elif shape.type_name == "list":
        yield from _enums(shape.member, (*path, "[]"))
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from _enums(member, (*path, name))


def _of_enum(plain: Probe, path: tuple[str, ...], enum: list[str]) -> Iterator[Probe]:
    """Yield a request per value, and one with none of them, which needs no resource."""
    name = ".".join(path).replace(".[]", "[]")
    for value in enum:
        members = {**plain.members, **_nested(path, value)}
        yield replace(plain, name=f"{name}={value}", members=members)
    members = {**plain.members, **_nested(path, NONSENSE)}
    yield Probe(plain.operation, f"{name}={NONSENSE}", members, nonsense=True)


def _nested(path: tuple[str, ...], value: Any) -> Any:
    """Return a value inside the structures and lists of its path."""
    for step in reversed(path):
        value = [value] if step == "[]" else {step: value}
    return value
