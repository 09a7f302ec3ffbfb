"""The recommendation lists: pages of one account's recommendations of one type in one Region.

Each Get*Recommendations operation states its own facts as a `Listing` and shows its own records;
accounts, ARNs, filters, pages and errors[] are the same for all of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.engine.obstacles import RECOMMENDATION_NOT_FOUND
from compute_optimizer.model.recommendation import Recommendation, RecommendationError
from compute_optimizer.operations import paging
from compute_optimizer.operations.access import target_account
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import FilterRule, selection
from compute_optimizer.shapes import GetRecommendationError, InvalidParameterValueException
from compute_optimizer.store.analysis_runs import Scope, current_run, is_readable
from compute_optimizer.store.recommendations import (
    MAX_LISTED,
    Selection,
    read_errors,
    recommended_arns,
    stream_page,
)

NOT_FOUND = RECOMMENDATION_NOT_FOUND.code

MESSAGES = {
    NOT_FOUND: RECOMMENDATION_NOT_FOUND.message,
    "INVALID_ARN": "The specified ARN is not valid.",
    "ACCESS_DENIED": (
        "The resource belongs to another account than the one that is read; whoever may read that "
        "account names it in accountIds."
    ),
    "CROSS_REGION": "The resource isn't in the Region of this request.",
}
"""Texts of errors[] that are found while reading (spec 8.4); an analysis stores its own."""

Show = Callable[[Any], Any]
"""From a stored recommendation to its member of the answer."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one operation that lists recommendations has of its own."""

    operation: str
    resource_type: str
    recommendation: type[Recommendation]
    """The class of the stored recommendations."""
    arns: str
    """The member of the request that lists ARNs, such as instanceArns."""
    answer: str
    """The member of the answer, such as instanceRecommendations."""
    arn: re.Pattern[str]
    """What an ARN looks like, with the groups region and account."""
    filters: Mapping[str, FilterRule]
    """Beside tag:KEY and tag-key."""
    canonical: Callable[[str], str] = str
    """From an ARN as listed to the one of the resource."""
    findings: frozenset[str] | None = None
    """What is shown where no filter names findings; None for all."""
    tells_errors: bool = True
    """Whether the answer has errors[]."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request, understood."""

    listing: Listing
    scope: Scope
    arns: tuple[str, ...]
    """Those that may have a recommendation in the scope; empty when none were listed."""
    refused: dict[str, str]
    """Listed ARNs that cannot have one, with the code that says why."""
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


def arn_pattern(service: str, kind: str) -> re.Pattern[str]:
    """Return what ARNs of a resource look like, such as those of an ec2 instance."""
    return re.compile(
        rf"arn:aws[a-z-]*:{service}:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{{12}}):{kind}/[^\s/]+"
    )


def listed(
    context: Context,
    request: dict[str, Any],
    listing: Listing,
    show: Show,
    bound: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return one page of recommendations, and errors for listed ARNs that have none.

    `bound` is what a page token holds on to beside account, ARNs and filters, as JSON values.
    Raises the modelled exceptions of `target_account`, and InvalidParameterValueException for too
    many ARNs, a filter that is not valid and a token of another request.
    """
    account_id = target_account(context, request.get("accountIds"))
    shown_as = _written_as_it_comes(context, listing, show)
    question = _understood(request, account_id, context, listing, bound or {})
    with context.state.reading() as connection:
        position = _position(context, connection, question)
        shown, last = _page(connection, question, position, shown_as)
        missing = _missing(connection, question, position) if listing.tells_errors else []
    answer: dict[str, Any] = {listing.answer: shown}
    if listing.tells_errors:
        answer["errors"] = missing
    if last:
        sealed = f"{last.run_id} {last.after}"
        answer["nextToken"] = paging.seal_token(context, listing.operation, question.bound, sealed)
    return answer


def _written_as_it_comes(context: Context, listing: Listing, show: Show) -> Show:
    write = context.write_entry
    if write is None:
        return show
    return lambda one: write(listing.answer, show(one))


def _understood(
    request: dict[str, Any],
    account_id: str,
    context: Context,
    listing: Listing,
    bound: Mapping[str, Any],
) -> Question:
    scope = Scope(account_id, context.region, listing.resource_type)
    listed_arns = map(listing.canonical, request.get(listing.arns, []))
    asked = checked_arns(listed_arns, listing.arns)
    refused = {arn: code for arn in asked if (code := _refusal(arn, scope, listing.arn))}
    arns = tuple(arn for arn in asked if arn not in refused)
    filters = request.get("filters", [])
    selected = selection(filters, listing.filters, arns if asked else None)
    if selected.findings is None:
        selected = replace(selected, findings=listing.findings)
    return Question(
        listing=listing,
        scope=scope,
        arns=arns,
        refused=refused,
        selection=selected,
        page=request.get("maxResults") or context.page_size,
        token=request.get("nextToken"),
        bound={"account": account_id, "arns": asked, "filters": filters, **bound},
    )


def checked_arns(listed_arns: Iterable[str], member: str) -> list[str]:
    """Return the ARNs that a member of a request lists, each once.

    Raises InvalidParameterValueException for too many.
    """
    asked = list(dict.fromkeys(listed_arns))
    if len(asked) > MAX_LISTED:
        raise InvalidParameterValueException(
            f"{member} lists {len(asked)} resources; at most {MAX_LISTED} are allowed."
        )
    return asked


def _refusal(arn: str, scope: Scope, pattern: re.Pattern[str]) -> str | None:
    parts = pattern.fullmatch(arn)
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
    operation = question.listing.operation
    sealed = paging.open_token(context, operation, question.bound, question.token)
    run_id, after = sealed.split(" ", 1)
    if not is_readable(connection, run_id, question.scope, context.clock.now()):
        raise InvalidParameterValueException(paging.EXPIRED)
    return Position(run_id, after)


def _page(
    connection: Connection, question: Question, position: Position | None, show: Show
) -> tuple[list[Any], Position | None]:
    """Return what the page shows, and where the next page starts; None where there is none."""
    if position is None:
        return [], None
    found = stream_page(
        connection,
        position.run_id,
        question.scope,
        question.listing.recommendation,
        limit=question.page + 1,
        after=position.after,
        selection=question.selection,
    )
    shown, last = [], ""
    for one in islice(found, question.page):
        shown.append(show(one))
        last = one.resource_arn
    return shown, None if next(found, None) is None else Position(position.run_id, last)


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
