"""The lists of recommendations: one for each resource type, and one of what is idle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from compute_optimizer.model.decision import Advice
from compute_optimizer.model.export import IDLE
from compute_optimizer.model.recommendation import IdleRecommendation
from compute_optimizer.model.resource import LICENSE
from compute_optimizer.model.summary import Summary
from compute_optimizer.operations import (
    auto_scaling_groups,
    databases,
    ebs_volumes,
    ec2_instances,
    ecs_services,
    lambda_functions,
    licenses,
)
from compute_optimizer.operations.filters import IDLE_FILTERS, FilterRule
from compute_optimizer.operations.listing import Listing
from compute_optimizer.resources import RESOURCE_TYPES, idleness, type_named


@dataclass(frozen=True, slots=True)
class ListKind:
    """One list."""

    slug: str
    """In addresses."""
    title: str
    types: tuple[str, ...]
    """The resource types in it."""
    operation: str
    """Of the API, whose permission is needed."""
    arns: str
    """The member of its request that lists ARNs."""
    answer: str
    """The member of its response."""
    filters: Mapping[str, FilterRule]
    record: Any
    """The class of the stored recommendations."""
    summary: Callable[[Any], Summary]
    idle: bool = False
    findings: frozenset[str] | None = None
    """What is shown where no filter names findings; None for all."""


def _kind(slug: str, title: str, listing: Listing) -> ListKind:
    kind = type_named(listing.resource_type)
    if kind is None:
        raise LookupError(listing.resource_type)
    return ListKind(
        slug=slug,
        title=title,
        types=(kind.name,),
        operation=listing.operation,
        arns=listing.arns,
        answer=listing.answer,
        filters=listing.filters,
        record=listing.recommendation,
        summary=kind.summary,
        findings=listing.findings,
    )


KINDS = (
    _kind("ec2-instances", "EC2 instances", ec2_instances.LISTING),
    _kind("auto-scaling-groups", "Auto Scaling groups", auto_scaling_groups.LISTING),
    _kind("ebs-volumes", "EBS volumes", ebs_volumes.LISTING),
    _kind("lambda-functions", "Lambda functions", lambda_functions.LISTING),
    _kind("ecs-services", "ECS services on Fargate", ecs_services.LISTING),
    _kind("rds-databases", "RDS databases", databases.LISTING),
    _kind("licenses", "Licenses", licenses.LISTING),
    ListKind(
        slug=IDLE.lower(),
        title="Idle resources",
        types=tuple(kind.name for kind in RESOURCE_TYPES),
        operation="GetIdleRecommendations",
        arns="resourceArns",
        answer="idleRecommendations",
        filters=IDLE_FILTERS,
        record=IdleRecommendation,
        summary=idleness.summary_of,
        idle=True,
    ),
)
"""In the order of the menu."""

BY_SLUG = {kind.slug: kind for kind in KINDS}

IDLE_KIND = KINDS[-1]

BY_TYPE: dict[str, ListKind] = {kind.types[0]: kind for kind in KINDS if not kind.idle}
"""Types that are only looked at for idleness have no list of their own."""


def kind_of(advice: Advice) -> ListKind:
    """Return the list in which a piece of advice stands."""
    return IDLE_KIND if advice.idle else BY_TYPE[advice.resource_type]


def address_of(kind: ListKind, arn: str) -> str:
    """Return the page of a resource as a member of a list."""
    is_second = kind.idle or LICENSE in kind.types
    return (
        f"/console/resource?{urlencode({'arn': arn} | ({'list': kind.slug} if is_second else {}))}"
    )


TITLES = {
    **{name: kind.title for name, kind in BY_TYPE.items()},
    "RdsDBInstanceStorage": "RDS storage",
    "AuroraDBClusterStorage": "Aurora cluster storage",
    "NatGateway": "NAT gateways",
    "DynamoDBTable": "DynamoDB tables",
    "ElastiCacheCluster": "ElastiCache clusters",
    "MemoryDBCluster": "MemoryDB clusters",
    "DocumentDBCluster": "DocumentDB clusters",
    "WorkSpaces": "WorkSpaces",
    "SageMakerEndpoint": "SageMaker endpoints",
}
"""What people call the types that summaries tell of."""

_TITLES = {name.casefold(): title for name, title in TITLES.items()}


def title_of(resource_type: str) -> str:
    """Return what people call a type; what idles is spelt otherwise, as EBSVolume."""
    return _TITLES.get(resource_type.casefold(), resource_type)
