"""GetRecommendationSummaries: counts and savings of one account, by resource type."""

from collections.abc import Mapping, Sequence
from typing import Any

from compute_optimizer.model.resource import hidden_types
from compute_optimizer.operations import paging
from compute_optimizer.operations.access import target_account
from compute_optimizer.operations.context import Context
from compute_optimizer.shapes import InvalidParameterValueException
from compute_optimizer.store.summaries import current_tallies
from compute_optimizer.views.summaries import SUMMARY_PARTS, recommendation_summary, tallies_of

OPERATION = "GetRecommendationSummaries"


def get_recommendation_summaries(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of summaries: of every resource type, also of those without resources.

    Raises the modelled exceptions of `target_account`, and InvalidParameterValueException for a
    token of another request.
    """
    account_id = target_account(context, request.get("accountIds"))
    hidden = hidden_types(context.newer_idle_types)
    bound, types = {"account": account_id}, [name for name in SUMMARY_PARTS if name not in hidden]
    first = _first(context, bound, types, request.get("nextToken"))
    end = first + (request.get("maxResults") or len(types))
    with context.state.reading() as connection:
        found = current_tallies(connection, account_id, context.region)
    shown = [
        recommendation_summary(
            name, account_id, context.region, tallies_of(name, found), context.enum_style
        )
        for name in types[first:end]
    ]
    answer: dict[str, Any] = {"recommendationSummaries": shown}
    if end < len(types):
        answer["nextToken"] = paging.seal_token(context, OPERATION, bound, types[end - 1])
    return answer


def _first(
    context: Context, bound: Mapping[str, Any], types: Sequence[str], token: str | None
) -> int:
    """Return which type a page begins with."""
    if token is None:
        return 0
    last = paging.open_token(context, OPERATION, bound, token)
    if last not in types:  # The token is older than the setting that hides its type.
        raise InvalidParameterValueException(paging.NOT_VALID)
    return types.index(last) + 1
