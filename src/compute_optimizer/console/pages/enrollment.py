"""Enrollment: who is analyzed and who is not, and the organization around the account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compute_optimizer.console.forms import FRESH, Entered, refused
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response, redirect
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session
from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.jobs import organization as jobs
from compute_optimizer.model.account import (
    Account,
    EnrollmentStatus,
    Organization,
    check_account_id,
)
from compute_optimizer.model.enrollment import (
    ROLE_FAILED,
    TRUSTED_ACCESS_FAILED,
    TRUSTED_ACCESS_LOST,
)
from compute_optimizer.shapes import AccessDeniedException
from compute_optimizer.store.accounts import accounts_named
from compute_optimizer.store.enrollments import (
    Standing,
    find_enrollment,
    members_by_status,
    standing_of,
)

STATUS, MEMBERS, UPDATE = (
    "GetEnrollmentStatus",
    "GetEnrollmentStatusesForOrganization",
    "UpdateEnrollmentStatus",
)

HERE = "/console/enrollment"

DELEGATE_AT = {"account": "delegate"}
"""Words of a refusal -> the field that it is about."""

REMEDIES = {
    ROLE_FAILED: "The account's metrics cannot be read: see to its source, then opt in again.",
    TRUSTED_ACCESS_FAILED: "Organizations refuses trusted access: allow it, then opt in again.",
    TRUSTED_ACCESS_LOST: "Opt in with all member accounts to enroll them again.",
}
"""What to do about a reason (docs/enrollment.md)."""

WAITING = (
    "The check runs within a second while the program serves. If it stays Pending, no server runs "
    "on this state, or the account is suspended."
)
"""What to do about Pending, whatever its reason."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member account of the organization."""

    account: Account
    status: str
    reason: str
    remedy: str
    changed: datetime | None
    is_delegated: bool


@dataclass(frozen=True, slots=True)
class Members:
    """A page of the member accounts."""

    rows: list[Member]
    counts: Mapping[EnrollmentStatus, int]
    """Of all of them."""
    following: str
    """Token of the next page; empty for the last."""


def show(room: Room, request: Request, session: Session) -> Response:
    """Show where the account and, to administrators, its organization stand."""
    return _page(room, request, session)


def change(room: Room, request: Request, session: Session) -> Response:
    """Opt the account in or out, as UpdateEnrollmentStatus does."""
    wanted: dict[str, Any] = {"status": request.field("status")}
    if request.field("members"):
        wanted["includeMemberAccounts"] = True
    try:
        room.calls.perform(session.visitor, "", request.source, UPDATE, wanted)
    except Exception as error:
        return _page(room, request, session, refused(request, error, {}))
    return redirect(HERE)


def change_organization(room: Room, request: Request, session: Session) -> Response:
    """Change trusted access or the delegated administrator, as `accounts` of the command does."""
    visitor, name = session.visitor, request.field("change")
    told = {"change": name, "account": request.field("delegate").strip()}
    try:
        if name not in CHANGES:
            raise InvalidInput(f"change {name[:40]!r}: expected one of {', '.join(CHANGES)}")
        command = f"accounts {name}"
        with room.calls.guard(visitor, request.source, UPDATE, command, told):
            organization = _managed(room, visitor.account_id)
            CHANGES[name](room, organization, request)
    except Exception as error:
        return _page(room, request, session, refused(request, error, DELEGATE_AT))
    return redirect(f"{HERE}#organization")


def _page(room: Room, request: Request, session: Session, entered: Entered = FRESH) -> Response:
    visitor = session.visitor
    own = room.calls.perform(visitor, "", request.source, STATUS, {})
    with room.state.reading() as connection:
        standing = standing_of(connection, visitor.account_id)
        names = accounts_named(connection, [visitor.account_id])
        manager = _manager(standing)
        management = find_enrollment(connection, manager) if manager else None
    may_list = standing.sees_members and room.calls.may(visitor, MEMBERS)
    may_change = room.calls.may(visitor, UPDATE)
    status = request.one("status")
    values = {
        "own": own,
        "remedy": _remedy(own["status"], own.get("statusReason", "")),
        "standing": standing,
        "organization": standing.organization,
        "management": management,
        "is_management": manager == visitor.account_id,
        "members": _members(room, request, session, standing) if may_list else None,
        "may_list": room.calls.may(visitor, MEMBERS),
        "status": status,
        "find": request.one("find").strip(),
        "token": request.one("token"),
        "statuses": list(EnrollmentStatus),
        "may_change": may_change,
        "name": names[visitor.account_id].name if names else "",
        "entered": entered,
        "address": HERE,
    }
    return page(room, request, session, "enrollment.html", values, entered.status)


