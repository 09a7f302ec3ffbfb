"""Change organizations and their accounts; every verb is one transaction and tells what changed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.errors import Conflict, NotFound
from compute_optimizer.interfaces import Clock
from compute_optimizer.model import organization as decisions
from compute_optimizer.model.account import (
    Account,
    Organization,
    check_account_id,
    check_organization_id,
)
from compute_optimizer.model.roster import Roster, with_account, with_organization
from compute_optimizer.store import State
from compute_optimizer.store import accounts as store
from compute_optimizer.store.accounts import (
    find_account,
    list_rosters,
    lock_rosters,
    roster_of,
    save_roster,
    the_organization,
)

Decision = Callable[[Roster], Roster]


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute of an account or organization that is different now; None is absent."""

    subject: str
    """The id of the account or organization."""
    attribute: str
    before: Any
    after: Any


def recorded(state: State, act: Callable[[Connection], None]) -> list[Change]:
    """Do something to the organizations in one transaction and return what changed."""
    with state.writing() as connection:
        lock_rosters(connection)
        before = _facts(list_rosters(connection))
        act(connection)
        after = _facts(list_rosters(connection))
    changes = [
        Change(*key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
    ]
    # A switch that is off on a new account is no news.
    return [one for one in changes if one.before != one.after and (one.before or one.after)]


def add_accounts(
    state: State,
    clock: Clock,
    account_ids: Collection[str],
    organization_id: str | None = None,
    name: str = "",
) -> list[Change]:
    """Add accounts to an organization, or as standalone ones; all of them or none.

    Raises Conflict for an account that is there already.
    """

    def act(connection: Connection) -> None:
        added = store.all_accounts(connection)
        newcomers = dict.fromkeys(account_ids)
        store.save_accounts(
            connection, [_new_account(added, one, organization_id, name) for one in newcomers]
        )
        if organization_id is not None:
            organization = store.find_organization(connection, organization_id)
            admit(connection, clock, organization, account_ids)

    return recorded(state, act)


def remove_accounts(state: State, clock: Clock, account_ids: Collection[str]) -> list[Change]:
    """Take accounts out of their organization and forget them, all or none; enrollments stay.

    A management account goes last, and the organization with it. Raises Conflict and NotFound.
    """

    def act(connection: Connection) -> None:
        for account_id in account_ids:
            _remove(connection, clock, account_id)

    return recorded(state, act)


def set_management(
    state: State, clock: Clock, account_id: str, organization_id: str | None = None
) -> list[Change]:
    """Make an account the management account of its organization, or of a new one.

    The id of a new organization is derived from the account's where none is given.
    """
    check_account_id(account_id)

    def act(connection: Connection) -> None:
        before = roster_of(connection, account_id)
        if before.organization is None:
            establish(
                connection, account_id, organization_id or default_organization_id(account_id)
            )
            return
        if organization_id not in (None, before.organization.organization_id):
            raise Conflict(
                f"account {account_id} belongs to {before.organization.organization_id}, not to "
                f"{organization_id}; name that organization, or remove the account there first"
            )
        after = decisions.name_management_account(before, account_id, clock.now())
        save_roster(connection, before, after)

    return recorded(state, act)


def change_account(state: State, account_id: str, decide: Decision) -> list[Change]:
    """Change the roster of an account that has been added; raises NotFound."""

    def act(connection: Connection) -> None:
        before = known_roster(connection, account_id)
        save_roster(connection, before, decide(before))

    return recorded(state, act)


def change_organization(
    state: State, organization_id: str | None, decide: Decision
) -> list[Change]:
    """Change the roster of an organization, the only one where none is named."""

    def act(connection: Connection) -> None:
        organization = the_organization(connection, organization_id)
        before = roster_of(connection, organization.management_account_id)
        save_roster(connection, before, decide(before))

    return recorded(state, act)


def suspend_accounts(state: State, account_ids: Collection[str], suspended: bool) -> list[Change]:
    """Suspend or resume accounts, all or none; raises NotFound and Conflict."""

    def act(connection: Connection) -> None:
        for account_id in account_ids:
            before = known_roster(connection, account_id)
            save_roster(connection, before, decisions.suspend(before, account_id, suspended))

    return recorded(state, act)


def make_metrics_unreadable(state: State, account_id: str, unreadable: bool) -> list[Change]:
    """Turn the switch that lets the account's background check fail on or off.

    An account that was never added is added with it: the switch has to stand somewhere.
    """
    check_account_id(account_id)

    def act(connection: Connection) -> None:
        before = roster_of(connection, account_id)
        after = with_account(before, account_id, metrics_unreadable=unreadable)
        save_roster(connection, before, after)

    return recorded(state, act)


def refuse_trusted_access(state: State, organization_id: str | None, refused: bool) -> list[Change]:
    """Turn the switch that lets turning on trusted access fail on or off."""
    decide = partial(with_organization, trusted_access_refused=refused)
    return change_organization(state, organization_id, decide)


def delegate(
    state: State, clock: Clock, account_id: str, organization_id: str | None = None
) -> list[Change]:
    """Make a member the delegated administrator of its organization.

    With `organization_id` it has to be a member of that one.
    """

    def decide(roster: Roster) -> Roster:
        ours = roster.organization and roster.organization.organization_id
        if organization_id not in (None, ours):
            raise Conflict(f"account {account_id} does not belong to {organization_id}")
        if roster.organization is None:
            raise Conflict(
                f"account {account_id} belongs to no organization; only a member account can be "
                "the delegated administrator"
            )
        return decisions.delegate(roster, account_id, clock.now())

    return change_account(state, account_id, decide)


def undelegate(state: State, clock: Clock, organization_id: str | None = None) -> list[Change]:
    """Leave an organization without a delegated administrator."""
    decide = partial(decisions.delegate, account_id=None, now=clock.now())
    return change_organization(state, organization_id, decide)


def allow_trusted_access(
    state: State, clock: Clock, organization_id: str | None, allowed: bool
) -> list[Change]:
    """Turn the trusted access of an organization on or off."""
    decide = partial(decisions.allow_trusted_access, allowed=allowed, now=clock.now())
    return change_organization(state, organization_id, decide)


def enable_all_features(
    state: State, clock: Clock, organization_id: str | None, enabled: bool
) -> list[Change]:
    """Turn all features of an organization on or off."""
    decide = partial(decisions.enable_all_features, enabled=enabled, now=clock.now())
    return change_organization(state, organization_id, decide)


def default_organization_id(management_account_id: str) -> str:
    """Return the id of an organization that was given none."""
    return f"o-{management_account_id}"


def known_roster(connection: Connection, account_id: str) -> Roster:
    """Return the roster of an account that has been added; raise NotFound for others."""
    if find_account(connection, account_id) is None:
        raise NotFound(
            f"no account {account_id!r}; `compute-optimizer accounts list` shows them all, "
            "`compute-optimizer accounts add` adds one"
        )
    return roster_of(connection, account_id)


def establish(connection: Connection, account_id: str, organization_id: str) -> None:
    """Make a standalone account the management account of a new organization."""
    check_organization_id(organization_id)
    before = roster_of(connection, account_id)
    if before.organization is not None:
        raise Conflict(
            f"account {account_id} belongs to {before.organization.organization_id}; "
            "name that organization, or remove the account there first"
        )
    taken = [one.organization_id for one in store.list_organizations(connection)]
    if organization_id in taken:
        raise Conflict(
            f"organization {organization_id} exists and account {account_id} is no member; "
            "add the account to it first"
        )
    save_roster(connection, before, decisions.found(before, organization_id))


def admit(
    connection: Connection, clock: Clock, organization: Organization, account_ids: Collection[str]
) -> None:
    """Let standalone accounts join an organization; raise Conflict for others' members."""
    alone = store.gathered(connection, account_ids)
    for one in alone.accounts.values():
        if one.organization_id:
            raise Conflict(
                f"account {one.account_id} belongs to {one.organization_id}; remove it there first"
            )
    before = roster_of(connection, organization.management_account_id)
    after = decisions.join(before, alone, clock.now())
    # What the newcomers were is stored already, so only what joining changed is written.
    save_roster(connection, _together(before, alone), after)


def expel(
    connection: Connection, clock: Clock, organization: Organization, account_ids: Collection[str]
) -> None:
    """Let members leave an organization."""
    before = roster_of(connection, organization.management_account_id)
    rest, gone = decisions.leave(before, account_ids, clock.now())
    save_roster(connection, before, rest)
    save_roster(connection, before, gone)


def _new_account(
    added: Mapping[str, Account], account_id: str, organization_id: str | None, name: str
) -> Account:
    """Return the account to add, standalone for now; raise Conflict where it has a place."""
    check_account_id(account_id)
    known = added.get(account_id)
    if known and (known.organization_id or organization_id is None):
        place = known.organization_id or "the standalone accounts"
        raise Conflict(f"account {account_id} has been added to {place} already")
    return replace(known, name=name or known.name) if known else Account(account_id, name)


def _remove(connection: Connection, clock: Clock, account_id: str) -> None:
    before = known_roster(connection, account_id)
    organization = before.organization
    if organization and account_id == organization.management_account_id:
        save_roster(connection, before, decisions.dissolve(before, clock.now()))
        store.remove_organization(connection, organization.organization_id)
    elif organization:
        expel(connection, clock, organization, [account_id])
    store.remove_account(connection, account_id)


def _together(roster: Roster, alone: Roster) -> Roster:
    accounts = {**roster.accounts, **alone.accounts}
    return Roster(roster.organization, accounts, {**roster.enrollments, **alone.enrollments})


def _facts(rosters: Collection[Roster]) -> Mapping[tuple[str, str], Any]:
    """Return every attribute of every account and organization by its subject and name."""
    facts: dict[tuple[str, str], Any] = {}
    for roster in rosters:
        if roster.organization:
            facts |= _attributes(roster.organization, "organization_id")
        for account_id, account in roster.accounts.items():
            facts |= _attributes(account, "account_id")
            facts[account_id, "status"] = roster.enrollments[account_id].status.value
    return facts


def _attributes(record: Organization | Account, key: str) -> dict[tuple[str, str], Any]:
    values = asdict(record)
    subject = values.pop(key)
    return {(subject, name): value for name, value in values.items()}
