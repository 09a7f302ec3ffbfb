"""Why a resource cannot have a recommendation: codes and texts of spec 8.4, a proposal."""

from dataclasses import dataclass


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
