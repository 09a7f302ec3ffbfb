"""Accounts and organizations as the state database keeps them, read and written as rosters.

An account that was never added is a standalone account: any account may opt in.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select

from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.model.account import Account, Enrollment, Organization
from compute_optimizer.model.roster import Roster
from compute_optimizer.store.enrollments import (
    Standing,
    all_enrollments,
    enrollments_of,
    find_enrollment,
)
from compute_optimizer.store.schema import (
    accounts,
    enrollments,
    organizations,
    recommendation_preferences,
)
from compute_optimizer.store.state import State

CHANGE_LOCK = 0x0C1
"""Number of the PostgreSQL advisory lock that changes of rosters hold; any fixed number does."""


def change_roster(state: State, account_id: str, decide: Callable[[Roster], Roster]) -> Roster:
    """Replace the roster of an account by what `decide` makes of it, in one transaction.

    Returns the new roster; when `decide` raises, nothing has changed.
    """
    with state.writing() as connection:
        before = roster_for_change(connection, account_id)
        after = decide(before)
        save_roster(connection, before, after)
    return after


def roster_for_change(connection: Connection, account_id: str) -> Roster:
    """Return the roster of an account and keep others from changing rosters meanwhile."""
    lock_rosters(connection)
    return roster_of(connection, account_id)


def lock_rosters(connection: Connection) -> None:
    """Keep others from changing rosters until the transaction ends."""
    if connection.dialect.name != "sqlite":
        # SQLite has one writer at a time; here two could decide on the same state.
        connection.execute(select(func.pg_advisory_xact_lock(CHANGE_LOCK)))


def roster_of(connection: Connection, account_id: str) -> Roster:
    """Return the account with all that belong to its organization, or alone."""
    account = find_account(connection, account_id) or Account(account_id)
    if account.organization_id is None:
        enrollment = find_enrollment(connection, account_id)
        return Roster(None, {account_id: account}, {account_id: enrollment})
    organization = find_organization(connection, account.organization_id)
    rows = connection.execute(
        select(accounts)
        .where(accounts.c.organization_id == organization.organization_id)
        .order_by(accounts.c.account_id)
    )
    members = {row.account_id: Account(**row._mapping) for row in rows}
    return Roster(organization, members, enrollments_of(connection, organization.organization_id))


def accounts_seen(connection: Connection, standing: Standing, account_id: str) -> dict[str, str]:
    """Return the opted-in accounts that an account sees, by the rules of the API (spec 8.5): names
    by id. Nothing where it is not opted in itself.
    """
    if not standing.enrollment.opted_in:
        return {}
    roster = roster_of(connection, account_id)
    shown = roster.accounts if standing.sees_members else {account_id: roster.accounts[account_id]}
    return {
        one.account_id: one.name
        for one in shown.values()
        if roster.enrollments[one.account_id].opted_in and not one.suspended
    }


def gathered(connection: Connection, account_ids: Collection[str]) -> Roster:
    """Return some accounts as they are, wherever they belong, as one roster of no organization."""
    # Two statements for however many: names of thousands would be too many for one.
    added, enrolled = all_accounts(connection), all_enrollments(connection)
    members = {one: added.get(one) or Account(one) for one in account_ids}
    return _roster(None, members, enrolled)


def all_accounts(connection: Connection) -> dict[str, Account]:
    """Return every account that was added, by id."""
    rows = connection.execute(select(accounts))
    return {row.account_id: Account(**row._mapping) for row in rows}


def find_account(connection: Connection, account_id: str) -> Account | None:
    """Return the account, or None where it was never added."""
    row = connection.execute(select(accounts).where(accounts.c.account_id == account_id)).first()
    return Account(**row._mapping) if row else None


def accounts_named(connection: Connection, account_ids: Collection[str]) -> dict[str, Account]:
    """Return the accounts of some ids, as far as they were added; a page of them at most."""
    rows = connection.execute(select(accounts).where(accounts.c.account_id.in_(account_ids)))
    return {row.account_id: Account(**row._mapping) for row in rows}


def find_organization(connection: Connection, organization_id: str) -> Organization:
    """Return the organization; raise NotFound."""
    statement = select(organizations).where(organizations.c.organization_id == organization_id)
    row = connection.execute(statement).first()
    if row is None:
        raise NotFound(
            f"no organization {organization_id!r}; `compute-optimizer accounts list` shows them all"
        )
    return Organization(**row._mapping)


def organizations_of_accounts(connection: Connection) -> dict[str, str]:
    """Return the organization of every member account."""
    columns = accounts.c.account_id, accounts.c.organization_id
    rows = connection.execute(select(*columns).where(accounts.c.organization_id.is_not(None)))
    return {row.account_id: row.organization_id for row in rows}


def the_organization(connection: Connection, organization_id: str | None = None) -> Organization:
    """Return the named organization, or the only one.

    Raises NotFound where there is none, InvalidInput where several could be meant.
    """
    if organization_id is not None:
        return find_organization(connection, organization_id)
    found = list_organizations(connection)
    if not found:
        raise NotFound(
            "there is no organization yet; `compute-optimizer accounts set-management ACCOUNT` "
            "makes one"
        )
    if len(found) > 1:
        names = ", ".join(one.organization_id for one in found)
        raise InvalidInput(
            f"several organizations could be meant ({names}); name one: --organization"
        )
    return found[0]


def list_organizations(connection: Connection) -> list[Organization]:
    """Return every organization by id."""
    rows = connection.execute(select(organizations).order_by(organizations.c.organization_id))
    return [Organization(**row._mapping) for row in rows]


def list_rosters(connection: Connection) -> list[Roster]:
    """Return every roster: organizations by id, then standalone accounts by id.

    An account that was never added counts once it has an enrollment.
    """
    enrolled = all_enrollments(connection)
    members = defaultdict[str | None, dict[str, Account]](dict)
    strangers = dict(enrolled)
    for row in connection.execute(select(accounts).order_by(accounts.c.account_id)):
        members[row.organization_id][row.account_id] = Account(**row._mapping)
        strangers.pop(row.account_id, None)
    managed = [
        _roster(one, members[one.organization_id], enrolled)
        for one in list_organizations(connection)
    ]
    alone = members[None] | {one: Account(one) for one in strangers}
    return managed + [_roster(None, {one: alone[one]}, enrolled) for one in sorted(alone)]


def _roster(
    organization: Organization | None,
    members: dict[str, Account],
    enrolled: Mapping[str, Enrollment],
) -> Roster:
    enrollments_by_id = {one: enrolled.get(one) or Enrollment(one) for one in members}
    return Roster(organization, members, enrollments_by_id)


def save_accounts(connection: Connection, changed: Iterable[Account]) -> None:
    """Add or replace accounts; each comes once."""
    _replace(connection, accounts, [asdict(one) for one in changed])


def remove_account(connection: Connection, account_id: str) -> None:
    """Forget an account; its enrollment stays."""
    connection.execute(delete(accounts).where(accounts.c.account_id == account_id))


def remove_organization(connection: Connection, organization_id: str) -> None:
    """Forget an organization that has no accounts any more, and the preferences of its scope."""
    connection.execute(
        delete(recommendation_preferences).where(
            recommendation_preferences.c.owner_id == organization_id
        )
    )
    connection.execute(
        delete(organizations).where(organizations.c.organization_id == organization_id)
    )


def save_roster(connection: Connection, before: Roster, after: Roster) -> None:
    """Write what differs between two rosters; accounts that left are not touched."""
    if after.organization is not None and after.organization != before.organization:
        _save_organization(connection, after.organization)
    save_accounts(
        connection,
        (one for key, one in after.accounts.items() if one != before.accounts.get(key)),
    )
    changed_enrollments = (
        one for key, one in after.enrollments.items() if one != before.enrollments.get(key)
    )
    _replace(connection, enrollments, [asdict(one) for one in changed_enrollments])


def _save_organization(connection: Connection, organization: Organization) -> None:
    values = asdict(organization)
    same = organizations.c.organization_id == organization.organization_id
    if not connection.execute(organizations.update().where(same).values(values)).rowcount:
        connection.execute(insert(organizations).values(values))


def _replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Write rows of a table whose key is the account id."""
    if rows:
        gone = [{"gone": row["account_id"]} for row in rows]
        connection.execute(delete(table).where(table.c.account_id == bindparam("gone")), gone)
        connection.execute(insert(table), rows)
