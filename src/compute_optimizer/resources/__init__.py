"""The resource types that can be analyzed: one record each, listed by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from compute_optimizer.catalog import InstanceTypes, load_instance_types
from compute_optimizer.catalog.database_classes import (
    load_database_classes,
    with_own_class_prices,
)
from compute_optimizer.catalog.described_types import OwnFigures, with_described
from compute_optimizer.catalog.effective_rates import AccountRates
from compute_optimizer.catalog.fargate_sizes import load_task_sizes
from compute_optimizer.catalog.lambda_memory import load_function_types
from compute_optimizer.catalog.modes import load_modes
from compute_optimizer.catalog.nat_gateways import load_nat_gateway_types
from compute_optimizer.catalog.own_prices import (
    EBS,
    FARGATE,
    LAMBDA,
    OwnPrices,
    with_own_prices,
)
from compute_optimizer.catalog.volume_types import load_volume_types
from compute_optimizer.engine.comparison import Comparison
from compute_optimizer.engine.digests import Part, Steps
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.failures import FailureShare, counts_of
from compute_optimizer.engine.reached import Judge
from compute_optimizer.engine.replay import Replay
from compute_optimizer.model.auto_scaling_group import (
    AutoScalingGroup,
    AutoScalingGroupRecommendation,
)
from compute_optimizer.model.database import Database, DatabaseRecommendation
from compute_optimizer.model.ebs_volume import EbsVolume, EbsVolumeRecommendation
from compute_optimizer.model.ecs_service import EcsService, EcsServiceRecommendation
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.idle_only import IdleOnly
from compute_optimizer.model.lambda_function import LambdaFunction, LambdaFunctionRecommendation
from compute_optimizer.model.license import LicensedInstance, LicenseRecommendation
from compute_optimizer.model.metrics import MetricKey, ShardSamples
from compute_optimizer.model.nat_gateway import NatGateway
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    IdleRecommendation,
    Recommendation,
    Results,
)
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    LICENSE,
    NAT_GATEWAY,
    NEWER_IDLE_TYPES,
    RDS_DB_INSTANCE,
    Resource,
)
from compute_optimizer.model.summary import Summary
from compute_optimizer.model.tally import Part as CountedPart
from compute_optimizer.resources import (
    auto_scaling_group,
    ebs_volume,
    ec2_instance,
    ecs_service,
    idle_only,
    idleness,
    lambda_function,
    license,
    nat_gateway,
    rds_database,
)
from compute_optimizer.resources import discounts as rates
from compute_optimizer.resources.asg import idleness as asg_idleness
from compute_optimizer.resources.asg import reading as asg_reading
from compute_optimizer.resources.ebs import idleness as ebs_idleness
from compute_optimizer.resources.ebs import reached as ebs_reached
from compute_optimizer.resources.ebs import reading as ebs_reading
from compute_optimizer.resources.ebs import replay as ebs_replay
from compute_optimizer.resources.ec2 import idleness as ec2_idleness
from compute_optimizer.resources.ec2 import reached as ec2_reached
from compute_optimizer.resources.ec2 import reading as ec2_reading
from compute_optimizer.resources.ec2.dimensions import PEAK_MODELS
from compute_optimizer.resources.functions import failures as function_failures
from compute_optimizer.resources.functions import reached as function_reached
from compute_optimizer.resources.functions import reading as function_reading
from compute_optimizer.resources.functions import replay as function_replay
from compute_optimizer.resources.idleness import IdleRule
from compute_optimizer.resources.licenses import reading as license_reading
from compute_optimizer.resources.rds import idleness as rds_idleness
from compute_optimizer.resources.rds import reached as rds_reached
from compute_optimizer.resources.rds import reading as rds_reading
from compute_optimizer.resources.rds import replay as rds_replay
from compute_optimizer.resources.services import idleness as service_idleness
from compute_optimizer.resources.services import reached as service_reached
from compute_optimizer.resources.services import reading as service_reading
from compute_optimizer.resources.services import replay as service_replay


class Catalog(Protocol):
    """What is known of the types of which a resource is one, such as instance types."""

    @property
    def index(self) -> Mapping[str, int]:
        """Return the place of each type by its name."""


@dataclass(frozen=True, slots=True)
class KeptWith:
    """Of a type whose resources are a part of another's: where inventory and tiles keep them."""

    name: str
    """The other type: one row, one shard and one set of samples serve both."""
    mark: str
    """What the stored resources of the other type contain that are of this one, too."""


