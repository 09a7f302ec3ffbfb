"""The life of an enrollment: what a request changes, and what the background check changes.

    Inactive, Failed --opt in--> Pending --check passes--> Active --opt out--> Inactive
                                         --check fails---> Failed

An administrator's opt-in that includes members waits, Pending, until every member has settled.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.account import Account, Enrollment, EnrollmentStatus, Organization
from compute_optimizer.model.counted import counted
from compute_optimizer.model.roster import (
    Roster,
    stamped,
    with_enrollments,
    with_organization,
)

ROLE_FAILED = "Failed to create service-linked role"
"""Reason of Failed when the account's metric source cannot be read (user guide)."""

TRUSTED_ACCESS_FAILED = "Failed to enable trusted access"
"""Reason of Failed when Organizations refuses trusted access (user guide)."""

ENROLLING = "The account is being enrolled."
"""Reason of Pending; the service publishes no text."""

MEMBERS_ENROLLING = "Member accounts of the organization need more time to be enrolled."
"""Reason of Pending for an administrator that waits for its members; the text is ours."""

TRUSTED_ACCESS_LOST = "Trusted access of the organization was turned off."
"""Reason of Inactive for the members of an organization without trusted access; ours."""


def opt_in(roster: Roster, account_id: str, include_members: bool, now: datetime) -> Roster:
    """Return the roster after an account opted in, with or without its organization's members.

    Opting in again changes nothing that has been asked for already; Failed is tried again.
    Raises InvalidInput when the account may not include members.
    """
    if not include_members:
        after = with_enrollments(roster, [asked_for(roster.enrollments[account_id])])
        return stamped(roster, after, now)
    check_may_include_members(roster, account_id)
    if _all_asked_for(roster, account_id):
        return roster
    return stamped(roster, _with_members_asked_for(roster, account_id), now)


def opt_out(roster: Roster, account_id: str, now: datetime) -> Roster:
    """Return the roster after an account opted out.

    The inclusion of members ends with the account that made it; that of the delegated administrator
    ends with the management account's opt-out too.
    """
    own = roster.enrollments[account_id]
    gone = replace(
        own,
        status=EnrollmentStatus.INACTIVE,
        status_reason=None,
        includes_members=False,
        by_organization=False,
        opted_out_at=own.opted_out_at or now,
    )
    changed = [gone]
    if roster.organization and account_id == roster.organization.management_account_id:
        others = roster.administrators - {account_id}
        changed += [replace(roster.enrollments[one], includes_members=False) for one in others]
    return stamped(roster, with_enrollments(roster, changed), now)


def check_may_include_members(roster: Roster, account_id: str) -> None:
    """Raise InvalidInput unless the account may opt in the members of its organization."""
    if account_id not in roster.administrators:
        raise InvalidInput(
            "includeMemberAccounts can be true only for the management account or the delegated "
            "administrator of an organization; leave it out to opt in this account alone"
        )
    if roster.organization and not roster.organization.all_features:
        raise InvalidInput(
            "includeMemberAccounts needs an organization with all features enabled; "
            "leave it out to opt in this account alone"
        )


def asked_for(enrollment: Enrollment, by_organization: bool = False) -> Enrollment:
    """Return the enrollment of an account that is to be opted in; stamps nothing."""
    if enrollment.opted_in:
        return replace(enrollment, by_organization=enrollment.by_organization and by_organization)
    return replace(
        enrollment,
        status=EnrollmentStatus.PENDING,
        status_reason=MEMBERS_ENROLLING if enrollment.includes_members else ENROLLING,
        by_organization=by_organization,
        opted_out_at=None,
    )


def trusted_access_ended(roster: Roster, now: datetime) -> Roster:
    """Return the roster after the organization's trusted access was turned off.

    Members become Inactive; their metrics stay until they opt out. The rest keeps its status.
    """
    if not roster.organization or not roster.organization.trusted_access:
        return roster
    lost = [
        replace(
            roster.enrollments[one.account_id],
            status=EnrollmentStatus.INACTIVE,
            status_reason=TRUSTED_ACCESS_LOST,
            by_organization=False,
        )
        for one in roster.members
        if roster.enrollments[one.account_id].status != EnrollmentStatus.INACTIVE
    ]
    after = with_enrollments(with_organization(roster, trusted_access=False), lost)
    return stamped(roster, _without_inclusion(after), now)


