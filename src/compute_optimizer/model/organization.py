"""Changes of an organization, and what follows for the enrollment of its accounts."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from compute_optimizer.errors import Conflict
from compute_optimizer.model.account import Organization
from compute_optimizer.model.enrollment import asked_for, trusted_access_ended
from compute_optimizer.model.roster import (
    Roster,
    stamped,
    with_account,
    with_enrollments,
    with_organization,
)


def found(alone: Roster, organization_id: str) -> Roster:
    """Return the roster of a new organization whose management account stood alone."""
    (account_id,) = alone.accounts
    return _part(alone, Organization(organization_id, account_id), alone.accounts)


def join(roster: Roster, alone: Roster, now: datetime) -> Roster:
    """Return the roster of an organization that standalone accounts joined.

    While an opt-in that includes members is in force, new members are opted in with it.
    """
    accounts = {**roster.accounts, **alone.accounts}
    enrollments = {**roster.enrollments, **alone.enrollments}
    both = _part(Roster(None, accounts, enrollments), _organization(roster), accounts)
    if not roster.members_included:
        return both
    asked = [asked_for(one, by_organization=True) for one in alone.enrollments.values()]
    return stamped(both, with_enrollments(both, asked), now)


def leave(roster: Roster, account_ids: Collection[str], now: datetime) -> tuple[Roster, Roster]:
    """Return the organization without some members, and those alone, each with its own status.

    Raises Conflict for the management account, which cannot leave.
    """
    organization = _organization(roster)
    if organization.management_account_id in account_ids:
        raise Conflict(
            f"account {organization.management_account_id} is the management account of "
            f"{organization.organization_id}; remove its members first, or name another one with "
            "`compute-optimizer accounts set-management`"
        )
    stay = [one for one in roster.accounts if one not in account_ids]
    rest = _part(roster, organization, stay)
    if organization.delegated_administrator_id in account_ids:
        rest = with_organization(rest, delegated_administrator_id=None)
    gone = _part(roster, None, account_ids)
    return stamped(roster, rest, now), stamped(roster, gone, now)


def dissolve(roster: Roster, now: datetime) -> Roster:
    """Return the management account alone; raise Conflict while the organization has members."""
    if roster.members:
        raise Conflict(
            f"organization {_organization(roster).organization_id} still has "
            f"{len(roster.members)} member accounts; remove them before its management account"
        )
    return stamped(roster, _part(roster, None, roster.accounts), now)


def name_management_account(roster: Roster, account_id: str, now: datetime) -> Roster:
    """Return the roster with another account of the organization as its management account.

    Raises Conflict for a suspended one.
    """
    _check_not_suspended(roster, account_id, "be the management account")
    changed = with_organization(roster, management_account_id=account_id)
    if _organization(roster).delegated_administrator_id == account_id:
        changed = with_organization(changed, delegated_administrator_id=None)
    return stamped(roster, changed, now)


def delegate(roster: Roster, account_id: str | None, now: datetime) -> Roster:
    """Return the roster with that member as its delegated administrator, or with none.

    Raises Conflict for the management account and for suspended members.
    """
    if account_id == _organization(roster).delegated_administrator_id:
        return roster
    if account_id is not None:
        if account_id == _organization(roster).management_account_id:
            raise Conflict(
                f"account {account_id} is the management account; only a member account can be the "
                "delegated administrator"
            )
        _check_not_suspended(roster, account_id, "be the delegated administrator")
    changed = with_organization(roster, delegated_administrator_id=account_id)
    return stamped(roster, changed, now)


def suspend(roster: Roster, account_id: str, suspended: bool) -> Roster:
    """Return the roster with an account suspended or resumed; its own status stays.

    Raises Conflict for a management account.
    """
    organization = roster.organization
    if suspended and organization and account_id == organization.management_account_id:
        raise Conflict(f"account {account_id} is a management account, which cannot be suspended")
    return with_account(roster, account_id, suspended=suspended)


def allow_trusted_access(roster: Roster, allowed: bool, now: datetime) -> Roster:
    """Return the roster with the organization's trusted access on or off.

    Raises Conflict where it cannot be turned on.
    """
    organization = _organization(roster)
    if not allowed:
        return trusted_access_ended(roster, now)
    if organization.trusted_access:
        return roster
    if not organization.all_features:
        raise Conflict(
            f"organization {organization.organization_id} has not all features enabled, which "
            "trusted access needs: `compute-optimizer accounts all-features on`"
        )
    if organization.trusted_access_refused:
        raise Conflict(
            f"organization {organization.organization_id} refuses trusted access: "
            "`compute-optimizer accounts fail trusted-access off` lifts that"
        )
    return with_organization(roster, trusted_access=True)


def enable_all_features(roster: Roster, enabled: bool, now: datetime) -> Roster:
    """Return the roster with all features on or off; without them there is no trusted access."""
    if not enabled:
        roster = trusted_access_ended(roster, now)
    return with_organization(roster, all_features=enabled)


def _organization(roster: Roster) -> Organization:
    assert roster.organization is not None, "only an organization's roster can be changed so"
    return roster.organization


def _part(
    roster: Roster, organization: Organization | None, account_ids: Collection[str]
) -> Roster:
    """Return the roster of some of the accounts, all of that organization or of none."""
    organization_id = organization.organization_id if organization else None
    accounts = {
        one: replace(roster.accounts[one], organization_id=organization_id) for one in account_ids
    }
    return Roster(organization, accounts, {one: roster.enrollments[one] for one in account_ids})


def _check_not_suspended(roster: Roster, account_id: str, purpose: str) -> None:
    if roster.accounts[account_id].suspended:
        raise Conflict(f"account {account_id} is suspended and cannot {purpose}; resume it first")
