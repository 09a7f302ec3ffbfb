"""Enrollment as the state database keeps it, and the questions that every request asks of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, String, bindparam, exists, func, or_, select

from compute_optimizer.model.account import (
    OPTED_IN,
    Enrollment,
    EnrollmentStatus,
    Organization,
)
from compute_optimizer.store.schema import (
    accounts,
    enrollments,
    organizations,
    recommendations,
    resources,
    run_scopes,
    tiles,
)

OPTED_IN_VALUES = sorted(one.value for one in OPTED_IN)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one account stands: all that its enrollment status and its access depend on."""

    enrollment: Enrollment
    organization: Organization | None
    members_included: bool
    """Whether an opt-in that includes the members of the organization is in force."""
    members_opted_in: int
    """Active members that are not suspended; 0 for accounts that are no administrators."""
    suspended: bool

    @property
    def is_administrator(self) -> bool:
        """Whether this is the management account or the delegated administrator."""
        administrators = self.organization.administrators if self.organization else frozenset()
        return self.enrollment.account_id in administrators

    @property
    def sees_members(self) -> bool:
        """Whether the account may see data of its organization's accounts."""
        return (
            self.is_administrator
            and self.organization is not None
            and self.organization.trusted_access
        )


def find_enrollment(connection: Connection, account_id: str) -> Enrollment:
    """Return the enrollment of an account; one that never enrolled is Inactive."""
    row = connection.execute(ENROLLMENT, {"wanted": account_id}).first()
    return _from_row(row._asdict()) if row else Enrollment(account_id)


def enrollments_of(connection: Connection, organization_id: str) -> dict[str, Enrollment]:
    """Return the enrollment of every account of an organization."""
    rows = connection.execute(_of_organization(organization_id))
    return {row.member_id: _from_member(row._asdict()) for row in rows}


def all_enrollments(connection: Connection) -> dict[str, Enrollment]:
    """Return the enrollment of every account that ever enrolled, added or not."""
    rows = connection.execute(select(enrollments))
    return {row.account_id: _from_row(row._asdict()) for row in rows}


def standing_of(connection: Connection, account_id: str) -> Standing:
    """Return where an account stands; one that was never added stands alone."""
    row = connection.execute(STANDING, {"wanted": account_id}).one()
    width, suspended = len(enrollments.c), bool(row[-1])
    own, its_organization = (
        dict(zip(table.c.keys(), values, strict=True)) if values[0] is not None else None
        for table, values in ((enrollments, row[:width]), (organizations, row[width:-1]))
    )
    enrollment = _from_row(own) if own else Enrollment(account_id)
    organization = Organization(**its_organization) if its_organization else None
    if organization is None or account_id not in organization.administrators:
        return Standing(enrollment, organization, False, 0, suspended)
    asked = {
        "administrators": sorted(organization.administrators),
        "organization": organization.organization_id,
        "management": organization.management_account_id,
    }
    included, active = connection.execute(MEMBERS, asked).one()
    return Standing(enrollment, organization, included > 0, active, suspended)


def members_page(
    connection: Connection,
    organization: Organization,
    statuses: Collection[EnrollmentStatus] | None,
    after: str,
    limit: int,
) -> list[Enrollment]:
    """Return enrollments of member accounts by account id, beginning after the given id.

    `statuses` None does not restrict. The management account is not among them.
    """
    statement = _of_organization(organization.organization_id).where(
        accounts.c.account_id > after,
        accounts.c.account_id != organization.management_account_id,
    )
    if statuses is not None:
        statement = statement.where(_has_status(statuses))
    rows = connection.execute(statement.order_by(accounts.c.account_id).limit(limit))
    return [_from_member(row._asdict()) for row in rows]


def members_by_status(
    connection: Connection, organization: Organization
) -> dict[EnrollmentStatus, int]:
    """Return how many member accounts have each status; the management account is none of them."""
    status = func.coalesce(enrollments.c.status, EnrollmentStatus.INACTIVE.value)
    statement = (
        select(status, func.count())
        .select_from(accounts.outerjoin(enrollments, _same_account()))
        .where(
            accounts.c.organization_id == organization.organization_id,
            accounts.c.account_id != organization.management_account_id,
        )
        .group_by(status)
    )
    found = {EnrollmentStatus(name): number for name, number in connection.execute(statement)}
    return {one: found.get(one, 0) for one in EnrollmentStatus}


