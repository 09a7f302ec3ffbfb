"""The enrollment operations: opt in and out, and who of an organization is enrolled."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock
from compute_optimizer.model.account import Enrollment, EnrollmentStatus
from compute_optimizer.model.enrollment import opt_in, opt_out
from compute_optimizer.model.roster import Roster
from compute_optimizer.operations.access import remembered_standing
from compute_optimizer.operations.context import Context, WriteAnswer
from compute_optimizer.operations.filters import NAMELESS
from compute_optimizer.operations.paging import open_token, seal_token
from compute_optimizer.shapes import AccessDeniedException, InvalidParameterValueException
from compute_optimizer.store import State
from compute_optimizer.store.accounts import change_roster
from compute_optimizer.store.enrollments import members_page, standing_of

LARGEST_PAGE = 100
"""Member accounts in one answer, also the default (documentation of maxResults)."""

STATUS_FILTER = "Status"
"""The only filter name (enum EnrollmentFilterName)."""

LISTING = "GetEnrollmentStatusesForOrganization"


def get_enrollment_status(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer GetEnrollmentStatus for the calling account."""
    account_id, write = context.account_id, context.write_answer
    answer: dict[str, Any] = context.state.remembered(
        ("GetEnrollmentStatus", account_id, write),
        partial(_status_answer, account_id=account_id, write=write),
        looked=context.looked,
    )
    return answer if write else answer.copy()


def update_enrollment_status(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer UpdateEnrollmentStatus: opt the calling account in or out."""
    include_members = request.get("includeMemberAccounts")
    try:
        own = change_enrollment(
            context.state, context.clock, context.account_id, request["status"], include_members
        )
    except InvalidInput as error:
        raise InvalidParameterValueException(str(error)) from error
    return _status_and_reason(own)


def change_enrollment(
    state: State,
    clock: Clock,
    account_id: str,
    status: str,
    include_members: bool | None = None,
) -> Enrollment:
    """Opt an account in or out and return its enrollment.

    Raises InvalidInput for a status that is no request, and for members that may not be included.
    """
    decide = _decision(account_id, status, include_members, clock.now())
    return change_roster(state, account_id, decide).enrollments[account_id]


def get_enrollment_statuses_for_organization(
    context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Answer GetEnrollmentStatusesForOrganization for an administrator of an organization."""
    standing = remembered_standing(context)
    if not standing.sees_members or standing.organization is None:
        raise AccessDeniedException(
            "Only the management account or the delegated administrator of an organization with "
            "trusted access can list the enrollment of member accounts."
        )
    limit = _page_size(request.get("maxResults"))
    filters = request.get("filters") or []
    statuses = _statuses(filters)
    bound = {"filters": filters, "organization": standing.organization.organization_id}
    token = request.get("nextToken")
    after = open_token(context, LISTING, bound, token) if token is not None else ""
    with context.state.reading() as connection:
        # One more than a page holds tells whether there is another.
        found = members_page(connection, standing.organization, statuses, after, limit + 1)
    answer: dict[str, Any] = {"accountEnrollmentStatuses": [_listed(one) for one in found[:limit]]}
    if len(found) > limit:
        answer["nextToken"] = seal_token(context, LISTING, bound, found[limit - 1].account_id)
    return answer


def _decision(
    account_id: str, status: str, include_members: bool | None, now: datetime
) -> Callable[[Roster], Roster]:
    if status == EnrollmentStatus.ACTIVE:
        return lambda roster: opt_in(roster, account_id, bool(include_members), now)
    if status != EnrollmentStatus.INACTIVE:
        raise InvalidInput(f"status can be set to Active or Inactive, not to {status}")
    if include_members is not None:
        raise InvalidInput("includeMemberAccounts can't be specified when opting out")
    return lambda roster: opt_out(roster, account_id, now)


def _status_answer(
    connection: Connection, account_id: str, write: WriteAnswer | None
) -> dict[str, Any]:
    standing = standing_of(connection, account_id)
    answer = _status_and_reason(standing.enrollment)
    answer["memberAccountsEnrolled"] = standing.members_included
    if standing.enrollment.last_updated is not None:
        answer["lastUpdatedTimestamp"] = standing.enrollment.last_updated
    if standing.is_administrator:
        answer["numberOfMemberAccountsOptedIn"] = standing.members_opted_in
    return write(answer) if write else answer


def _status_and_reason(enrollment: Enrollment) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": enrollment.status.value}
    if enrollment.status_reason is not None:
        answer["statusReason"] = enrollment.status_reason
    return answer


def _listed(enrollment: Enrollment) -> dict[str, Any]:
    answer = {"accountId": enrollment.account_id, **_status_and_reason(enrollment)}
    if enrollment.last_updated is not None:
        answer["lastUpdatedTimestamp"] = enrollment.last_updated
    return answer


def _page_size(asked: int | None) -> int:
    if not asked:
        return LARGEST_PAGE
    if not 0 <= asked <= LARGEST_PAGE:
        raise InvalidParameterValueException(
            f"maxResults is {asked}; expected 0 (the default, {LARGEST_PAGE}) to {LARGEST_PAGE}."
        )
    return asked


def _statuses(filters: Sequence[Mapping[str, Any]]) -> frozenset[EnrollmentStatus] | None:
    """Return the statuses that pass every filter, each by any of its values; None without any."""
    wanted: frozenset[EnrollmentStatus] | None = None
    for one in filters:
        name, values = one.get("name", ""), one.get("values")
        if not name:
            raise InvalidParameterValueException(NAMELESS.format(expected=STATUS_FILTER))
        if name != STATUS_FILTER:
            raise InvalidParameterValueException(
                f"The filter name {name!r} is not valid; expected {STATUS_FILTER}."
            )
        if not values:
            raise InvalidParameterValueException(f"The filter {name!r} has no values.")
        passing = frozenset(_status(value) for value in values)
        wanted = passing if wanted is None else wanted & passing
    return wanted


def _status(value: str) -> EnrollmentStatus:
    try:
        return EnrollmentStatus(value)
    except ValueError:
        expected = ", ".join(one.value for one in EnrollmentStatus)
        raise InvalidParameterValueException(
            f"The value {value!r} of the filter {STATUS_FILTER} is not valid; "
            f"expected one of {expected}."
        ) from None
