"""What an emulator starts with, in a few words: accounts, resources with a load, and the rest.

The records are what a test writes in Python, and what `state_file` reads from YAML: one spelling
for both. `seeding` puts them into an emulator. What is left out has a default that says little.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from compute_optimizer.model.account import AccountId

Percentage = Annotated[float, Meta(ge=0, le=100)]
Days = Annotated[float, Meta(ge=0, le=93)]
"""As many as the longest look-back period has."""

LARGEST = 1_000_000_000
"""Of any amount: far more than a resource has, and few enough for figures of single precision."""

Whole = Annotated[int, Meta(ge=0, le=LARGEST)]
WholeOfSome = Annotated[int, Meta(ge=1, le=LARGEST)]
Amount = Annotated[float, Meta(ge=0, le=LARGEST)]

LONGEST_AGO = 36_500.0
"""Days; a century, before which moments come to an end."""

Load = str | list[tuple[datetime, float]]
"""In words, such as "diurnal, 40 % peak", or as samples: moments and percent."""

Status = Literal["Active", "Inactive", "Pending", "Failed"]
JobStatus = Literal["Queued", "InProgress", "Complete", "Failed"]
Engine = Literal["mysql", "postgres", "aurora-mysql", "aurora-postgresql"]
Edition = Literal["Enterprise", "Standard", "Free", "NoLicenseEditionFound"]

DEFAULT_LOAD = "steady, 40 %"

REGION = "us-east-1"


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    """An account and its enrollment; standalone where no organization lists it."""

    account_id: AccountId
    status: Status = "Active"
    reason: str | None = None
    """The statusReason; of Pending and Failed the service's own where it is left out."""
    last_updated: datetime | None = None
    """When the status was last updated; the present where it is left out."""
    name: str = ""
    suspended: bool = False
    metrics_unreadable: bool = False
    """Whether an opt-in ends as Failed: its service-linked role cannot be made."""


class Organization(Struct, frozen=True, forbid_unknown_fields=True):
    """An organization; accounts of it that are written as an id are Active."""

    management: Account | AccountId
    members: list[Account | AccountId] = []
    organization_id: str | None = None
    delegated_administrator_id: AccountId | None = None
    trusted_access: bool = True
    trusted_access_refused: bool = False
    """Whether an opt-in that includes members ends as Failed."""
    all_features: bool = True
    member_accounts_enrolled: bool | None = None
    """Whether the management account opted in with its members; as trusted access is."""


class Placed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every resource has. An account that nobody stated is Active."""

    account_id: AccountId | None = None
    """The emulator's own where it is left out."""
    region: str = REGION
    tags: dict[str, str] = {}
    count: Annotated[int, Meta(ge=1, le=10_000)] = 1
    """So many alike, numbered from 1: web-1, web-2."""
    days: Days | None = None
    """How long it has sent metrics until now, 0 for never; as long as its rules look back where it
    is left out: 14 days, and of what is only looked at for idleness up to 63."""


class Instance(Placed, frozen=True, forbid_unknown_fields=True):
    """An EC2 instance; its load is that of the CPU."""

    name: str
    instance_type: str = "m5.large"
    load: Load = DEFAULT_LOAD
    memory: Load | None = None
    """Where an agent reports it."""
    instance_id: str | None = None
    """Made from the name where it is left out."""
    platform: Literal["linux", "windows", "rhel", "suse"] = "linux"
    state: Literal["running", "stopped"] = "running"
    auto_scaling_group: str | None = None
    """The name of the group that it belongs to."""
    sql_server: Edition | None = None
    """The edition of SQL Server on it, which makes it a license as well."""
    enterprise_features: Whole | None = None
    """How many features of Enterprise are in use; None where nobody counts them."""


class AutoScalingGroup(Placed, frozen=True, forbid_unknown_fields=True):
    """An Auto Scaling group that sends metrics itself; its load is the CPU of its instances."""

    name: str
    instance_type: str = "m5.large"
    load: Load = DEFAULT_LOAD
    memory: Load | None = None
    desired_capacity: Whole = 2
    min_size: Whole | None = None
    max_size: Whole | None = None
    """As desired where they are left out, as is `min_size`."""
    scaling: Literal["none", "dynamic", "scheduled"] = "none"


class Volume(Placed, frozen=True, forbid_unknown_fields=True):
    """An EBS volume; its load is the share of its baseline IOPS."""

    name: str
    volume_type: str = "gp3"
    size_gib: WholeOfSome = 100
    load: Load = DEFAULT_LOAD
    iops: Whole | None = None
    throughput_mibps: Whole | None = None
    volume_id: str | None = None
    attached: bool = True
    """A volume that is not sends nothing."""
    root: bool = False


class Function(Placed, frozen=True, forbid_unknown_fields=True):
    """A Lambda function; its load is the share of `invocations`, its memory that of the size."""

    name: str
    memory_size: Annotated[int, Meta(ge=128, le=10_240)] = 512
    load: Load = "steady, 100 %"
    memory: Load | None = "steady, 40 %"
    """Where Lambda Insights reports it."""
    invocations: Amount = 100.0
    """In the busiest five minutes."""
    duration_ms: Annotated[float, Meta(gt=0, le=LARGEST)] = 200.0
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    errors: Annotated[float, Meta(ge=0, le=100)] = 0.0
    """Percent of the invocations that fail."""
    throttles: Annotated[float, Meta(ge=0, lt=100)] = 0.0
    """Percent of all calls that are turned away, which are no invocations."""


