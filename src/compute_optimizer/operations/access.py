"""Whose data a request reads: gate on enrollment, and who may look at other accounts."""

from collections.abc import Sequence
from functools import partial

from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.operations.context import Context
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    OptInRequiredException,
)
from compute_optimizer.store.enrollments import Standing, standing_of

OPT_IN_REQUIRED = "Aws account is not registered for recommendation."
"""The service's own text (spec 1.5)."""

SUSPENDED = "Account {} is suspended; nothing of it is shown until it is resumed."


def target_account(context: Context, account_ids: Sequence[str] | None) -> str:
    """Return the one account whose data a Get operation reads; the caller's own when none is given.

    Raises OptInRequiredException when the caller or that account is not opted in or suspended,
    InvalidParameterValueException for more than one account or what is no account id, and
    AccessDeniedException for an account that the caller may not see. Checked on every request:
    trusted access may have been turned off since the last one.
    """
    caller = opted_in_caller(context)
    return account_in_reach(context, caller, _only(account_ids or [context.account_id]))


def opted_in_caller(context: Context) -> Standing:
    """Return where the caller stands; raise OptInRequiredException where nothing of it is shown."""
    caller = remembered_standing(context)
    check_shown(caller)
    return caller


def check_shown(standing: Standing) -> None:
    """Raise OptInRequiredException for an account that is not opted in, or is suspended."""
    if not standing.enrollment.opted_in:
        raise OptInRequiredException(OPT_IN_REQUIRED)
    if standing.suspended:
        raise OptInRequiredException(SUSPENDED.format(standing.enrollment.account_id))


def account_in_reach(context: Context, caller: Standing, asked: str, purpose: str = "read") -> str:
    """Return the account that is asked for if the caller may do that with it.

    Raises AccessDeniedException for an account that the caller may not see, and
    OptInRequiredException for one that is not opted in, or is suspended.
    """
    if asked == context.account_id:
        return asked
    other = remembered_standing(context, asked)
    if not _may_see(caller, other):
        raise AccessDeniedException(
            f"Account {context.account_id} is not authorized to {purpose} account {asked}: only "
            "the management account or the delegated administrator of its organization is, while "
            "trusted access is on."
        )
    check_shown(other)
    return asked


def remembered_standing(context: Context, account_id: str | None = None) -> Standing:
    """Return where an account stands now, by default the caller."""
    wanted = account_id or context.account_id
    return context.state.remembered(("standing", wanted), partial(standing_of, account_id=wanted))


def _only(account_ids: Sequence[str]) -> str:
    if len(account_ids) > 1:
        raise InvalidParameterValueException(
            f"accountIds lists {len(account_ids)} accounts; only one is allowed per request."
        )
    return valid_account_id(account_ids[0])


def valid_account_id(value: str) -> str:
    """Return an account id; raise InvalidParameterValueException for what is none."""
    if not ACCOUNT_ID.fullmatch(value):
        raise InvalidParameterValueException(
            f"The account id {value!r} is not valid; expected twelve digits."
        )
    return value


def _may_see(caller: Standing, other: Standing) -> bool:
    if not caller.sees_members or caller.organization is None or other.organization is None:
        return False
    return caller.organization.organization_id == other.organization.organization_id
