"""What every member of every request does: a table that the service model is held against.

An effect asks twice, without a member and with it (or with another value), and gives what was seen
both times: they must differ. A refusal is something seen, too. Each member of the model has one
row here, by its path, whichever operations have it; `[]` is an entry of a list.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from compute_optimizer.operations import OPERATIONS
from compute_optimizer.scenario.organization import MANAGEMENT_ACCOUNT_ID, MEMBER_ACCOUNT_IDS
from compute_optimizer.shapes.model import service_model
from tests.wire.strategies import operation_model
from tests.wire.world import BUCKET, NOON, SHOP, World

Request = dict[str, Any]
Effect = Callable[[World, str], tuple[Any, Any]]
"""(world, operation) -> what is seen without the member, and with it."""

NONSENSE = "Nonsense"
EVERYONE = (MANAGEMENT_ACCOUNT_ID, *MEMBER_ACCOUNT_IDS)
MIDNIGHT = NOON.replace(hour=0)


def member_paths(shape: Shape | None, path: str = "") -> Iterator[str]:
    """Yield the path of every member without members of its own, such as filters[].name."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield from member_paths(member, f"{path}.{name}" if path else name)
    elif isinstance(shape, ListShape):
        yield from member_paths(shape.member, f"{path}[]")
    elif shape is not None:
        yield path


def request_members(*operations: str) -> list[tuple[str, str]]:
    """Return (operation, path) of every member of the requests of some operations."""
    shapes = {name: service_model().operation_model(name).input_shape for name in operations}
    return [(name, path) for name, shape in shapes.items() for path in member_paths(shape)]


# What an operation is asked where a test is not about it.

LISTS = {
    "GetAutoScalingGroupRecommendations": "autoScalingGroupArns",
    "GetEBSVolumeRecommendations": "volumeArns",
    "GetEC2InstanceRecommendations": "instanceArns",
    "GetECSServiceRecommendations": "serviceArns",
    "GetIdleRecommendations": "resourceArns",
    "GetLambdaFunctionRecommendations": "functionArns",
    "GetLicenseRecommendations": "resourceArns",
    "GetRDSDatabaseRecommendations": "resourceArns",
}
"""The operations that list recommendations, and their member that lists ARNs."""

PROJECTIONS = {
    "GetEC2RecommendationProjectedMetrics": ("instanceArn", "GetEC2InstanceRecommendations"),
    "GetECSServiceRecommendationProjectedMetrics": ("serviceArn", "GetECSServiceRecommendations"),
    "GetRDSDatabaseRecommendationProjectedMetrics": (
        "resourceArn",
        "GetRDSDatabaseRecommendations",
    ),
}
"""The member that names the resource, and the operation that lists such resources."""

OPTIONS = "recommendationoptions"
"""How members with options end, whatever the type."""

ARMED = {"recommendationPreferences": {"cpuVendorArchitectures": ["AWS_ARM64", "CURRENT"]}}


