"""Services and their samples made by hand, for tests of the type and of its cases."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs
from numpy.typing import ArrayLike

from compute_optimizer.catalog.fargate_sizes import load_task_sizes
from compute_optimizer.model.ecs_service import (
    FARGATE,
    STEADY_STATE,
    Container,
    EcsService,
    EcsServiceRecommendation,
    ProjectedUse,
    TaskSizeOption,
)
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES, Preferences
from compute_optimizer.model.recommendation import (
    Finding,
    PerformanceRisk,
    Results,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import ECS_SERVICE
from compute_optimizer.resources.ecs_service import recommend
from tests.fleets import ACCOUNT, AS_OF, CPU, MEMORY, REGION, shard
from tests.records import NOW


def service_arn(name: str, account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:ecs:{region}:{account}:service/prod/{name}"


def service(name: str, cpu_units: int, memory: int, **others: Any) -> EcsService:
    region = others.pop("region", REGION)
    defaults = {"name": name, "instance_type": FARGATE, "state": STEADY_STATE}
    return EcsService(
        arn=service_arn(name, region=region),
        account_id=ACCOUNT,
        region=region,
        resource_type=ECS_SERVICE,
        resource_id=f"prod/{name}",
        cpu_units=cpu_units,
        task_memory=memory,
        **defaults | others,
    )


def busy(cpu: ArrayLike, memory: ArrayLike) -> dict[MetricKey, ArrayLike]:
    """Return maxima of CPU and memory in percent of the task."""
    return {CPU: cpu, MEMORY: memory}


def analyzed_services(
    services: Sequence[EcsService],
    series: Mapping[MetricKey, ArrayLike],
    preferences: Preferences = DEFAULT_PREFERENCES,
) -> Results[EcsServiceRecommendation]:
    samples = shard(services, series)
    sizes = load_task_sizes()
    return recommend(services, samples, sizes, as_of=AS_OF, preferences=preferences)


def recommended_service(
    one: EcsService, series: Mapping[MetricKey, ArrayLike]
) -> EcsServiceRecommendation:
    (found,) = analyzed_services([one], series).recommendations
    return found


BY_HAND = EcsServiceRecommendation(
    resource_arn=service_arn("api"),
    account_id=ACCOUNT,
    name="api",
    tags={"team": "data"},
    cpu_units=1024,
    memory=3072,
    auto_scaling="TargetTrackingScalingCpu",
    task_definition_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/api:7",
    containers=(Container("api", 1024, 3072, 2048),),
    launch_type=FARGATE,
    finding=Finding.OVER_PROVISIONED,
    finding_reason_codes=("CPUOverprovisioned", "MemoryOverprovisioned"),
    utilization=(UtilizationMetric("Cpu", 9.0), UtilizationMetric("Memory", 11.0)),
    lookback_days=14.0,
    options=(
        TaskSizeOption(
            256,
            512,
            Savings(77.1, 30.275),
            9.0,
            (ProjectedUse("Cpu", 32.4, 39.6), ProjectedUse("Memory", 59.4, 72.6)),
            (Container("api", 256, 512, 341),),
        ),
    ),
    current_performance_risk=PerformanceRisk.VERY_LOW,
    preferences=DEFAULT_PREFERENCES,
    idle=False,
    last_refresh=NOW,
    monthly_usd=39.275,
    price_date=None,
)


def service_recommendation(name: str = "api", **changes: Any) -> EcsServiceRecommendation:
    """Return the recommendation of a service, like BY_HAND but for the changes."""
    changes.setdefault("account_id", ACCOUNT)
    changes.setdefault("resource_arn", service_arn(name, changes["account_id"]))
    return structs.replace(BY_HAND, **{"name": name, **changes})
