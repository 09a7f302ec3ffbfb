"""GetIdleRecommendations: what costs and does nothing, of every resource type at once."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.model.recommendation import IdleRecommendation
from compute_optimizer.model.resource import hidden_types
from compute_optimizer.operations import paging
from compute_optimizer.operations.access import target_account
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import IDLE_FILTERS, selection
from compute_optimizer.operations.listing import MESSAGES, NOT_FOUND, checked_arns
from compute_optimizer.resources.idleness import counted_after_discounts, counted_savings
from compute_optimizer.shapes import (
    IdleRecommendationError,
    IdleRecommendationResourceType,
    InvalidParameterValueException,
)
from compute_optimizer.store.analysis_runs import Scope, is_readable
from compute_optimizer.store.idle_recommendations import (
    After,
    IdleScope,
    Order,
    current_runs,
    errors_of,
    known_names,
    read_idle_page,
)
from compute_optimizer.store.recommendations import Selection
from compute_optimizer.views.idle import idle_recommendation

OPERATION = "GetIdleRecommendations"

MAX_PAGE = 100
"""Recommendations on a page, also where the request does not say (spec 8.2)."""

ARN = re.compile(
    r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):"
    r"(?P<kind>[A-Za-z]+)[:/]\S+"
)

RESOURCE_ID = re.compile(r"[!-9;-~]{1,256}", re.ASCII)
"""Ids are taken in place of ARNs: names of groups are anything printable but a colon."""

ARN_KINDS: Mapping[tuple[str, str], IdleRecommendationResourceType] = {
    ("ec2", "instance"): "EC2Instance",
    ("autoscaling", "autoScalingGroup"): "AutoScalingGroup",
    ("ec2", "volume"): "EBSVolume",
    ("ecs", "service"): "ECSService",
    ("rds", "db"): "RDSDBInstance",
    ("ec2", "natgateway"): "NatGateway",
    ("dynamodb", "table"): "DynamoDBTable",
    ("elasticache", "cluster"): "ElastiCacheCluster",
    ("elasticache", "replicationgroup"): "ElastiCacheCluster",
    ("elasticache", "serverlesscache"): "ElastiCacheCluster",
    ("memorydb", "cluster"): "MemoryDBCluster",
    ("rds", "cluster"): "DocumentDBCluster",
    ("workspaces", "workspace"): "WorkSpaces",
    ("sagemaker", "endpoint"): "SageMakerEndpoint",
}
"""Which idle type the ARNs of a service are of (Service Authorization Reference)."""

ORDERS = {
    ("SavingsValue", "Asc"): Order.SAVINGS,
    ("SavingsValue", "Desc"): Order.SAVINGS_DESCENDING,
    ("SavingsValueAfterDiscount", "Asc"): Order.DISCOUNTED,
    ("SavingsValueAfterDiscount", "Desc"): Order.DISCOUNTED_DESCENDING,
}
"""By enums Dimension and Order."""

DEFAULT_ORDER = {"dimension": "SavingsValue", "order": "Desc"}
"""Of what a request for an order leaves out."""

SAVINGS = {
    Order.DISCOUNTED: counted_after_discounts,
    Order.DISCOUNTED_DESCENDING: counted_after_discounts,
}
"""What goes into a page token, for orders that do not go by savings at list prices."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request, understood."""

    account_id: str
    region: str
    names: tuple[str, ...]
    """Listed ARNs and ids that may have a recommendation."""
    refused: dict[str, str]
    """Listed names that cannot have one, with the code that says why."""
    selection: Selection
    order: Order
    page: int
    token: str | None
    bound: dict[str, Any]
    """What a page token holds on to."""