@dataclass(frozen=True, slots=True)
class FromDigests:
    """How resources are analyzed from days in short (engine/digests)."""

    parts: tuple[Part, ...]
    """What is kept of each day."""
    recommended: Callable[..., Steps[Results[Any]]]
    """As `recommend`, in steps that ask for the whole rows that they need."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """The facts and functions of one resource type.

    The functions take and return its own records, so they are typed loosely here; `recommend`,
    `explain` and `compare` take what `catalog` returns.
    """

    name: str
    """The service's own name (enum ResourceType)."""
    plural: str
    """What people call several of them, such as instances."""
    resource: type[Resource]
    """The class of its resources in the inventory."""
    metrics: tuple[MetricKey, ...]
    """The series that an analysis wants from the tiles."""
    catalog: Callable[[], Catalog]
    recommend: Callable[..., Results[Recommendation]]
    recommendation: type[Recommendation]
    """The class of its recommendations."""
    facets: Callable[[Any], Facets]
    """Return what filters look at in a recommendation."""
    counted_savings: Callable[[Any], float]
    """Return the monthly savings of a recommendation that totals count."""
    summary: Callable[[Any], Summary]
    """Return a recommendation in one line."""
    explain: Callable[..., Explanation] | None = None
    """None where its recommendations cannot be explained yet, and so for `compare`."""
    outline: Callable[..., Explanation] | None = None
    """The same without what would change the answer; None where nobody searches for that."""
    beside: Callable[..., Sequence[Resource]] | None = None
    """From a resource and all of its shard to the others that decide with it; `explain` and
    `recommend` take them after it. None where each is judged by itself."""
    compare: Callable[..., Comparison] | None = None
    predicts: bool = False
    """Whether its functions take a risk model and the preferences' profile means something."""
    replay: Replay | None = None
    """How its advice is held against what came after; None where nobody replays it so."""
    judge: Judge | None = None
    """Whether resources that were made smaller came up against their capacity; None where a change
    leaves every capacity as it was."""
    failures: tuple[FailureShare, ...] = ()
    """What of its calls may fail more often after a change: further dimensions of `judge`."""
    peak_models: Mapping[str, str] = field(default_factory=dict)
    """By dimension the model that tells its coming peak: those of which risk is predicted. Empty
    where none is."""
    idle: tuple[IdleRule, ...] = ()
    """When its resources are idle: each resource by at most one of the rules."""
    priced: Callable[[Any, OwnPrices], Catalog] | None = None
    """Return its catalog with own prices before the shipped ones; None where it takes none in."""
    discounted: Callable[[Any, Any, AccountRates], Results[Any]] | None = None
    """From results, resources and rates to the results with savings after discounts; None where
    both savings are those at list prices."""
    from_members: Callable[..., ShardSamples] | None = None
    """Return the samples to analyze from those of the resources and of the instances that belong to
    them; None where a resource has no instances."""
    parts: Callable[[Any], tuple[CountedPart, ...]] | None = None
    """Return the parts of a recommendation that summaries count as types of their own; the one with
    the name of this type counts its idleness. None where there is one entry of all."""
    kept_with: KeptWith | None = None
    """None for a type that has rows of its own."""
    from_digests: FromDigests | None = None
    """None where an analysis reads all samples."""

    @property
    def series(self) -> tuple[MetricKey, ...]:
        """Return every series that is read of it: what is analyzed, then what tells of failures."""
        others = counts_of(self.failures) - set(self.metrics)
        return (*self.metrics, *sorted(others))

    def catalog_with(self, own: OwnFigures) -> Catalog:
        """Return the catalog with what counts before and beside what the package ships.

        Own prices, and described instance types, where there are any and the type takes them in.
        """
        catalog = self.catalog()
        if isinstance(catalog, InstanceTypes) and own.types:
            catalog = with_described(catalog, own.types, own.prices)
        if self.priced is None or not own.prices.markets:
            return catalog
        return self.priced(catalog, own.prices)


