"""DescribeRecommendationExportJobs: the export jobs of one account in one Region."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from compute_optimizer.model.export import HISTORY, ExportJob
from compute_optimizer.operations import paging
from compute_optimizer.operations.access import opted_in_caller
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.exports import shown_destination
from compute_optimizer.operations.filters import NAMELESS
from compute_optimizer.shapes import (
    InvalidParameterValueException,
    JobStatus,
    ResourceNotFoundException,
    ResourceType,
)
from compute_optimizer.store.export_jobs import jobs_page

OPERATION = "DescribeRecommendationExportJobs"

MAX_LISTED = 1_000
"""Job ids in one request: as many as ARNs elsewhere (spec 8.3, a proposal)."""

FILTERS: Mapping[str, tuple[str, ...]] = {
    "ResourceType": get_args(ResourceType),
    "JobStatus": get_args(JobStatus),
}
"""By name, the values (spec 8.1)."""


def describe_recommendation_export_jobs(
    context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Return one page of the jobs of the last seven days, the newest first.

    Raises ResourceNotFoundException for a listed job that is not among them,
    InvalidParameterValueException for a filter or a token that is not valid.
    """
    opted_in_caller(context)
    since = context.clock.now() - HISTORY
    asked = list(dict.fromkeys(request.get("jobIds") or ()))
    filters = request.get("filters") or []
    wanted = _wanted(filters)
    bound = {"jobs": asked, "filters": filters}
    limit = request.get("maxResults") or context.page_size
    _check_listed(context, asked, since)
    with context.state.reading() as connection:
        found = jobs_page(
            connection,
            context.account_id,
            context.region,
            since,
            # One more than a page holds tells whether there is another.
            limit=limit + 1,
            after=_after(context, bound, request.get("nextToken")),
            job_ids=asked or None,
            statuses=wanted.get("JobStatus"),
            resource_types=wanted.get("ResourceType"),
        )
    answer: dict[str, Any] = {"recommendationExportJobs": [_shown(job) for job in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        position = f"{last.created_at.isoformat()} {last.job_id}"
        answer["nextToken"] = paging.seal_token(context, OPERATION, bound, position)
    return answer


def _check_listed(context: Context, asked: Sequence[str], since: datetime) -> None:
    if not asked:
        return
    if len(asked) > MAX_LISTED:
        raise InvalidParameterValueException(
            f"jobIds lists {len(asked)} jobs; at most {MAX_LISTED} are allowed."
        )
    account_id, region = context.account_id, context.region
    with context.state.reading() as connection:
        found = jobs_page(connection, account_id, region, since, limit=len(asked), job_ids=asked)
    missing = sorted(set(asked) - {job.job_id for job in found})
    if missing:
        raise ResourceNotFoundException(
            f"There is no export job {missing[0]} of the last {HISTORY.days} days."
        )


def _wanted(filters: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Return the values that pass every filter of a name, each by any of its values."""
    wanted: dict[str, set[str]] = {}
    for one in filters:
        name, values = one.get("name", ""), one.get("values") or []
        expected = ", ".join(FILTERS)
        if not name:
            raise InvalidParameterValueException(NAMELESS.format(expected=expected))
        if name not in FILTERS:
            raise InvalidParameterValueException(
                f"The filter name {name!r} is not valid; expected one of {expected}."
            )
        if not values:
            raise InvalidParameterValueException(f"The filter {name!r} has no values.")
        for value in values:
            if value not in FILTERS[name]:
                raise InvalidParameterValueException(
                    f"The value {value!r} of the filter {name} is not valid; "
                    f"expected one of {', '.join(FILTERS[name])}."
                )
        wanted[name] = wanted.get(name, set(values)) & set(values)
    return wanted


def _after(
    context: Context, bound: Mapping[str, Any], token: str | None
) -> tuple[datetime, str] | None:
    if token is None:
        return None
    created, job_id = paging.open_token(context, OPERATION, bound, token).split(" ", 1)
    return datetime.fromisoformat(created), job_id


def _shown(job: ExportJob) -> dict[str, Any]:
    shown = {
        "jobId": job.job_id,
        "destination": {"s3": shown_destination(job.request.destination)},
        "resourceType": job.request.resource_type,
        "status": job.status.value,
        "creationTimestamp": job.created_at,
        "lastUpdatedTimestamp": job.updated_at,
    }
    return shown if job.failure_reason is None else {**shown, "failureReason": job.failure_reason}