class Service(Placed, frozen=True, forbid_unknown_fields=True):
    """An ECS service on Fargate; its loads are those of a task."""

    name: str
    cpu_units: WholeOfSome = 1024
    memory_mib: WholeOfSome = 2048
    load: Load = DEFAULT_LOAD
    memory: Load = DEFAULT_LOAD
    cluster: str = "default"
    desired_count: Whole = 2


class Database(Placed, frozen=True, forbid_unknown_fields=True):
    """A DB instance of RDS or Aurora; its load is that of the CPU."""

    name: str
    db_class: str = "db.m5.large"
    load: Load = DEFAULT_LOAD
    memory: Load | None = None
    engine: Engine = "mysql"
    engine_version: str | None = None
    """A supported one of the engine where it is left out."""
    storage_type: Literal["gp2", "gp3", "io1"] = "gp3"
    """Of Aurora the storage is the cluster's, as are the next two and `free_storage`."""
    allocated_gib: Annotated[int, Meta(ge=20, le=LARGEST)] = 100
    iops: Whole | None = None
    connections: Amount = 40.0
    """At the highest load; an idle one has none."""
    operations: Amount = 200.0
    """Reads and writes a second at the highest load."""
    free_storage: Percentage = 50.0
    multi_az: bool = False
    cluster: str | None = None
    """The name of the Aurora cluster that it belongs to."""
    writer: bool = True
    """Of an instance of Aurora: whether it is the one that writes."""


class AuroraCluster(Placed, frozen=True, forbid_unknown_fields=True):
    """The storage of an Aurora cluster; its load is the share of `operations`."""

    name: str
    engine: Literal["aurora-mysql", "aurora-postgresql"] = "aurora-mysql"
    load: Load = DEFAULT_LOAD
    engine_version: str | None = None
    member_classes: tuple[str, ...] = ("db.r6g.large",)
    """Of its instances, which are stated besides if they are to have recommendations."""
    operations: Amount = 500.0
    """Charged reads and writes a second at the highest load."""
    used_gib: Amount = 200.0
    io_optimized: bool = False


class NatGateway(Placed, frozen=True, forbid_unknown_fields=True):
    """A NAT gateway, which is only looked at for idleness."""

    name: str
    used: bool = False
    in_route_table: bool = False


class IdleResource(Placed, frozen=True, forbid_unknown_fields=True):
    """A resource of a newer type, which is only looked at for idleness."""

    resource_type: Literal[
        "DynamoDBTable",
        "ElastiCacheCluster",
        "MemoryDBCluster",
        "DocumentDBCluster",
        "WorkSpaces",
        "SageMakerEndpoint",
    ]
    name: str
    used: bool = False
    monthly_usd: Amount | None = None
    """What it costs; None where nobody says."""


class Files(Struct, frozen=True, forbid_unknown_fields=True):
    """An inventory and metrics in the formats of `compute-optimizer import`."""

    inventory: str | None = None
    metrics: list[str] = []


class Scope(Struct, frozen=True, forbid_unknown_fields=True):
    """For what a preference is stated."""

    name: Literal["Organization", "AccountId", "ResourceArn"]
    value: str


class Preferences(Struct, frozen=True, forbid_unknown_fields=True):
    """Recommendation preferences, put by the real operation."""

    resource_type: str
    stated: dict[str, Any]
    """The other members of PutRecommendationPreferences, such as lookBackPeriod."""
    scope: Scope | None = None
    """The account where it is left out."""
    account_id: AccountId | None = None
    """Who puts them: the management account for the scope Organization, else the emulator's."""
    region: str = REGION


class ExportJob(Struct, frozen=True, forbid_unknown_fields=True):
    """An export job of the last days; one that is Queued is written like any other."""

    resource_type: str = "Ec2Instance"
    status: JobStatus = "Complete"
    failure_reason: str | None = None
    days_ago: Annotated[float, Meta(ge=0, le=LONGEST_AGO)] = 0.0
    """When it was made, before now."""
    bucket: str = "exports"
    prefix: str = ""
    job_id: str | None = None
    """Made from the rest where it is left out."""
    account_id: AccountId | None = None
    region: str = REGION


class FixedRecommendations(Struct, frozen=True, forbid_unknown_fields=True):
    """Recommendations that are answered as they are given, in the spelling of the API.

    Their ARNs say in which account and Region they are.
    """

    operation: str
    recommendations: list[dict[str, Any]]


Fleet = (
    Instance
    | AutoScalingGroup
    | Volume
    | Function
    | Service
    | Database
    | AuroraCluster
    | NatGateway
    | IdleResource
)
"""A resource of any type."""

Record = Account | Organization | Fleet | Files | Preferences | ExportJob | FixedRecommendations
