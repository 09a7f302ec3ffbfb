"""Answers in which some resources have an error in the place of a recommendation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from compute_optimizer.operations.listing import MESSAGES
from compute_optimizer.shapes.model import service_model

CODES = {
    **MESSAGES,
    "INSUFFICIENT_METRIC_DATA": (
        "The resource doesn't have enough metric data to generate a recommendation."
    ),
    "UNSUPPORTED_RESOURCE": "The resource type or configuration isn't supported.",
}
"""Texts by code, of what is found while reading and what an analysis finds (spec 8.4)."""

ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class RecommendationError:
    """One entry of errors[]."""

    identifier: str
    """The ARN of a resource, or the id of an account of which nothing is told."""
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Members:
    """How an operation calls its parts."""

    arns: str
    """In the request, such as instanceArns."""
    arn: str
    """In a recommendation, such as instanceArn."""
    recommendations: str
    """In the answer, such as instanceRecommendations."""


def can_be_partial(operation: str) -> bool:
    """Return whether the answer of an operation has errors[]."""
    return _members(operation) is not None


def with_errors(
    operation: str,
    account_id: str,
    request: Mapping[str, Any],
    answer: Mapping[str, Any],
    errors: Sequence[RecommendationError],
) -> dict[str, Any]:
    """Return the answer with errors in the place of the recommendations that they name.

    Of an operation that can be partial, asked about `account_id`. As in the service, errors stand
    on the first page; they concern what the request asks for.
    """
    members = _members(operation)
    assert members is not None, f"{operation} has no errors[]"
    asked = request.get(members.arns)
    concerned = [one for one in errors if one.identifier == account_id or _asks(asked, one)]
    gone = {one.identifier for one in concerned}
    kept = [
        one
        for one in answer.get(members.recommendations, [])
        if account_id not in gone and one.get(members.arn) not in gone
    ]
    told = [one for one in answer.get(ERRORS, []) if one["identifier"] not in gone]
    if request.get("nextToken") is None:
        told += [_entry(one) for one in concerned]
    return {**answer, members.recommendations: kept, ERRORS: told}


def _asks(asked: Sequence[str] | None, error: RecommendationError) -> bool:
    """Whether an error concerns a request that lists ARNs, or none."""
    return error.identifier.startswith("arn:") and (not asked or error.identifier in asked)


def _entry(error: RecommendationError) -> dict[str, str]:
    return {"identifier": error.identifier, "code": error.code, "message": error.message}


@cache
def _members(operation: str) -> Members | None:
    """Return how an operation calls its parts; None where its answer has no errors[]."""
    model = service_model().operation_model(operation)
    if model.output_shape is None or ERRORS not in model.output_shape.members:
        return None
    (arns,) = (name for name in model.input_shape.members if name.endswith("Arns"))
    (listed,) = (name for name in model.output_shape.members if name.endswith("Recommendations"))
    return Members(arns, arns.removesuffix("s"), listed)