def _members(room: Room, request: Request, session: Session, standing: Standing) -> Members:
    """Return a page of members in one status or all, as the operation lists them, or the one that
    is asked for."""
    organization = standing.organization
    assert organization is not None, "who sees members has an organization"
    if wanted := request.one("find").strip():
        room.calls.permit(session.visitor, "", request.source, MEMBERS)
        answer: dict[str, Any] = {"accountEnrollmentStatuses": _one(room, organization, wanted)}
    else:
        asked: dict[str, Any] = {}
        if status := request.one("status"):
            asked["filters"] = [{"name": "Status", "values": [status]}]
        if token := request.one("token"):
            asked["nextToken"] = token
        answer = room.calls.perform(session.visitor, "", request.source, MEMBERS, asked)
    listed: list[dict[str, Any]] = answer["accountEnrollmentStatuses"]
    with room.state.reading() as connection:
        known = accounts_named(connection, [one["accountId"] for one in listed])
        counts = members_by_status(connection, organization)
    rows = [_member(one, known, organization) for one in listed]
    return Members(rows, counts, answer.get("nextToken", ""))


def _one(room: Room, organization: Organization, account_id: str) -> list[dict[str, Any]]:
    """Return one member as the operation would list it; nothing for other accounts."""
    with room.state.reading() as connection:
        found = accounts_named(connection, [account_id]).get(account_id)
        if found is None or found.organization_id != organization.organization_id:
            return []
        one = find_enrollment(connection, account_id)
    return [
        {
            "accountId": account_id,
            "status": one.status.value,
            "statusReason": one.status_reason or "",
            "lastUpdatedTimestamp": one.last_updated,
        }
    ]


def _member(
    one: Mapping[str, Any], known: Mapping[str, Account], organization: Organization
) -> Member:
    account_id, reason = one["accountId"], one.get("statusReason") or ""
    return Member(
        account=known.get(account_id, Account(account_id)),
        status=one["status"],
        reason=reason,
        remedy=_remedy(one["status"], reason),
        changed=one.get("lastUpdatedTimestamp"),
        is_delegated=account_id == organization.delegated_administrator_id,
    )


def _remedy(status: str, reason: str) -> str:
    usual = WAITING if status == EnrollmentStatus.PENDING else ""
    return REMEDIES.get(reason, usual)


def _manager(standing: Standing) -> str | None:
    return standing.organization.management_account_id if standing.organization else None


def _managed(room: Room, account_id: str) -> Organization:
    """Return the organization that an account manages; raise AccessDeniedException for none."""
    with room.state.reading() as connection:
        organization = standing_of(connection, account_id).organization
    if organization is None or organization.management_account_id != account_id:
        raise AccessDeniedException(
            f"Account {account_id} is not authorized to change its organization: only the "
            "management account is."
        )
    return organization


def _delegated(room: Room, organization: Organization, request: Request) -> None:
    account_id = check_account_id(request.field("delegate").strip())
    try:
        jobs.delegate(room.state, room.clock, account_id, organization.organization_id)
    except NotFound as error:
        raise InvalidInput(f"account {account_id} is no member of the organization") from error


def _undelegated(room: Room, organization: Organization, request: Request) -> None:
    jobs.undelegate(room.state, room.clock, organization.organization_id)


def _trusted(allowed: bool) -> Callable[[Room, Organization, Request], None]:
    def act(room: Room, organization: Organization, request: Request) -> None:
        where = organization.organization_id
        jobs.allow_trusted_access(room.state, room.clock, where, allowed)

    return act


CHANGES: Mapping[str, Callable[[Room, Organization, Request], None]] = {
    "trusted-access on": _trusted(True),
    "trusted-access off": _trusted(False),
    "delegate": _delegated,
    "undelegate": _undelegated,
}
"""What the forms of the organization do, by the words of the command that does the same."""
