"""Which CloudWatch series make up which of ours: one table by resource type.

Names, namespaces and dimensions are those of spec 2.4 and of the services' own guides.
"""

from collections.abc import Callable
from dataclasses import dataclass

from compute_optimizer.model.lambda_function import LATEST, version_of
from compute_optimizer.model.metrics import SLOT_SECONDS
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

Dimensions = tuple[tuple[str, str], ...]
"""Name and value of each."""

AGENT = "CWAgent"
"""The agent's own namespace, which its users may change: a setting."""

LAMBDA_INSIGHTS, CONTAINER_INSIGHTS = "LambdaInsights", "ECS/ContainerInsights"

MEMORY = "mem_used_percent"

KIB, MIB = 2**10, 2**20


@dataclass(frozen=True, slots=True)
class Measure:
    """One CloudWatch metric that tells one of ours."""

    metric: str
    """Ours."""
    namespace: str
    name: str
    """CloudWatch's."""
    dimensions: Callable[[Resource], Dimensions]
    """Return what identifies a resource; nothing where the metric is not one of its."""
    discovered: bool = False
    """Not every customer has it, and it may have more dimensions: ListMetrics tells."""
    exact: bool = False
    """Of those, only the one without further dimensions: more of them would tell a part."""
    free_bytes: float = 0.0
    """Where it tells free memory: bytes in its unit."""
    part: str = ""
    """The further dimension that tells parts apart, such as GPUs; they are added up."""
    highest: bool = False
    """Of the parts the highest counts, and not their sum."""
    calls: bool = False
    """The parts are calls of one version through several aliases: totals are added up, of maxima
    the highest counts, and averages are averaged."""
    of_volumes: bool = False
    """The sum over the volumes of an instance; the dimension is that of a volume."""


@dataclass(frozen=True, slots=True)
class TypeMeasures:
    """What there is of one resource type."""

    measures: tuple[Measure, ...]
    """Of those that tell the same metric, the first that a resource has counts."""
    period: int = SLOT_SECONDS
    """Seconds: what the service analyzes (spec 2.1)."""


def _by(name: str) -> Callable[[Resource], Dimensions]:
    return lambda resource: ((name, resource.resource_id),)


def _by_function(name: str) -> Callable[[Resource], Dimensions]:
    """Identify functions of which only $LATEST is called, so that what tells of all tells of it."""
    return lambda one: () if _has_versions(one) else ((name, _function(one)),)


def _by_version(name: str, version: str) -> Callable[[Resource], Dimensions]:
    """Identify one version among others of its function, by a dimension that is its number."""
    return lambda one: (
        ((version, version_of(one.arn)), (name, _function(one))) if _has_versions(one) else ()
    )


def _called_directly(one: Resource) -> Dimensions:
    """Identify what is called by the name of the function, and by its number for a version."""
    if not _has_versions(one):
        return ()
    return ("FunctionName", _function(one)), ("Resource", one.resource_id)


def _function(one: Resource) -> str:
    """Return the name of a function without the number of a version."""
    return one.resource_id.partition(":")[0]


def _has_versions(one: Resource) -> bool:
    return getattr(one, "has_versions", False) or version_of(one.arn) != LATEST


def _by_service(resource: Resource) -> Dimensions:
    cluster, _, service = resource.resource_id.rpartition("/")
    return ("ClusterName", cluster), ("ServiceName", service)


def _database(resource: Resource) -> Dimensions:
    return () if _cluster(resource) else (("DBInstanceIdentifier", resource.resource_id),)


def _cluster(resource: Resource) -> Dimensions:
    of_cluster = ":cluster:" in resource.arn
    return (("DBClusterIdentifier", resource.resource_id),) if of_cluster else ()


def _aurora(resource: Resource) -> Dimensions:
    return _database(resource) if _is_aurora(resource) else ()


def _outside_aurora(resource: Resource) -> Dimensions:
    return () if _is_aurora(resource) else _database(resource)


def _is_aurora(resource: Resource) -> bool:
    return getattr(resource, "engine", "").startswith("aurora")


def _named(
    namespace: str, dimensions: Callable[[Resource], Dimensions], *names: str
) -> tuple[Measure, ...]:
    """Return measures that CloudWatch calls as we do."""
    return tuple(Measure(name, namespace, name, dimensions) for name in names)


def _memory(dimensions: Callable[[Resource], Dimensions], agent: str) -> tuple[Measure, ...]:
    """Return what tells the memory of a machine, in the order of spec 2.4.

    The Windows agent puts the name of the object before that of the counter.
    """
    free = (("Available MBytes", MIB), ("Available KBytes", KIB), ("Available Bytes", 1))
    committed = "% Committed Bytes In Use"
    return (
        Measure(MEMORY, agent, "mem_used_percent", dimensions, discovered=True),
        Measure(MEMORY, "System/Linux", "MemoryUtilization", dimensions, discovered=True),
        *(
            Measure(MEMORY, agent, start + name, dimensions, discovered=True, free_bytes=unit)
            for name, unit in free
            for start in ("Memory ", "")
        ),
        *(
            Measure(MEMORY, agent, start + committed, dimensions, discovered=True)
            for start in ("Memory ", "")
        ),
    )


