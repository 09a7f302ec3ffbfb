"""Enrollment: who is analyzed and who is not, and the organization around the account."""

from dataclasses import dataclass
from typing import Any

from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response, redirect
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session
from compute_optimizer.model.account import Account, Enrollment
from compute_optimizer.store.accounts import roster_of
from compute_optimizer.store.enrollments import Standing, standing_of

STATUS, MEMBERS, UPDATE = (
    "GetEnrollmentStatus",
    "GetEnrollmentStatusesForOrganization",
    "UpdateEnrollmentStatus",
)

HERE = "/console/enrollment"

SHOWN = 200
"""Members in the table."""


@dataclass(frozen=True, slots=True)
class Member:
    """One account of the organization."""

    account: Account
    enrollment: Enrollment
    role: str


def show(room: Room, request: Request, session: Session) -> Response:
    """Show where the account and, to administrators, its organization stand."""
    visitor = session.visitor
    own = room.calls.perform(visitor, "", request.source, STATUS, {})
    with room.state.reading() as connection:
        standing = standing_of(connection, visitor.account_id)
        roster = roster_of(connection, visitor.account_id)
    sees = standing.is_administrator and room.calls.may(visitor, MEMBERS)
    members = [
        Member(account, roster.enrollments[account.account_id], _role(standing, account.account_id))
        for account in sorted(roster.accounts.values(), key=lambda one: one.account_id)
    ]
    values = {
        "own": own,
        "standing": standing,
        "organization": standing.organization,
        "members": members[:SHOWN] if sees else [],
        "hidden": max(0, len(members) - SHOWN) if sees else 0,
        "may_change": room.calls.may(visitor, UPDATE),
        "name": roster.accounts[visitor.account_id].name,
    }
    return page(room, request, session, "enrollment.html", values)


def change(room: Room, request: Request, session: Session) -> Response:
    """Opt the account in or out, as UpdateEnrollmentStatus does."""
    wanted: dict[str, Any] = {"status": request.field("status")}
    if request.field("members"):
        wanted["includeMemberAccounts"] = True
    room.calls.perform(session.visitor, "", request.source, UPDATE, wanted)
    return redirect(HERE)


def _role(standing: Standing, account_id: str) -> str:
    organization = standing.organization
    if organization is None:
        return ""
    if account_id == organization.management_account_id:
        return "Management account"
    if account_id == organization.delegated_administrator_id:
        return "Delegated administrator"
    return "Member"
