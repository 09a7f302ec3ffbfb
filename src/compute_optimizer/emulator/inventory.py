"""From what a test says of its resources to the rows of the inventory.

Ids are made from names, so that the same words mean the same resource in every run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from compute_optimizer.emulator import state
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model import auto_scaling_group as groups
from compute_optimizer.model.database import (
    AURORA_IO_OPTIMIZED,
    AURORA_PREFIX,
    AURORA_STANDARD,
    Database,
)
from compute_optimizer.model.ebs_volume import IN_USE, EbsVolume
from compute_optimizer.model.ecs_service import FARGATE, STEADY_STATE, Container, EcsService
from compute_optimizer.model.lambda_function import LambdaFunction, qualified
from compute_optimizer.model.license import LICENSE_INCLUDED, LicensedInstance, SqlServer
from compute_optimizer.model.nat_gateway import AVAILABLE, NatGateway
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
from compute_optimizer.resources import type_named
from compute_optimizer.scenario.databases import MAKES as DATABASES
from compute_optimizer.scenario.idle_resources import MAKES

AGE = timedelta(days=365)
"""How old volumes are: longer than any look-back period."""

ENGINE_VERSIONS: Mapping[str, str] = {one.engine: one.engine_version for one in DATABASES.values()}
"""Of each engine one that the demo has, too."""

MAKE_OF = {one.resource_type: one for one in reversed(MAKES)}
"""How the demo's resources of each type are made; of several kinds the first."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a resource is, and when it is looked at."""

    account_id: str
    region: str
    now: datetime

    def arn(self, service: str, rest: str) -> str:
        """Return the ARN of a resource of a service."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{rest}"

    def digits(self, kind: str, name: str, length: int) -> str:
        """Return hexadecimal digits for an id, the same for the same resource."""
        whole = f"{self.account_id} {self.region} {kind} {name}"
        return sha256(whole.encode()).hexdigest()[:length]

    def shared(self, arn: str, resource_type: str, resource_id: str, name: str) -> dict[str, Any]:
        """Return the members that every resource has."""
        return {
            "arn": arn,
            "account_id": self.account_id,
            "region": self.region,
            "resource_type": resource_type,
            "resource_id": resource_id,
            "name": name,
        }


def resources_of(record: state.Fleet, default_account_id: str, now: datetime) -> list[Resource]:
    """Return the resources that a record stands for.

    Raises InvalidInput for a type that the catalog does not know, and for several with one id.
    """
    location = Location(record.account_id or default_account_id, record.region, now)
    make = _MAKERS[type(record)]
    if record.count == 1:
        return [_known(make(location, record))]
    if getattr(record, "instance_id", None) or getattr(record, "volume_id", None):
        raise InvalidInput(f"{record.name!r}: {record.count} of them cannot have one id")
    names = (f"{record.name}-{number}" for number in range(1, record.count + 1))
    return [_known(make(location, replace(record, name=name))) for name in names]


def group_arn(location: Location, name: str) -> str:
    """Return the ARN of an Auto Scaling group by its name."""
    digits = location.digits(AUTO_SCALING_GROUP, name, 32)
    unique = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return location.arn("autoscaling", f"autoScalingGroup:{unique}:autoScalingGroupName/{name}")


def _known(resource: Resource) -> Resource:
    """Return the resource; raise InvalidInput where the catalog does not know its type."""
    kind = type_named(resource.resource_type)
    assert kind is not None, f"no record of the type {resource.resource_type}"
    index = kind.catalog().index
    if resource.instance_type not in index:
        family = resource.instance_type.rpartition(".")[0]
        alike = [one for one in index if family and one.startswith(f"{family}.")] or list(index)
        raise InvalidInput(
            f"{resource.name!r}: the catalog knows no type {resource.instance_type!r} for "
            f"{resource.resource_type}; expected one such as {', '.join(sorted(alike)[:3])}"
        )
    return resource


def _instance(location: Location, one: state.Instance) -> Resource:
    resource_id = one.instance_id or f"i-0{location.digits(EC2_INSTANCE, one.name, 16)}"
    arn = location.arn("ec2", f"instance/{resource_id}")
    group = one.auto_scaling_group
    members = {
        **location.shared(arn, EC2_INSTANCE, resource_id, one.name),
        "instance_type": one.instance_type,
        "state": one.state,
        "platform": one.platform,
        "tags": one.tags,
        "auto_scaling_group_arn": group_arn(location, group) if group else None,
    }
    if one.sql_server is None:
        return Resource(**members)
    counted = one.enterprise_features is not None
    component = location.arn("applicationinsights", f"application/resource-group/{one.name}")
    server = SqlServer(
        one.sql_server, LICENSE_INCLUDED, "2019", metrics_source_arn=component if counted else None
    )
    return LicensedInstance(**members, sql_server=server)


def _group(location: Location, one: state.AutoScalingGroup) -> Resource:
    desired = one.desired_capacity
    return groups.AutoScalingGroup(
        **location.shared(group_arn(location, one.name), AUTO_SCALING_GROUP, one.name, one.name),
        instance_type=one.instance_type,
        tags=one.tags,
        min_size=desired if one.min_size is None else one.min_size,
        max_size=desired if one.max_size is None else one.max_size,
        desired_capacity=desired,
        scaling=one.scaling,
    )


def _volume(location: Location, one: state.Volume) -> Resource:
    resource_id = one.volume_id or f"vol-0{location.digits(EBS_VOLUME, one.name, 16)}"
    return EbsVolume(
        **location.shared(
            location.arn("ec2", f"volume/{resource_id}"), EBS_VOLUME, resource_id, one.name
        ),
        instance_type=one.volume_type,
        state=IN_USE if one.attached else "available",
        tags=one.tags,
        size_gib=one.size_gib,
        iops=one.iops,
        throughput_mibps=one.throughput_mibps,
        root=one.root,
        created_at=location.now - AGE,
    )


def _function(location: Location, one: state.Function) -> Resource:
    return LambdaFunction(
        **location.shared(
            qualified(location.arn("lambda", f"function:{one.name}")),
            LAMBDA_FUNCTION,
            one.name,
            one.name,
        ),
        instance_type=one.architecture,
        tags=one.tags,
        memory_size=one.memory_size,
    )


def _service(location: Location, one: state.Service) -> Resource:
    resource_id = f"{one.cluster}/{one.name}"
    return EcsService(
        **location.shared(
            location.arn("ecs", f"service/{resource_id}"), ECS_SERVICE, resource_id, one.name
        ),
        instance_type=FARGATE,
        state=STEADY_STATE,
        tags=one.tags,
        cpu_units=one.cpu_units,
        task_memory=one.memory_mib,
        desired_count=one.desired_count,
        containers=(Container("app", one.cpu_units, one.memory_mib),),
    )


def _database(location: Location, one: state.Database) -> Resource:
    aurora = one.engine.startswith(AURORA_PREFIX)
    if aurora != (one.cluster is not None):
        raise InvalidInput(
            f"{one.name!r}: the engine is {one.engine} and the cluster {one.cluster}; expected a "
            "cluster with Aurora, and without it none"
        )
    storage: dict[str, Any] = {
        "storage_type": one.storage_type,
        "allocated_gib": one.allocated_gib,
        "iops": one.iops,
    }
    return Database(
        **location.shared(
            location.arn("rds", f"db:{one.name}"), RDS_DB_INSTANCE, one.name, one.name
        ),
        instance_type=one.db_class,
        state="available",
        tags=one.tags,
        engine=one.engine,
        engine_version=one.engine_version or ENGINE_VERSIONS[one.engine],
        multi_az=one.multi_az,
        cluster=one.cluster or "",
        promotion_tier=(0 if one.writer else 1) if aurora else None,
        writer=aurora and one.writer,
        performance_insights=True,  # Without them no smaller class would ever be recommended.
        **({} if aurora else storage),
    )


def _cluster(location: Location, one: state.AuroraCluster) -> Resource:
    return Database(
        **location.shared(
            location.arn("rds", f"cluster:{one.name}"), RDS_DB_INSTANCE, one.name, one.name
        ),
        instance_type=AURORA_IO_OPTIMIZED if one.io_optimized else AURORA_STANDARD,
        state="available",
        tags=one.tags,
        engine=one.engine,
        engine_version=one.engine_version or ENGINE_VERSIONS[one.engine],
        member_classes=one.member_classes,
    )


def _gateway(location: Location, one: state.NatGateway) -> Resource:
    resource_id = f"nat-0{location.digits(NAT_GATEWAY, one.name, 16)}"
    return NatGateway(
        **location.shared(
            location.arn("ec2", f"natgateway/{resource_id}"), NAT_GATEWAY, resource_id, one.name
        ),
        instance_type="public",
        state=AVAILABLE,
        tags=one.tags,
        in_route_table=one.in_route_table,
    )


def _idle(location: Location, one: state.IdleResource) -> Resource:
    make = MAKE_OF[one.resource_type]
    arn = "arn:aws:" + make.arn.format(location.region, location.account_id, one.name)
    of_type: Callable[..., Resource] = make.resource
    return of_type(
        **location.shared(arn, one.resource_type, one.name, one.name),
        instance_type=make.instance_type,
        tags=one.tags,
        **{**make.others, "monthly_usd": one.monthly_usd},
    )


_MAKERS: Mapping[type, Callable[[Location, Any], Resource]] = {
    state.Instance: _instance,
    state.AutoScalingGroup: _group,
    state.Volume: _volume,
    state.Function: _function,
    state.Service: _service,
    state.Database: _database,
    state.AuroraCluster: _cluster,
    state.NatGateway: _gateway,
    state.IdleResource: _idle,
}
"""How a resource is made, by the record that stands for it."""