def _gpus(dimensions: Callable[[Resource], Dimensions], agent: str) -> tuple[Measure, ...]:
    """Return what tells the use of GPUs: of the busiest one, and memory and sessions of all."""
    return tuple(
        Measure(name, agent, name, dimensions, discovered=True, part="index", highest=busiest)
        for name, busiest in (
            ("nvidia_smi_utilization_gpu", True),
            ("nvidia_smi_memory_used", False),
            ("nvidia_smi_encoder_stats_session_count", False),
        )
    )


def _invocations(name: str) -> tuple[Measure, ...]:
    """Return what tells of the calls of a function, or of one of its versions.

    Calls through aliases come first: who publishes versions calls them so.
    """
    space, version = "AWS/Lambda", _by_version("FunctionName", "ExecutedVersion")
    return (
        Measure(name, space, name, _by_function("FunctionName")),
        Measure(name, space, name, version, discovered=True, part="Resource", calls=True),
        Measure(name, space, name, _called_directly, discovered=True, exact=True),
    )


MACHINE = (
    "CPUUtilization",
    "NetworkIn",
    "NetworkOut",
    "NetworkPacketsIn",
    "NetworkPacketsOut",
    "DiskReadOps",
    "DiskWriteOps",
    "DiskReadBytes",
    "DiskWriteBytes",
)
VOLUME = ("VolumeReadOps", "VolumeWriteOps", "VolumeReadBytes", "VolumeWriteBytes")
EXCEEDED = ("VolumeIOPSExceededCheck", "VolumeThroughputExceededCheck")
GATEWAY = ("ActiveConnectionCount", "PacketsInFromSource", "PacketsInFromDestination")
FUNCTION = ("Invocations", "Duration", "Errors", "Throttles")
DATABASE = (
    "CPUUtilization",
    "DatabaseConnections",
    "NetworkReceiveThroughput",
    "NetworkTransmitThroughput",
    "ReadIOPS",
    "WriteIOPS",
    "ReadThroughput",
    "WriteThroughput",
)
AURORA = (
    "StorageNetworkReadThroughput",
    "StorageNetworkWriteThroughput",
    "AuroraMemoryHealthState",
    "AuroraMemoryNumDeclinedSqlTotal",
    "AuroraMemoryNumKillConnTotal",
    "AuroraMemoryNumKillQueryTotal",
    "ReadIOPSEphemeralStorage",
    "WriteIOPSEphemeralStorage",
)
CLUSTER = ("VolumeBytesUsed", "VolumeReadIOPs", "VolumeWriteIOPs")


def measures(agent: str = AGENT) -> dict[str, TypeMeasures]:
    """Return the table by resource type, with the namespace that the agent writes to."""
    by_instance, by_group = _by("InstanceId"), _by("AutoScalingGroupName")
    by_volume, by_gateway = _by("VolumeId"), _by("NatGatewayId")
    return {
        EC2_INSTANCE: TypeMeasures(
            (
                *_named("AWS/EC2", by_instance, *MACHINE),
                *(Measure(name, "AWS/EBS", name, by_instance, of_volumes=True) for name in VOLUME),
                *_memory(by_instance, agent),
                *_gpus(by_instance, agent),
            )
        ),
        AUTO_SCALING_GROUP: TypeMeasures(
            (
                *_named("AWS/EC2", by_group, *MACHINE),
                Measure(MEMORY, agent, MEMORY, by_group, discovered=True, exact=True),
            )
        ),
        EBS_VOLUME: TypeMeasures(
            (
                *_named("AWS/EBS", by_volume, *VOLUME),
                *(Measure(name, "AWS/EBS", name, by_volume, discovered=True) for name in EXCEEDED),
            )
        ),
        NAT_GATEWAY: TypeMeasures(_named("AWS/NATGateway", by_gateway, *GATEWAY)),
        LAMBDA_FUNCTION: TypeMeasures(
            (
                *(one for name in FUNCTION for one in _invocations(name)),
                *(
                    Measure(name, LAMBDA_INSIGHTS, name, dimensions, discovered=True)
                    for name in ("used_memory_max", "billed_duration")
                    for dimensions in (
                        _by_function("function_name"),
                        _by_version("function_name", "version"),
                    )
                ),
            )
        ),
        ECS_SERVICE: TypeMeasures(
            (
                *_named("AWS/ECS", _by_service, "CPUUtilization"),
                Measure(MEMORY, "AWS/ECS", "MemoryUtilization", _by_service),
                Measure(
                    "RunningTaskCount",
                    CONTAINER_INSIGHTS,
                    "RunningTaskCount",
                    _by_service,
                    discovered=True,
                    exact=True,
                ),
            ),
            period=60,
        ),
        RDS_DB_INSTANCE: TypeMeasures(
            (
                *_named("AWS/RDS", _database, *DATABASE),
                *_named("AWS/RDS", _outside_aurora, "FreeStorageSpace"),
                *_named("AWS/RDS", _aurora, *AURORA),
                *_named("AWS/RDS", _cluster, *CLUSTER),
            )
        ),
    }
