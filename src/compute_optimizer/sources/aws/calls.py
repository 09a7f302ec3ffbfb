"""Every call to AWS, declared: what is asked for, and so which IAM actions a role needs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Record = Mapping[str, Any]
"""A part of an answer, as boto3 returns it."""

NO_PARAMETERS: Record = MappingProxyType({})

SERVICES_AT_ONCE = 10
"""Most services in one DescribeServices (Amazon ECS API Reference)."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One operation that reads, with all pages of its answer."""

    service: str
    """As boto3 names it."""
    operation: str
    """As the API names it, such as DescribeInstances."""
    result: str
    """The member of the answer that is kept."""
    parameters: Record = field(default_factory=lambda: NO_PARAMETERS)
    over: "Call | None" = None
    """The call from whose records the parameters of this one are made."""
    ask: Callable[[Sequence[Any]], Iterable[Record]] | None = None
    """(records of `over`) -> the parameters of each request."""
    prefix: str = ""
    """Of the IAM action, where it is not the name of the service."""
    kept_with: str = ""
    """A parameter that each record is kept with, as a pair, where the answer does not repeat it."""

    @property
    def action(self) -> str:
        """Return the IAM action that the call needs, such as ec2:DescribeInstances."""
        return f"{self.prefix or self.service}:{self.operation}"


def _by_cluster(services: Sequence[tuple[str, str]]) -> Iterable[Record]:
    """Group pairs of cluster and service into requests: older ARNs of services name no cluster."""
    clusters: defaultdict[str, list[str]] = defaultdict(list)
    for cluster, arn in services:
        clusters[cluster].append(arn)
    for cluster, arns in clusters.items():
        for start in range(0, len(arns), SERVICES_AT_ONCE):
            some = arns[start : start + SERVICES_AT_ONCE]
            yield {"cluster": cluster, "services": some, "include": ["TAGS"]}


def _task_definitions(services: Sequence[Record]) -> Iterable[Record]:
    return [{"taskDefinition": arn} for arn in sorted({one["taskDefinition"] for one in services})]


CALLER_IDENTITY = Call("sts", "GetCallerIdentity", "Account")
ASSUME_ROLE = Call("sts", "AssumeRole", "Credentials")
LIST_ACCOUNTS = Call("organizations", "ListAccounts", "Accounts")
ORGANIZATION = Call("organizations", "DescribeOrganization", "Organization")
REGIONS = Call("ec2", "DescribeRegions", "Regions")

INSTANCES = Call("ec2", "DescribeInstances", "Reservations")
INSTANCE_TYPES = Call("ec2", "DescribeInstanceTypes", "InstanceTypes")
"""Of types that the catalog lacks; asked by a filter, since a name that is none ends a request."""

VOLUMES = Call("ec2", "DescribeVolumes", "Volumes")
NAT_GATEWAYS = Call("ec2", "DescribeNatGateways", "NatGateways")
ROUTE_TABLES = Call("ec2", "DescribeRouteTables", "RouteTables")
GROUPS = Call("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups")
GROUP_POLICIES = Call("autoscaling", "DescribePolicies", "ScalingPolicies")
GROUP_SCHEDULES = Call("autoscaling", "DescribeScheduledActions", "ScheduledUpdateGroupActions")
LAUNCH_CONFIGURATIONS = Call("autoscaling", "DescribeLaunchConfigurations", "LaunchConfigurations")
LAUNCH_TEMPLATES = Call(
    "ec2",
    "DescribeLaunchTemplateVersions",
    "LaunchTemplateVersions",
    {"Versions": ["$Latest", "$Default"]},
)
FUNCTIONS = Call("lambda", "ListFunctions", "Functions", {"FunctionVersion": "ALL"})
FUNCTION_TAGS = Call(
    "resourcegroupstaggingapi",
    "GetResources",
    "ResourceTagMappingList",
    {"ResourceTypeFilters": ["lambda:function"]},
    prefix="tag",
)
CLUSTERS = Call("ecs", "ListClusters", "clusterArns")
SERVICE_ARNS = Call(
    "ecs",
    "ListServices",
    "serviceArns",
    over=CLUSTERS,
    ask=lambda clusters: [{"cluster": arn} for arn in clusters],
    kept_with="cluster",
)
SERVICES = Call("ecs", "DescribeServices", "services", over=SERVICE_ARNS, ask=_by_cluster)
TASK_DEFINITIONS = Call(
    "ecs", "DescribeTaskDefinition", "taskDefinition", over=SERVICES, ask=_task_definitions
)
SERVICE_POLICIES = Call(
    "application-autoscaling",
    "DescribeScalingPolicies",
    "ScalingPolicies",
    {"ServiceNamespace": "ecs"},
)
DB_INSTANCES = Call("rds", "DescribeDBInstances", "DBInstances")
DB_CLUSTERS = Call("rds", "DescribeDBClusters", "DBClusters")

LIST_METRICS = Call("cloudwatch", "ListMetrics", "Metrics")
INVOKED = Call(
    "cloudwatch",
    "ListMetrics",
    "Metrics",
    {"Namespace": "AWS/Lambda", "MetricName": "Invocations"},
)
COUNTERS_KNOWN = Call("pi", "ListAvailableResourceMetrics", "Metrics", {"MetricTypes": ["os"]})
COUNTERS = Call("pi", "GetResourceMetrics", "MetricList")
METRIC_DATA = Call("cloudwatch", "GetMetricData", "MetricDataResults")
