"""A roster: the accounts of one organization, or standalone accounts, and their enrollment.

Every decision about enrollment takes a roster and returns the next one; what differs is stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from compute_optimizer.model.account import Account, Enrollment, EnrollmentStatus, Organization


@dataclass(frozen=True, slots=True)
class Roster:
    """All that decides about the enrollment of some accounts that belong together."""

    organization: Organization | None
    """None for standalone accounts."""
    accounts: Mapping[str, Account]
    enrollments: Mapping[str, Enrollment]
    """One for every account."""

    @property
    def administrators(self) -> frozenset[str]:
        """The management account and the delegated administrator; none for a standalone account."""
        return self.organization.administrators if self.organization else frozenset()

    @property
    def members(self) -> list[Account]:
        """The member accounts: all of an organization but the management account."""
        management = self.organization and self.organization.management_account_id
        accounts = self.accounts.values()
        return [one for one in accounts if management and one.account_id != management]

    @property
    def members_included(self) -> bool:
        """Whether an opt-in that includes the member accounts is in force."""
        return any(self.enrollments[one].includes_members for one in self.administrators)

    def member_accounts_enrolled(self, account_id: str) -> bool:
        """Return the member `memberAccountsEnrolled` of the account's enrollment status."""
        return account_id in self.administrators and self.members_included

    def members_opted_in(self) -> int:
        """Count the members that are Active; suspended ones are not counted."""
        active = EnrollmentStatus.ACTIVE
        return sum(
            self.enrollments[one.account_id].status == active and not one.suspended
            for one in self.members
        )


def with_organization(roster: Roster, **changes: Any) -> Roster:
    """Return the roster with some attributes of its organization changed."""
    assert roster.organization is not None, "a standalone account has no organization to change"
    return replace(roster, organization=replace(roster.organization, **changes))


def with_account(roster: Roster, account_id: str, **changes: Any) -> Roster:
    """Return the roster with some attributes of one account changed."""
    changed = replace(roster.accounts[account_id], **changes)
    return replace(roster, accounts={**roster.accounts, account_id: changed})


def with_enrollments(roster: Roster, changed: Iterable[Enrollment]) -> Roster:
    """Return the roster with the given enrollments in place of the present ones."""
    found = {one.account_id: one for one in changed}
    return replace(roster, enrollments={**roster.enrollments, **found})


def stamped(before: Roster, after: Roster, now: datetime) -> Roster:
    """Return the next roster with what follows from every change.

    Only administrators include members, and plain Active has no reason. An account's enrollment was
    updated now if its own status or its member inclusion changed, and only then.
    """
    after = with_enrollments(after, [_tidy(after, one) for one in after.enrollments.values()])
    updated = [
        replace(one, last_updated=now)
        for one in after.enrollments.values()
        if _visible(after, one.account_id) != _visible(before, one.account_id)
    ]
    return with_enrollments(after, updated)


def _tidy(roster: Roster, enrollment: Enrollment) -> Enrollment:
    includes = enrollment.includes_members and enrollment.account_id in roster.administrators
    plain = enrollment.status == EnrollmentStatus.ACTIVE and not includes
    if includes == enrollment.includes_members and not (plain and enrollment.status_reason):
        return enrollment
    reason = None if plain else enrollment.status_reason
    return replace(enrollment, includes_members=includes, status_reason=reason)


def _visible(roster: Roster, account_id: str) -> tuple[EnrollmentStatus, bool]:
    return roster.enrollments[account_id].status, roster.member_accounts_enrolled(account_id)
