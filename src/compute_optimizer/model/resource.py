"""A resource of the fleet as the inventory describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

EC2_INSTANCE: Final = "Ec2Instance"
"""The service's own name of the resource type (enum ResourceType)."""

EBS_VOLUME: Final = "EbsVolume"
"""The same of volumes."""

NAT_GATEWAY: Final = "NatGateway"
"""The same of NAT gateways, which are only looked at for idleness."""

ECS_SERVICE: Final = "EcsService"
LAMBDA_FUNCTION: Final = "LambdaFunction"
"""The same of ECS services and Lambda functions."""

RDS_DB_INSTANCE: Final = "RdsDBInstance"
"""The same of databases: DB instances, and the Aurora clusters that their answers share."""

RDS_STORAGE: Final = "RdsDBInstanceStorage"
"""The service's own name of the storage of a DB instance, which summaries count by itself."""

AURORA_STORAGE: Final = "AuroraDBClusterStorage"
"""The service's own name of the storage of an Aurora cluster."""

LICENSE: Final = "License"
"""The same of commercial licenses, whose resources are instances: those with SQL Server."""

AUTO_SCALING_GROUP: Final = "AutoScalingGroup"
"""The service's own name of the group that an instance may belong to."""

DYNAMODB_TABLE: Final = "DynamoDBTable"
ELASTICACHE_CLUSTER: Final = "ElastiCacheCluster"
MEMORYDB_CLUSTER: Final = "MemoryDBCluster"
DOCUMENTDB_CLUSTER: Final = "DocumentDBCluster"
WORKSPACES: Final = "WorkSpaces"
SAGEMAKER_ENDPOINT: Final = "SageMakerEndpoint"

NEWER_IDLE_TYPES = (
    DYNAMODB_TABLE,
    ELASTICACHE_CLUSTER,
    MEMORYDB_CLUSTER,
    DOCUMENTDB_CLUSTER,
    WORKSPACES,
    SAGEMAKER_ENDPOINT,
)
"""The service's own names of types that are only looked at for idleness, and that its model has
only since botocore 1.44.5 (enum RecommendationSourceType)."""


def hidden_types(newer_idle_types: bool) -> tuple[str, ...]:
    """Return the types that answers leave out, by the setting of that name."""
    return () if newer_idle_types else NEWER_IDLE_TYPES


NO_TAGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Resource:
    """One row of the inventory: an EC2 instance, or what every type of resource has.

    A type that has more extends it with a record of its own, such as `ebs_volume.EbsVolume`; the
    members of instances then keep their defaults.
    """

    arn: str
    account_id: str
    region: str
    resource_type: str
    resource_id: str
    """The last part of the ARN, such as i-0123456789abcdef0."""
    instance_type: str
    """The type that is paid for: of an instance m5.large, of a volume gp3."""
    name: str = ""
    state: str = "running"
    """Of an instance pending, running, shutting-down, terminated, stopping or stopped."""
    platform: str = "linux"
    """linux, windows, rhel or suse: decides the price."""
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    vcpus: float | None = None
    """Capacity as provisioned where it differs from the type's (machines outside AWS)."""
    memory_mib: float | None = None
    auto_scaling_group_arn: str | None = None


@dataclass(frozen=True, slots=True)
class ShardKey:
    """The unit of storage and of analysis: at most a few thousand resources."""

    account_id: str
    region: str
    resource_type: str
    shard: int

    @property
    def name(self) -> str:
        """Return what people call it."""
        return (
            f"shard {self.shard} of {self.resource_type} in {self.region} of account "
            f"{self.account_id}"
        )
