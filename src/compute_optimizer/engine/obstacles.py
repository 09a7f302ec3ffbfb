"""Why a resource cannot have a recommendation: codes and texts of spec 8.4, a proposal."""

from collections.abc import Iterable
from dataclasses import dataclass

from compute_optimizer.model.recommendation import RecommendationError
from compute_optimizer.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a resource cannot have a recommendation."""

    code: str
    message: str


INSUFFICIENT_METRIC_DATA = Obstacle(
    "INSUFFICIENT_METRIC_DATA",
    "The resource doesn't have enough metric data to generate a recommendation.",
)
UNSUPPORTED_RESOURCE = Obstacle(
    "UNSUPPORTED_RESOURCE", "The resource type or configuration isn't supported."
)
RECOMMENDATION_NOT_FOUND = Obstacle(
    "RECOMMENDATION_NOT_FOUND", "No recommendation is available for the specified resource."
)


def errors_of(
    resources: Iterable[Resource], obstacles: Iterable[Obstacle | None]
) -> tuple[RecommendationError, ...]:
    """Return what is told instead of recommendations: of the resources that have an obstacle."""
    return tuple(
        RecommendationError(one.arn, obstacle.code, obstacle.message)
        for one, obstacle in zip(resources, obstacles, strict=True)
        if obstacle is not None
    )