RESOURCE_TYPES = (
    ResourceType(
        name=EC2_INSTANCE,
        plural="instances",
        resource=Resource,
        metrics=ec2_instance.METRICS,
        catalog=load_instance_types,
        recommend=ec2_instance.recommend,
        recommendation=Ec2InstanceRecommendation,
        facets=ec2_reading.facets_of,
        counted_savings=ec2_reading.counted_savings,
        summary=ec2_reading.summary_of,
        explain=ec2_instance.explain,
        outline=ec2_instance.outline,
        compare=ec2_instance.compare,
        predicts=True,
        judge=ec2_reached.judge,
        peak_models=PEAK_MODELS,
        idle=ec2_idleness.RULES,
        priced=with_own_prices,
        discounted=rates.by_type(rates.MACHINES),
        from_digests=FromDigests(ec2_instance.DIGESTED, ec2_instance.recommended),
    ),
    ResourceType(
        name=EBS_VOLUME,
        plural="volumes",
        resource=EbsVolume,
        metrics=ebs_volume.METRICS,
        catalog=load_volume_types,
        recommend=ebs_volume.recommend,
        recommendation=EbsVolumeRecommendation,
        facets=ebs_reading.facets_of,
        counted_savings=ebs_reading.counted_savings,
        summary=ebs_reading.summary_of,
        replay=ebs_replay.REPLAY,
        judge=ebs_reached.JUDGE,
        explain=ebs_volume.explain,
        compare=ebs_volume.compare,
        idle=ebs_idleness.RULES,
        priced=with_own_prices,
        discounted=rates.by_factor(EBS),
    ),
    # Only looked at for idleness: what is said of one is an idle recommendation or nothing.
    ResourceType(
        name=NAT_GATEWAY,
        plural="NAT gateways",
        resource=NatGateway,
        metrics=nat_gateway.METRICS,
        catalog=load_nat_gateway_types,
        recommend=idleness.nothing_sized,
        recommendation=IdleRecommendation,
        facets=idleness.facets_of,
        counted_savings=idleness.counted_savings,
        summary=idleness.summary_of,
        explain=nat_gateway.explain,
        priced=with_own_prices,
        idle=nat_gateway.IDLE,
    ),
    ResourceType(
        name=AUTO_SCALING_GROUP,
        plural="groups",
        resource=AutoScalingGroup,
        metrics=auto_scaling_group.METRICS,
        catalog=load_instance_types,
        recommend=auto_scaling_group.recommend,
        recommendation=AutoScalingGroupRecommendation,
        facets=asg_reading.facets_of,
        counted_savings=asg_reading.counted_savings,
        summary=asg_reading.summary_of,
        explain=auto_scaling_group.explain,
        priced=with_own_prices,
        idle=asg_idleness.RULES,
        from_members=asg_idleness.with_busiest,
        judge=ec2_reached.judge,
        peak_models=PEAK_MODELS,
        compare=auto_scaling_group.compare,
        discounted=rates.by_type(rates.MACHINES),
    ),
    ResourceType(
        name=LAMBDA_FUNCTION,
        plural="functions",
        resource=LambdaFunction,
        metrics=lambda_function.METRICS,
        catalog=load_function_types,
        recommend=lambda_function.recommend,
        recommendation=LambdaFunctionRecommendation,
        facets=function_reading.facets_of,
        counted_savings=function_reading.counted_savings,
        summary=function_reading.summary_of,
        replay=function_replay.REPLAY,
        judge=function_reached.JUDGE,
        failures=function_failures.FAILURES,
        explain=lambda_function.explain,
        compare=lambda_function.compare,
        priced=with_own_prices,
        discounted=rates.by_factor(LAMBDA),
    ),
    ResourceType(
        name=ECS_SERVICE,
        plural="services",
        resource=EcsService,
        metrics=ecs_service.METRICS,
        catalog=load_task_sizes,
        recommend=ecs_service.recommend,
        recommendation=EcsServiceRecommendation,
        facets=service_reading.facets_of,
        counted_savings=service_reading.counted_savings,
        summary=service_reading.summary_of,
        idle=service_idleness.RULES,
        replay=service_replay.REPLAY,
        judge=service_reached.JUDGE,
        explain=ecs_service.explain,
        compare=ecs_service.compare,
        priced=with_own_prices,
        discounted=rates.by_factor(FARGATE),
    ),
    ResourceType(
        name=RDS_DB_INSTANCE,
        plural="databases",
        resource=Database,
        metrics=rds_database.METRICS,
        catalog=load_database_classes,
        recommend=rds_database.recommend,
        recommendation=DatabaseRecommendation,
        facets=rds_reading.facets_of,
        counted_savings=rds_reading.counted_savings,
        summary=rds_reading.summary_of,
        parts=rds_reading.parts_of,
        priced=with_own_class_prices,
        idle=rds_idleness.RULES,
        replay=rds_replay.REPLAY,
        judge=rds_reached.JUDGE,
        explain=rds_database.explain,
        compare=rds_database.compare,
        beside=rds_database.explained_beside,
        discounted=rates.by_type(rates.DATABASES),
    ),
    *(
        ResourceType(
            name=name,
            plural=idle_only.PLURALS[name],
            resource=IdleOnly,
            metrics=idle_only.metrics_of(name),
            catalog=partial(load_modes, name),
            recommend=idleness.nothing_sized,
            recommendation=IdleRecommendation,
            facets=idleness.facets_of,
            counted_savings=idleness.counted_savings,
            summary=idleness.summary_of,
            explain=idle_only.explain,
            idle=idle_only.rules_of(name),
        )
        for name in NEWER_IDLE_TYPES
    ),
    ResourceType(
        name=LICENSE,
        plural="licenses",
        resource=LicensedInstance,
        metrics=license.METRICS,
        catalog=load_instance_types,
        recommend=license.recommend,
        recommendation=LicenseRecommendation,
        facets=license_reading.facets_of,
        counted_savings=license_reading.counted_savings,
        summary=license_reading.summary_of,
        explain=license.explain,
        priced=with_own_prices,
        kept_with=KeptWith(EC2_INSTANCE, license.MARK),
    ),
)

_BY_NAME = {kind.name: kind for kind in RESOURCE_TYPES}
_BY_RECOMMENDATION = {kind.recommendation: kind for kind in RESOURCE_TYPES}
_BY_IDLE_TYPE = {rule.idle_type: kind for kind in RESOURCE_TYPES for rule in kind.idle}


def type_named(name: str) -> ResourceType | None:
    """Return the record of the type with the service's name; None for one that is not analyzed."""
    return _BY_NAME.get(name)


def plural_of(name: str) -> str:
    """Return what people call several resources of the type with the service's name."""
    return _BY_NAME[name].plural


def type_of(recommendation: Recommendation) -> ResourceType:
    """Return the record of the type that a recommendation is for."""
    if isinstance(recommendation, IdleRecommendation):
        return _BY_IDLE_TYPE[recommendation.idle_type]
    return _BY_RECOMMENDATION[type(recommendation)]