def shown_list(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what an answer lists; errors are not meant."""
    (found,) = (
        value for name, value in answer.items() if isinstance(value, list) and name != "errors"
    )
    return list(found)


@cache
def home(world: World, operation: str) -> str:
    """Return the account for which an operation lists most."""
    counts = {
        account: len(shown_list(world.answer(operation, {"accountIds": [account]})))
        for account in EVERYONE
    }
    return max(counts, key=lambda account: counts[account])


def recommended_arns(world: World, operation: str) -> list[str]:
    """Return the ARNs of what the account with most has recommendations for."""
    member = LISTS[operation].removesuffix("s")
    listed = shown_list(world.answer(operation, {"accountIds": [home(world, operation)]}))
    return [one[member] for one in listed]


def projected_arns(world: World, operation: str) -> list[str]:
    """Return resources of any account that have options; of both architectures, where asked."""
    member, listing = PROJECTIONS[operation]
    request = operation_model("compute-optimizer", operation).input_shape
    asked = ARMED if "recommendationPreferences" in request.members else {}
    found = [
        one
        for account in EVERYONE
        for one in shown_list(world.answer(listing, {"accountIds": [account]} | asked))
    ]
    # A cluster has options of its storage only, of which no metric is projected.
    return [
        one[member]
        for one in found
        if any(name.lower().endswith(OPTIONS) and one[name] for name in one)
        and ":cluster:" not in one[member]
    ]


def base(world: World, operation: str) -> Request:
    """Return a request that the operation answers with something."""
    if operation == "GetRecommendationSummaries":
        return {"accountIds": [SHOP]}
    if operation in LISTS:
        return {"accountIds": [home(world, operation)]}
    if operation in PROJECTIONS:
        member, _ = PROJECTIONS[operation]
        return {
            member: projected_arns(world, operation)[0],
            "stat": "Maximum",
            "period": 3600,
            "startTime": MIDNIGHT.replace(day=13),
            "endTime": MIDNIGHT.replace(day=14),
        }
    required = operation_model("compute-optimizer", operation).input_shape.required_members
    asked = {name: _REQUIRED[name](world) for name in required}
    if operation.startswith("Export"):
        return asked | {"accountIds": list(EVERYONE)}
    # A put has to state something.
    return asked | ({"lookBackPeriod": "DAYS_14"} if operation.startswith("Put") else {})


_REQUIRED: Mapping[str, Callable[[World], Any]] = {
    "recommendationPreferenceNames": lambda _: ["InferredWorkloadTypes"],
    "resourceArn": lambda world: recommended_arns(world, "GetEC2InstanceRecommendations")[0],
    "resourceType": lambda _: "Ec2Instance",
    "s3DestinationConfig": lambda _: {"bucket": BUCKET},
    "status": lambda _: "Active",
}


# How what an operation did is seen.


def seen(world: World, operation: str, request: Request) -> Any:
    """Ask, and return the answer or what it changed."""
    if operation.startswith("Export"):
        return world.exported(operation, request)
    if operation.startswith(("Get", "Describe")):
        return world.ask(operation, request)
    with world.copied() as copy:
        return _AFTERWARDS[operation](copy, operation, request)


def _preferences(world: World) -> Any:
    types = ("Ec2Instance", "AutoScalingGroup")
    return [world.answer("GetRecommendationPreferences", {"resourceType": one}) for one in types]


def _after_preferences(world: World, operation: str, request: Request) -> Any:
    return world.ask(operation, request), _preferences(world)


def _after_enrollment(world: World, operation: str, request: Request) -> Any:
    world.answer(operation, {"status": "Inactive"}, MEMBER_ACCOUNT_IDS[0])
    told = world.ask(operation, request)
    world.settle()
    statuses = world.answer("GetEnrollmentStatusesForOrganization", {})["accountEnrollmentStatuses"]
    own = world.answer("GetEnrollmentStatus", {})["status"]
    return told, own, [(one["accountId"], one["status"]) for one in statuses]


_AFTERWARDS: Mapping[str, Callable[[World, str, Request], Any]] = {
    "DeleteRecommendationPreferences": _after_preferences,
    "PutRecommendationPreferences": _after_preferences,
    "UpdateEnrollmentStatus": _after_enrollment,
}


# The effects.


def given(*values: Request) -> Effect:
    """Ask with one addition to the request and with the other; one of them may be nothing."""

    def effect(world: World, operation: str) -> tuple[Any, Any]:
        asked = base(world, operation)
        first, second = (seen(world, operation, asked | value) for value in values)
        return first, second

    return effect


def accounts(world: World, operation: str) -> tuple[Any, Any]:
    """Ask for one account, and for others."""
    asked = base(world, operation)
    first, *others = (
        seen(world, operation, asked | {"accountIds": [account]}) for account in EVERYONE
    )
    return first, next((other for other in others if other != first), first)


def members(world: World, operation: str) -> tuple[Any, Any]:
    """Act for the caller's own account, and for those of its members, too."""
    asked = base(world, operation)
    asked.pop("accountIds", None)
    both = seen(world, operation, asked | {"includeMemberAccounts": True})
    return seen(world, operation, asked), both


def listed_arns(world: World, operation: str) -> tuple[Any, Any]:
    """Ask for everything, and for one resource."""
    one = recommended_arns(world, operation)[0]
    everything = seen(world, operation, base(world, operation))
    alone = seen(world, operation, base(world, operation) | {LISTS[operation]: [one]})
    assert [entry[LISTS[operation].removesuffix("s")] for entry in shown_list(alone)] == [one]
    return everything, alone


def named_arn(world: World, operation: str) -> tuple[Any, Any]:
    """Ask for a resource, and for another one."""
    asked = base(world, operation)
    if operation not in PROJECTIONS:
        # One of nobody: the answer is the same for all that have no preferences of their own.
        return seen(world, operation, asked), seen(world, operation, {"resourceArn": NONSENSE})
    member, _ = PROJECTIONS[operation]
    first, second = projected_arns(world, operation)[:2]
    return (
        seen(world, operation, asked | {member: first}),
        seen(world, operation, asked | {member: second}),
    )


def page_size(world: World, operation: str) -> tuple[Any, Any]:
    """Ask for everything, and for a page of one."""
    everything = seen(world, operation, base(world, operation))
    page = seen(world, operation, base(world, operation) | {"maxResults": 1})
    assert len(shown_list(page)) == 1
    return everything, page


def page_token(world: World, operation: str) -> tuple[Any, Any]:
    """Ask for the first page and for the next one."""
    asked = base(world, operation) | {"maxResults": 1}
    first = seen(world, operation, asked)
    return first, seen(world, operation, asked | {"nextToken": first["nextToken"]})


def filter_name(world: World, operation: str) -> tuple[Any, Any]:
    """Ask with the names of two filters, of which one is not known."""
    asked, named = base(world, operation), filters_of(operation)[0]
    first, second = (
        seen(world, operation, asked | {"filters": [{"name": name, "values": [NONSENSE]}]})
        for name in (named, NONSENSE)
    )
    return first, second


def filter_values(world: World, operation: str) -> tuple[Any, Any]:
    """Ask without a filter, and with one that nothing passes."""
    asked = base(world, operation)
    nothing = {"filters": [{"name": "tag-key", "values": [NONSENSE]}]}
    return seen(world, operation, asked), seen(world, operation, asked | nothing)


def architectures(world: World, operation: str) -> tuple[Any, Any]:
    """Ask for the options of today's architecture, and of Arm."""
    asked = base(world, operation)
    return seen(world, operation, asked), seen(world, operation, asked | ARMED)


def fields(world: World, operation: str) -> tuple[Any, Any]:
    """Export every column, and one."""
    asked = base(world, operation)
    some = seen(world, operation, asked | {"fieldsToExport": ["AccountId"]})
    assert some[2].startswith("accountId,")
    return seen(world, operation, asked), some


def filters_of(operation: str) -> list[str]:
    """Return the names of the filters of an operation, as the service model lists them."""
    shape = operation_model("compute-optimizer", operation).input_shape
    return list(shape.members["filters"].member.members["name"].metadata["enum"])


def jobs(world: World, operation: str) -> tuple[Any, Any]:
    """Ask for all jobs, and for one."""
    everything = seen(world, operation, {})
    one = everything["recommendationExportJobs"][-1]
    alone = seen(world, operation, {"jobIds": [one["jobId"]]})
    assert alone["recommendationExportJobs"] == [one]
    return everything, alone


def at_scope(name: str, value: str) -> Request:
    return {"scope": {"name": name, "value": value}}


ORGANIZATION = at_scope("Organization", "ALL_ACCOUNTS")
OWN = at_scope("AccountId", MANAGEMENT_ACCOUNT_ID)


def utilization(**parameters: str) -> Request:
    """State how CPU is looked at."""
    whole = {"threshold": "P95", "headroom": "PERCENT_20"} | parameters
    return {"utilizationPreferences": [{"metricName": "CpuUtilization", "metricParameters": whole}]}


def preferred(name: str = "Ec2InstanceTypes", **lists: list[str]) -> Request:
    """State which instance types are wanted."""
    return {"preferredResources": [{"name": name, **lists}]}


MEMORY = {
    "utilizationPreferences": [
        {"metricName": "MemoryUtilization", "metricParameters": {"headroom": "PERCENT_20"}}
    ]
}

EFFECTS: Mapping[str, Effect] = {
    "accountIds[]": accounts,
    "autoScalingGroupArns[]": listed_arns,
    "endTime": given({}, {"endTime": MIDNIGHT.replace(day=15)}),
    "enhancedInfrastructureMetrics": given({}, {"enhancedInfrastructureMetrics": "Active"}),
    "externalMetricsPreference.source": given(
        {}, {"externalMetricsPreference": {"source": "Datadog"}}
    ),
    "fieldsToExport[]": fields,
    # There is one format, so that only refusing others shows that it is read.
    "fileFormat": given({"fileFormat": "Csv"}, {"fileFormat": NONSENSE}),
    "filters[].name": filter_name,
    "filters[].values[]": filter_values,
    "functionArns[]": listed_arns,
    "includeMemberAccounts": members,
    "inferredWorkloadTypes": given({}, {"inferredWorkloadTypes": "Active"}),
    "instanceArn": named_arn,
    "instanceArns[]": listed_arns,
    "jobIds[]": jobs,
    "lookBackPeriod": given({}, {"lookBackPeriod": "DAYS_32"}),
    "maxResults": page_size,
    "nextToken": page_token,
    # Both dimensions are the same figure: no discounts are known (docs/idle.md).
    "orderBy.dimension": given({}, {"orderBy": {"dimension": "SavingsValue"}}),
    "orderBy.order": given({"orderBy": {"order": "Asc"}}, {"orderBy": {"order": "Desc"}}),
    "period": given({"period": 3600}, {"period": 86400}),
    "preferredResources[].excludeList[]": given({}, preferred(excludeList=["m5.large"])),
    "preferredResources[].includeList[]": given({}, preferred(includeList=["m5.large"])),
    # There is one kind of resources, so that only refusing others shows that it is read.
    "preferredResources[].name": given(
        preferred(includeList=["m5.large"]), preferred(NONSENSE, includeList=["m5.large"])
    ),
    "recommendationPreferenceNames[]": given(
        {}, {"recommendationPreferenceNames": ["EnhancedInfrastructureMetrics"]}
    ),
    "recommendationPreferences.cpuVendorArchitectures[]": architectures,
    "resourceArn": named_arn,
    "resourceArns[]": listed_arns,
    "resourceType": given({}, {"resourceType": "AutoScalingGroup"}),
    "s3DestinationConfig.bucket": given({}, {"s3DestinationConfig": {"bucket": "elsewhere"}}),
    "s3DestinationConfig.keyPrefix": given(
        {}, {"s3DestinationConfig": {"bucket": BUCKET, "keyPrefix": "below"}}
    ),
    "savingsEstimationMode": given({}, {"savingsEstimationMode": "BeforeDiscounts"}),
    "scope.name": given(OWN, at_scope("Organization", MANAGEMENT_ACCOUNT_ID)),
    "scope.value": given(OWN, at_scope("AccountId", SHOP)),
    "serviceArn": named_arn,
    "serviceArns[]": listed_arns,
    "startTime": given({}, {"startTime": MIDNIGHT.replace(day=12)}),
    "stat": given({"stat": "Maximum"}, {"stat": "Average"}),
    "status": given({"status": "Active"}, {"status": "Inactive"}),
    "utilizationPreferences[].metricName": given(MEMORY, utilization()),
    "utilizationPreferences[].metricParameters.headroom": given(
        utilization(), utilization(headroom="PERCENT_0")
    ),
    "utilizationPreferences[].metricParameters.threshold": given(
        utilization(), utilization(threshold="P90")
    ),
    "volumeArns[]": listed_arns,
}
"""By the path of the member."""

MEMBERS = request_members(*OPERATIONS)
"""Of the requests of the operations that are built."""