def opted_in_accounts(connection: Connection) -> frozenset[str]:
    """Return the accounts that are collected, analyzed and shown: opted in and not suspended."""
    statement = _left_joined().where(enrollments.c.status.in_(OPTED_IN_VALUES), _not_suspended())
    return frozenset(connection.execute(statement).scalars())


def pending_accounts(connection: Connection) -> tuple[str, ...]:
    """Return one account of every organization, and every standalone one, that waits for its check.

    Suspended accounts cannot be checked, so they are left out.
    """
    first = func.min(enrollments.c.account_id)
    group = func.coalesce(accounts.c.organization_id, enrollments.c.account_id)
    statement = (
        select(first)
        .select_from(enrollments.outerjoin(accounts, _same_account()))
        .where(enrollments.c.status == EnrollmentStatus.PENDING.value, _not_suspended())
        .group_by(group)
        .order_by(first)
    )
    return tuple(connection.execute(statement).scalars())


def opted_out_with_data(connection: Connection) -> dict[str, datetime]:
    """Return the accounts that opted out and still have data here, and when they opted out."""
    statement = select(enrollments.c.account_id, enrollments.c.opted_out_at).where(
        enrollments.c.opted_out_at.is_not(None),
        or_(
            *(
                exists().where(table.c.account_id == enrollments.c.account_id)
                for table in (tiles, resources, run_scopes, recommendations)
            )
        ),
    )
    return {row.account_id: row.opted_out_at for row in connection.execute(statement)}


def _of_organization(organization_id: str) -> Select[Any]:
    return (
        select(accounts.c.account_id.label("member_id"), enrollments)
        .select_from(accounts.outerjoin(enrollments, _same_account()))
        .where(accounts.c.organization_id == organization_id)
    )


def _left_joined() -> Select[Any]:
    return select(enrollments.c.account_id).select_from(
        enrollments.outerjoin(accounts, _same_account())
    )


def _same_account() -> Any:
    return accounts.c.account_id == enrollments.c.account_id


def _not_suspended() -> Any:
    """Accounts that were never added have no row that could be suspended."""
    return or_(accounts.c.suspended.is_(None), accounts.c.suspended.is_(False))


def _has_status(statuses: Collection[EnrollmentStatus]) -> Any:
    listed = enrollments.c.status.in_(sorted(one.value for one in statuses))
    if EnrollmentStatus.INACTIVE not in statuses:
        return listed
    # A member that never enrolled has no row and is Inactive.
    return or_(listed, enrollments.c.status.is_(None))


def _from_member(row: dict[str, Any]) -> Enrollment:
    values = {key: value for key, value in row.items() if key != "member_id"}
    return _from_row(values) if values["account_id"] else Enrollment(row["member_id"])


def _from_row(row: dict[str, Any]) -> Enrollment:
    return Enrollment(**{**row, "status": EnrollmentStatus(row["status"])})


def _standing() -> Select[Any]:
    """An enrollment beside an organization, of either the first column is empty without one, and
    whether the account is suspended."""
    one = select(bindparam("wanted", type_=String).label("account_id")).subquery()
    return select(*enrollments.c, *organizations.c, accounts.c.suspended).select_from(
        one.outerjoin(enrollments, enrollments.c.account_id == one.c.account_id)
        .outerjoin(accounts, accounts.c.account_id == one.c.account_id)
        .outerjoin(organizations, organizations.c.organization_id == accounts.c.organization_id)
    )


def _members() -> Select[Any]:
    """How many administrators include the members, and how many members are Active."""
    included = select(func.count()).where(
        enrollments.c.account_id.in_(bindparam("administrators", expanding=True)),
        enrollments.c.includes_members,
    )
    active = (
        select(func.count())
        .select_from(enrollments.join(accounts, _same_account()))
        .where(
            accounts.c.organization_id == bindparam("organization"),
            accounts.c.account_id != bindparam("management"),
            enrollments.c.status == EnrollmentStatus.ACTIVE.value,
            accounts.c.suspended.is_(False),
        )
    )
    return select(included.scalar_subquery(), active.scalar_subquery())


# Every request asks these: making a statement takes longer than a small database to answer it.
ENROLLMENT = select(enrollments).where(enrollments.c.account_id == bindparam("wanted"))
STANDING = _standing()
MEMBERS = _members()
