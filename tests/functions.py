"""Functions and their samples made by hand, for tests of the type and of its cases."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs
from numpy.typing import ArrayLike

from compute_optimizer.catalog.lambda_memory import load_function_types
from compute_optimizer.model.lambda_function import (
    LambdaFunction,
    LambdaFunctionRecommendation,
    MemorySizeOption,
    ProjectedDuration,
    qualified,
    short_id,
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
from compute_optimizer.model.resource import LAMBDA_FUNCTION
from compute_optimizer.resources.functions.use import (
    HIGHEST_DURATION,
    HIGHEST_MEMORY,
    INVOCATIONS,
    MEAN_DURATION,
)
from compute_optimizer.resources.lambda_function import recommend
from tests.fleets import ACCOUNT, AS_OF, REGION, shard
from tests.records import NOW


def function_arn(name: str, account: str = ACCOUNT, region: str = REGION) -> str:
    return qualified(f"arn:aws:lambda:{region}:{account}:function:{name}")


def function(name: str, memory_size: int, **others: Any) -> LambdaFunction:
    region = others.pop("region", REGION)
    arn = function_arn(name, region=region)
    return LambdaFunction(
        arn=arn,
        account_id=ACCOUNT,
        region=region,
        resource_type=LAMBDA_FUNCTION,
        resource_id=short_id(name),
        memory_size=memory_size,
        **{"name": name, "instance_type": "x86_64", **others},
    )


def runs(
    invocations: ArrayLike, duration_ms: ArrayLike, memory_mb: ArrayLike
) -> dict[MetricKey, ArrayLike]:
    """Return so many invocations a slot, all as long and with as much memory."""
    return {
        INVOCATIONS: invocations,
        MEAN_DURATION: duration_ms,
        HIGHEST_DURATION: duration_ms,
        HIGHEST_MEMORY: memory_mb,
    }


def analyzed_functions(
    functions: Sequence[LambdaFunction],
    series: Mapping[MetricKey, ArrayLike],
    preferences: Preferences = DEFAULT_PREFERENCES,
) -> Results[LambdaFunctionRecommendation]:
    samples = shard(functions, series)
    types = load_function_types()
    return recommend(functions, samples, types, as_of=AS_OF, preferences=preferences)


def recommended_function(
    one: LambdaFunction, series: Mapping[MetricKey, ArrayLike]
) -> LambdaFunctionRecommendation:
    (found,) = analyzed_functions([one], series).recommendations
    return found


BY_HAND = LambdaFunctionRecommendation(
    resource_arn=function_arn("worker"),
    account_id=ACCOUNT,
    name="worker",
    tags={"team": "data"},
    version="$LATEST",
    architecture="x86_64",
    memory_size=1024,
    invocations=4321,
    finding=Finding.NOT_OPTIMIZED,
    finding_reason_codes=("MemoryOverprovisioned",),
    utilization=(
        UtilizationMetric("Duration", 812.4, "Maximum"),
        UtilizationMetric("Duration", 96.2, "Average"),
        UtilizationMetric("Memory", 301.0, "Maximum"),
    ),
    lookback_days=14.0,
    options=(
        MemorySizeOption(512, 1, ProjectedDuration(96.2, 192.4, 102.8), Savings(40.0, 0.8), 1.2),
    ),
    current_performance_risk=PerformanceRisk.VERY_LOW,
    preferences=DEFAULT_PREFERENCES,
    last_refresh=NOW,
    monthly_usd=2.0,
    price_date=None,
)


def function_recommendation(name: str = "worker", **changes: Any) -> LambdaFunctionRecommendation:
    """Return the recommendation of a function, like BY_HAND but for the changes."""
    changes.setdefault("account_id", ACCOUNT)
    changes.setdefault("resource_arn", function_arn(name, changes["account_id"]))
    return structs.replace(BY_HAND, **{"name": name, **changes})
