"""GetEC2InstanceRecommendations: pages of one account's recommendations in one Region."""

import re
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection

from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, RecommendationError
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.operations import paging
from compute_optimizer.operations.access import target_account
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import EC2_FILTERS, selection
from compute_optimizer.shapes import (
    CpuVendorArchitecture,
    GetEC2InstanceRecommendationsRequest,
    GetEC2InstanceRecommendationsResponse,
    GetRecommendationError,
    InvalidParameterValueException,
)
from compute_optimizer.store.recommendations import (
    MAX_LISTED,
    Scope,
    Selection,
    current_run,
    is_readable,
    read_errors,
    read_page,
    recommended_arns,
)
from compute_optimizer.views.ec2_instance import Presentation, instance_recommendation

OPERATION = "GetEC2InstanceRecommendations"

DEFAULT_PAGE = 1_000
"""Recommendations on a page unless the request says otherwise (spec 8.2, a proposal)."""

DEFAULT_ARCHITECTURES: tuple[CpuVendorArchitecture, ...] = ("CURRENT",)

INSTANCE_ARN = re.compile(
    r"arn:aws[a-z-]*:ec2:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):instance/[^\s/]+"
)

NOT_FOUND = "RECOMMENDATION_NOT_FOUND"

MESSAGES = {
    NOT_FOUND: "No recommendation is available for the specified resource.",
    "INVALID_ARN": "The specified ARN is not valid.",
    "ACCESS_DENIED": "You don't have permission to access the resource.",
    "CROSS_REGION": "The resource isn't in the Region of this request.",
}
"""Texts of errors[] that are found while reading (spec 8.4); an analysis stores its own."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request, understood."""

    scope: Scope
    arns: tuple[str, ...]
    """Those that may have a recommendation in the scope; empty when none were listed."""
    refused: dict[str, str]
    """Listed ARNs that cannot have one, with the code that says why."""
    architectures: tuple[CpuVendorArchitecture, ...]
    selection: Selection
    page: int
    token: str | None
    bound: dict[str, Any]
    """What a page token holds on to."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page starts: inside one run, beyond one ARN."""

    run_id: str
    after: str = ""


def get_ec2_instance_recommendations(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of recommendations, and errors for listed ARNs that have none."""
    account_id = target_account(context, request.get("accountIds"))
    question = _understood(cast(GetEC2InstanceRecommendationsRequest, request), account_id, context)
    with context.state.reading() as connection:
        position = _position(context, connection, question)
        found = _page(connection, question, position)
        missing = _missing(connection, question, position)
    shown = Presentation(context.region, question.architectures, context.enum_style)
    answer: GetEC2InstanceRecommendationsResponse = {
        "instanceRecommendations": [
            instance_recommendation(one, shown) for one in found[: question.page]
        ],
        "errors": missing,
    }
    if position and len(found) > question.page:
        last = f"{position.run_id} {found[question.page - 1].resource_arn}"
        answer["nextToken"] = paging.seal_token(context, OPERATION, question.bound, last)
    return cast(dict[str, Any], answer)


def _understood(
    request: GetEC2InstanceRecommendationsRequest, account_id: str, context: Context
) -> Question:
    scope = Scope(account_id, context.region, EC2_INSTANCE)
    listed = list(dict.fromkeys(request.get("instanceArns", [])))
    if len(listed) > MAX_LISTED:
        raise InvalidParameterValueException(
            f"instanceArns lists {len(listed)} resources; at most {MAX_LISTED} are allowed."
        )
    refused = {arn: code for arn in listed if (code := _refusal(arn, scope))}
    arns = tuple(arn for arn in listed if arn not in refused)
    filters = request.get("filters", [])
    preferences = request.get("recommendationPreferences", {})
    architectures = tuple(preferences.get("cpuVendorArchitectures", ())) or DEFAULT_ARCHITECTURES
    return Question(
        scope=scope,
        arns=arns,
        refused=refused,
        architectures=tuple(dict.fromkeys(architectures)),
        selection=selection(filters, EC2_FILTERS, arns if listed else None),
        page=request.get("maxResults") or DEFAULT_PAGE,
        token=request.get("nextToken"),
        bound={"account": account_id, "arns": listed, "filters": filters, "cpu": architectures},
    )


def _refusal(arn: str, scope: Scope) -> str | None:
    parts = INSTANCE_ARN.fullmatch(arn)
    if parts is None:
        return "INVALID_ARN"
    if parts["account"] != scope.account_id:
        return "ACCESS_DENIED"
    return None if parts["region"] == scope.region else "CROSS_REGION"


def _position(context: Context, connection: Connection, question: Question) -> Position | None:
    """Return where the page starts; None before the first analysis."""
    if question.token is None:
        run_id = current_run(connection, question.scope)
        return Position(run_id) if run_id else None
    sealed = paging.open_token(context, OPERATION, question.bound, question.token)
    run_id, after = sealed.split(" ", 1)
    if not is_readable(connection, run_id, question.scope, context.clock.now()):
        raise InvalidParameterValueException(paging.EXPIRED)
    return Position(run_id, after)


def _page(
    connection: Connection, question: Question, position: Position | None
) -> list[Ec2InstanceRecommendation]:
    """Return the page and, where there is one, the first recommendation of the next."""
    if position is None:
        return []
    return read_page(
        connection,
        position.run_id,
        question.scope,
        Ec2InstanceRecommendation,
        limit=question.page + 1,
        after=position.after,
        selection=question.selection,
    )


def _missing(
    connection: Connection, question: Question, position: Position | None
) -> list[GetRecommendationError]:
    """Return the errors of listed ARNs, on the first page only."""
    if question.token is not None:
        return []
    missing = [_error(arn, code, MESSAGES[code]) for arn, code in question.refused.items()]
    known: set[str] = set()
    errors: list[RecommendationError] = []
    if position and question.arns:
        known = recommended_arns(connection, position.run_id, question.scope, question.arns)
        errors = read_errors(connection, position.run_id, question.scope, question.arns)
    missing += [_error(error.resource_arn, error.code, error.message) for error in errors]
    known.update(error.resource_arn for error in errors)
    unknown = [arn for arn in question.arns if arn not in known]
    return missing + [_error(arn, NOT_FOUND, MESSAGES[NOT_FOUND]) for arn in unknown]


def _error(arn: str, code: str, message: str) -> GetRecommendationError:
    return {"identifier": arn, "code": code, "message": message}
