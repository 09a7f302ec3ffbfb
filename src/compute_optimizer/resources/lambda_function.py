"""Lambda functions: the recommendation for a shard of them, and the evidence for one."""

from collections.abc import Sequence
from datetime import datetime

from compute_optimizer.catalog.lambda_memory import FunctionTypes
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.model.lambda_function import LambdaFunction, LambdaFunctionRecommendation
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Results
from compute_optimizer.resources.comparison import comparing
from compute_optimizer.resources.functions.analysis import analyze
from compute_optimizer.resources.functions.evidence import explanation_of
from compute_optimizer.resources.functions.records import recommendations_of
from compute_optimizer.resources.functions.use import (
    BILLED_DURATION,
    HIGHEST_MEMORY,
    INVOCATIONS,
    MEAN_DURATION,
    METRICS,
)

__all__ = ["METRICS", "compare", "explain", "recommend"]


def recommend(
    functions: Sequence[LambdaFunction],
    samples: ShardSamples,
    types: FunctionTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Results[LambdaFunctionRecommendation]:
    """Return the recommendation for each function of a shard: none has an error instead.

    The functions are in the row order of the samples, which hold METRICS over the look-back period;
    a series that nobody sent may be absent.
    """
    if not functions:
        return Results((), ())
    analysis = analyze(functions, samples, as_of, types.own_prices)
    found = recommendations_of(functions, analysis, as_of=as_of, preferences=preferences)
    return Results(found, ())


def explain(
    function: LambdaFunction,
    samples: ShardSamples,
    types: FunctionTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the evidence for one function; its samples are a batch of one."""
    analysis = analyze([function], samples, as_of, types.own_prices)
    return explanation_of(function, samples, analysis, as_of=as_of)


compare = comparing(
    explain,
    {
        "Invocations": (INVOCATIONS.metric,),
        "Duration": (MEAN_DURATION.metric, BILLED_DURATION.metric),
        "Memory": (HIGHEST_MEMORY.metric,),
    },
)