def get_idle_recommendations(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of recommendations, and errors for listed resources that have none.

    Raises the modelled exceptions of `target_account`, and InvalidParameterValueException for too
    many resources, a filter that is not valid and a token of another request.
    """
    account_id = target_account(context, request.get("accountIds"))
    question = _understood(context, request, account_id)
    with context.state.reading() as connection:
        place, after = _position(context, connection, question)
        found = read_idle_page(
            connection,
            place,
            limit=question.page + 1,
            order=question.order,
            after=after,
            selection=question.selection,
        )
        missing = _missing(context, connection, question, place)
    page = found[: question.page]
    shown = [idle_recommendation(one, context.region) for one in page]
    answer: dict[str, Any] = {"idleRecommendations": shown, "errors": missing}
    if len(found) > question.page:
        answer["nextToken"] = _next_token(context, question, place, page[-1])
    return answer


def _understood(context: Context, request: dict[str, Any], account_id: str) -> Question:
    asked = checked_arns(request.get("resourceArns", []), "resourceArns")
    refused = {name: code for name in asked if (code := _refusal(name, account_id, context.region))}
    names = tuple(name for name in asked if name not in refused)
    filters, order = request.get("filters", []), request.get("orderBy", {})
    return Question(
        account_id=account_id,
        region=context.region,
        names=names,
        refused=refused,
        selection=selection(filters, IDLE_FILTERS, names if asked else None),
        order=_order(DEFAULT_ORDER | order) if order else Order.ARN,
        page=_page(request.get("maxResults") or min(context.page_size, MAX_PAGE)),
        token=request.get("nextToken"),
        bound={"account": account_id, "arns": asked, "filters": filters, "order": order},
    )


def _order(asked: Mapping[str, str]) -> Order:
    return ORDERS[asked["dimension"], asked["order"]]


def _page(asked: int) -> int:
    if asked > MAX_PAGE:
        raise InvalidParameterValueException(
            f"maxResults is {asked}; expected a number from 0 to {MAX_PAGE}."
        )
    return asked


def _refusal(name: str, account_id: str, region: str) -> str | None:
    parts = ARN.fullmatch(name)
    if parts is None:
        return None if RESOURCE_ID.fullmatch(name) else "INVALID_ARN"
    if parts["account"] != account_id:
        return "ACCESS_DENIED"
    return None if parts["region"] == region else "CROSS_REGION"


def _position(
    context: Context, connection: Connection, question: Question
) -> tuple[IdleScope, After | None]:
    """Return which runs are read, and where the page starts."""
    here = question.account_id, question.region
    hidden = hidden_types(context.newer_idle_types)
    if question.token is None:
        return IdleScope(*here, current_runs(connection, *here, hidden)), None
    sealed = paging.open_token(context, OPERATION, question.bound, question.token)
    runs, after = json.loads(sealed)
    for resource_type, run_id in runs.items():
        scope = Scope(*here, resource_type)
        if not is_readable(connection, run_id, scope, context.clock.now()):
            raise InvalidParameterValueException(paging.EXPIRED)
    shown = {name: run_id for name, run_id in runs.items() if name not in hidden}
    return IdleScope(*here, shown), After(**after)


def _next_token(
    context: Context, question: Question, place: IdleScope, last: IdleRecommendation
) -> str:
    savings = SAVINGS.get(question.order, counted_savings)(last)
    after = asdict(After(savings, last.resource_arn))
    position = json.dumps([dict(place.runs), after])
    return paging.seal_token(context, OPERATION, question.bound, position)


def _missing(
    context: Context, connection: Connection, question: Question, place: IdleScope
) -> list[IdleRecommendationError]:
    """Return the errors of listed resources, on the first page only."""
    if question.token is not None:
        return []
    hidden = hidden_types(context.newer_idle_types)
    missing = [
        _error(name, code, MESSAGES[code], hidden) for name, code in question.refused.items()
    ]
    if not question.names:
        return missing
    known = known_names(connection, place, question.names)
    unknown = [name for name in question.names if name not in known]
    told = {one.resource_arn: one for one in errors_of(connection, place, unknown)}
    for name in unknown:
        error = told.get(name)
        code, text = (error.code, error.message) if error else (NOT_FOUND, MESSAGES[NOT_FOUND])
        missing.append(_error(name, code, text, hidden))
    return missing


def _error(name: str, code: str, message: str, hidden: Collection[str]) -> IdleRecommendationError:
    found: IdleRecommendationError = {"identifier": name, "code": code, "message": message}
    parts = ARN.fullmatch(name)
    kind = ARN_KINDS.get((parts["service"], parts["kind"])) if parts else None
    if kind and kind not in hidden:
        found["resourceType"] = kind
    return found
