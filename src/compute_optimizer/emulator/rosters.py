"""Accounts and organizations as a test states them, written as the product keeps them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from compute_optimizer.emulator import state
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.organization import default_organization_id
from compute_optimizer.model.account import (
    Account,
    Enrollment,
    EnrollmentStatus,
    Organization,
    check_account_id,
    check_organization_id,
)
from compute_optimizer.model.enrollment import (
    ENROLLING,
    MEMBERS_ENROLLING,
    ROLE_FAILED,
    failed_members_reason,
)
from compute_optimizer.model.roster import Roster
from compute_optimizer.store.accounts import find_account, save_roster
from compute_optimizer.store.enrollments import find_enrollment

NOBODY = Roster(None, {}, {})

REASONS = {EnrollmentStatus.PENDING: ENROLLING, EnrollmentStatus.FAILED: ROLE_FAILED}
"""Of a status for which the test gives no reason; the others have none."""


def write_accounts(
    connection: Connection, stated: Sequence[state.Account | state.Organization], now: datetime
) -> None:
    """Write what is stated of accounts and organizations; what was there of them is replaced.

    Raises InvalidInput for what cannot be: an account twice, an administrator that is no member.
    """
    _check_once(stated)
    for one in stated:
        if isinstance(one, state.Organization):
            save_roster(connection, NOBODY, _organization(one, now))
            continue
        known = find_account(connection, one.account_id)
        organization_id = known.organization_id if known else None
        save_roster(connection, NOBODY, _roster(None, [(one, organization_id)], now))


def write_strangers(connection: Connection, account_ids: Iterable[str], now: datetime) -> None:
    """Opt in those accounts of which nobody has said anything yet."""
    for account_id in sorted(set(account_ids)):
        unsaid = find_enrollment(connection, account_id) == Enrollment(account_id)
        if unsaid and find_account(connection, account_id) is None:
            alone = [(state.Account(check_account_id(account_id)), None)]
            save_roster(connection, NOBODY, _roster(None, alone, now))


def accounts_of(organization: state.Organization) -> list[state.Account]:
    """Return the accounts of an organization, the management account first."""
    listed = [organization.management, *organization.members]
    return [state.Account(one) if isinstance(one, str) else one for one in listed]


def _organization(stated: state.Organization, now: datetime) -> Roster:
    members = accounts_of(stated)
    organization = Organization(
        organization_id=check_organization_id(
            stated.organization_id or default_organization_id(members[0].account_id)
        ),
        management_account_id=members[0].account_id,
        all_features=stated.all_features,
        trusted_access=stated.trusted_access,
        trusted_access_refused=stated.trusted_access_refused,
        delegated_administrator_id=stated.delegated_administrator_id,
    )
    _check_organization(organization, members)
    placed = [(one, organization.organization_id) for one in members]
    roster = _roster(organization, placed, now)
    wanted = stated.member_accounts_enrolled
    included = stated.trusted_access if wanted is None else wanted
    opted_in = roster.enrollments[organization.management_account_id].opted_in
    if included and not stated.trusted_access:
        raise InvalidInput(
            f"organization {organization.organization_id}: member_accounts_enrolled needs "
            "trusted_access"
        )
    return _with_inclusion(roster, members[0]) if included and opted_in else roster


def _with_inclusion(roster: Roster, management: state.Account) -> Roster:
    """Return the roster of an organization whose management account opted in with its members."""
    own = roster.enrollments[management.account_id]
    failed = sum(
        roster.enrollments[one.account_id].status == EnrollmentStatus.FAILED
        for one in roster.members
    )
    reason = own.status_reason
    if management.reason is None and own.status == EnrollmentStatus.PENDING:
        reason = MEMBERS_ENROLLING
    elif management.reason is None and failed:
        reason = failed_members_reason(failed)
    changed = Enrollment(
        own.account_id, own.status, reason, includes_members=True, last_updated=own.last_updated
    )
    enrollments = {**roster.enrollments, own.account_id: changed}
    return Roster(roster.organization, roster.accounts, enrollments)


def _roster(
    organization: Organization | None,
    placed: Sequence[tuple[state.Account, str | None]],
    now: datetime,
) -> Roster:
    accounts = {
        one.account_id: Account(
            one.account_id, one.name, organization_id, one.suspended, one.metrics_unreadable
        )
        for one, organization_id in placed
    }
    return Roster(
        organization, accounts, {one.account_id: _enrollment(one, now) for one, _ in placed}
    )


def _enrollment(one: state.Account, now: datetime) -> Enrollment:
    status = EnrollmentStatus(one.status)
    if one.last_updated is not None and one.last_updated.tzinfo is None:
        raise InvalidInput(f"account {one.account_id}: last_updated has no time zone; add UTC")
    # What has always been Inactive was never updated.
    never = status == EnrollmentStatus.INACTIVE and one.reason is None
    return Enrollment(
        one.account_id,
        status,
        one.reason or REASONS.get(status),
        last_updated=one.last_updated or (None if never else now),
    )


def _check_organization(organization: Organization, members: Sequence[state.Account]) -> None:
    name, management = organization.organization_id, members[0]
    listed = {one.account_id: one for one in members[1:]}
    delegated = organization.delegated_administrator_id
    if delegated is not None and (delegated not in listed or listed[delegated].suspended):
        raise InvalidInput(
            f"organization {name}: the delegated administrator {delegated} is no member that works"
        )
    if management.suspended:
        raise InvalidInput(
            f"organization {name}: its management account {management.account_id} cannot be "
            "suspended"
        )
    if organization.trusted_access and not organization.all_features:
        raise InvalidInput(f"organization {name}: trusted_access needs all_features")


def _check_once(stated: Sequence[state.Account | state.Organization]) -> None:
    counts = Counter(one.account_id for one in _all(stated))
    twice = [account_id for account_id, count in counts.items() if count > 1]
    if twice:
        raise InvalidInput(f"account {twice[0]} is stated {counts[twice[0]]} times; state it once")


def _all(stated: Sequence[state.Account | state.Organization]) -> Iterator[state.Account]:
    for one in stated:
        if isinstance(one, state.Organization):
            yield from accounts_of(one)
        else:
            yield one