def settle(roster: Roster, now: datetime) -> Roster:
    """Return the roster after the background check of every Pending account that can be checked.

    Suspended accounts cannot be, and administrators that wait for their members come last.
    """
    after = _with_trusted_access(roster)
    settled = [
        _checked(one, after.accounts[one.account_id])
        for one in _pending(after)
        if not one.includes_members
    ]
    return stamped(roster, with_enrollments(after, settled), now)


def settle_administrators(roster: Roster, now: datetime) -> Roster:
    """Return the roster after the check of every administrator whose members have all settled."""
    after = roster
    waiting = [one for one in _pending(roster) if one.includes_members]
    management = roster.organization and roster.organization.management_account_id
    # The management account waits for the delegated administrator, which is a member.
    for one in sorted(waiting, key=lambda found: found.account_id == management):
        others = list(_reachable_members(after, besides=one.account_id))
        if all(other.status != EnrollmentStatus.PENDING for other in others):
            failed = sum(other.status == EnrollmentStatus.FAILED for other in others)
            checked = _checked(one, after.accounts[one.account_id], failed)
            after = with_enrollments(after, [checked])
    return stamped(roster, after, now)


def _all_asked_for(roster: Roster, account_id: str) -> bool:
    """Whether an opt-in that includes members would ask for nothing new."""
    own = roster.enrollments[account_id]
    return (
        own.includes_members
        and own.opted_in
        and _trusts(roster.organization)
        and all(roster.enrollments[one.account_id].opted_in for one in roster.members)
    )


def _with_members_asked_for(roster: Roster, account_id: str) -> Roster:
    organization = roster.organization
    refused = organization is not None and organization.trusted_access_refused
    trusted = _trusts(organization) or not refused
    members = [
        asked_for(roster.enrollments[one.account_id], by_organization=True)
        for one in roster.members
    ]
    own = replace(
        roster.enrollments[account_id],
        status=EnrollmentStatus.PENDING,
        status_reason=MEMBERS_ENROLLING,
        includes_members=True,
        by_organization=False,
        opted_out_at=None,
    )
    return with_enrollments(with_organization(roster, trusted_access=trusted), [*members, own])


def _with_trusted_access(roster: Roster) -> Roster:
    """Return the roster with the trusted access that its Pending accounts need, or those Failed."""
    organization = roster.organization
    if organization is None or organization.trusted_access:
        return roster
    needing = [
        one
        for one in roster.enrollments.values()
        if one.status == EnrollmentStatus.PENDING and (one.includes_members or one.by_organization)
    ]
    if not needing:
        return roster
    if not organization.trusted_access_refused:
        return with_organization(roster, trusted_access=True)
    failed = [_failed(one, TRUSTED_ACCESS_FAILED) for one in needing]
    return _without_inclusion(with_enrollments(roster, failed))


def _without_inclusion(roster: Roster) -> Roster:
    administrators = (roster.enrollments[one] for one in roster.administrators)
    return with_enrollments(
        roster, [replace(one, includes_members=False) for one in administrators]
    )


def _checked(enrollment: Enrollment, account: Account, failed_members: int = 0) -> Enrollment:
    """Return the enrollment after the account's own check."""
    if account.metrics_unreadable:
        return _failed(enrollment, ROLE_FAILED)
    reason = failed_members_reason(failed_members) if failed_members else None
    active = EnrollmentStatus.ACTIVE
    return replace(enrollment, status=active, status_reason=reason, by_organization=False)


def _failed(enrollment: Enrollment, reason: str) -> Enrollment:
    failed = EnrollmentStatus.FAILED
    return replace(enrollment, status=failed, status_reason=reason, by_organization=False)


def failed_members_reason(count: int) -> str:
    """Return the reason of an administrator that is Active although members failed; ours."""
    accounts = counted(count, "member accounts")
    return f"{accounts} failed to be enrolled."


def _pending(roster: Roster) -> Iterator[Enrollment]:
    """Yield the Pending enrollments that can be checked."""
    for one in roster.enrollments.values():
        if one.status == EnrollmentStatus.PENDING and not roster.accounts[one.account_id].suspended:
            yield one


def _reachable_members(roster: Roster, besides: str) -> Iterator[Enrollment]:
    """Yield the enrollments of the members that are not suspended."""
    for one in roster.members:
        if one.account_id != besides and not one.suspended:
            yield roster.enrollments[one.account_id]


def _trusts(organization: Organization | None) -> bool:
    return organization is not None and organization.trusted_access
