"""ECS services on Fargate: the recommendation for a shard of them, and the evidence for one."""

from collections.abc import Sequence
from datetime import datetime

from compute_optimizer.catalog.fargate_sizes import TaskSizes
from compute_optimizer.engine.dimensions import metrics_by_name
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.obstacles import errors_of
from compute_optimizer.model.ecs_service import EcsService, EcsServiceRecommendation
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Results
from compute_optimizer.resources.comparison import comparing
from compute_optimizer.resources.services.analysis import analyze
from compute_optimizer.resources.services.demand import DIMENSIONS, METRICS, TASKS
from compute_optimizer.resources.services.evidence import explanation_of
from compute_optimizer.resources.services.records import recommendations_of

__all__ = ["METRICS", "compare", "explain", "recommend"]


def recommend(
    services: Sequence[EcsService],
    samples: ShardSamples,
    sizes: TaskSizes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Results[EcsServiceRecommendation]:
    """Return the recommendation, or the error instead of one, for each service of a shard.

    The services are in the row order of the samples, which hold METRICS over the look-back period;
    a series that nobody sent may be absent.
    """
    if not services:
        return Results((), ())
    analysis = analyze(services, samples, sizes, as_of, preferences)
    found = recommendations_of(services, analysis, as_of=as_of, preferences=preferences)
    return Results(found, errors_of(services, analysis.obstacles))


def explain(
    service: EcsService,
    samples: ShardSamples,
    sizes: TaskSizes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the evidence for one service; its samples are a batch of one."""
    analysis = analyze([service], samples, sizes, as_of, preferences)
    return explanation_of(service, samples, analysis, sizes, as_of=as_of, preferences=preferences)


compare = comparing(explain, {**metrics_by_name(DIMENSIONS), "Tasks": (TASKS.metric,)})
