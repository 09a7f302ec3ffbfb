"""Apply the file that describes organizations and their accounts, as often as one likes.

What the file does not mention stays as it is, with one exception: the accounts of an organization
in the file are exactly those that the file lists.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection

from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.organization import (
    Change,
    Decision,
    admit,
    default_organization_id,
    establish,
    expel,
    recorded,
)
from compute_optimizer.model.account import (
    Account,
    Organization,
    check_account_id,
    check_organization_id,
)
from compute_optimizer.model.organization import (
    allow_trusted_access,
    delegate,
    enable_all_features,
    name_management_account,
)
from compute_optimizer.model.roster import with_organization
from compute_optimizer.sources.yaml_files import read_yaml, repeated
from compute_optimizer.store import State
from compute_optimizer.store.accounts import (
    all_accounts,
    find_organization,
    list_organizations,
    roster_of,
    save_accounts,
    save_roster,
)


class AccountId(str):
    """Twelve digits, also where YAML has read them as a number."""

    __slots__ = ()


class OrganizationId(str):
    """The id of an organization."""

    __slots__ = ()


class AccountEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account of the file."""

    account_id: AccountId
    name: str | UnsetType = UNSET
    suspended: bool | UnsetType = UNSET
    metrics_unreadable: bool | UnsetType = UNSET


class OrganizationEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One organization of the file with its accounts."""

    management_account_id: AccountId
    organization_id: OrganizationId | None = None
    """Derived from the management account where it is left out."""
    all_features: bool | UnsetType = UNSET
    trusted_access: bool | UnsetType = UNSET
    trusted_access_refused: bool | UnsetType = UNSET
    delegated_administrator_id: AccountId | UnsetType | None = UNSET
    accounts: tuple[AccountEntry, ...] = ()

    @property
    def id(self) -> str:
        """The id of the organization, given or derived."""
        return self.organization_id or default_organization_id(self.management_account_id)

    @property
    def account_ids(self) -> list[str]:
        """Every account of the organization, the management account first."""
        listed = [one.account_id for one in self.accounts]
        return list(dict.fromkeys([self.management_account_id, *listed]))


class OrganizationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    organizations: tuple[OrganizationEntry, ...] = ()
    accounts: tuple[AccountEntry, ...] = ()
    """Standalone accounts."""

    @property
    def account_entries(self) -> list[AccountEntry]:
        """Every account that the file describes."""
        return [*(one for entry in self.organizations for one in entry.accounts), *self.accounts]


def apply_file(state: State, clock: Clock, path: Path) -> list[Change]:
    """Make organizations and accounts as the file says and return what changed.

    All of it is one transaction. Raises InvalidInput that names the place in the file, and Conflict
    where the file asks for what cannot be.
    """
    wanted = read_file(path)
    return recorded(state, partial(_apply, clock=clock, wanted=wanted))


def read_file(path: Path) -> OrganizationFile:
    """Return the checked content of a file; raise InvalidInput that names the place in it."""
    file = read_yaml(path, OrganizationFile, _checked_id)
    try:
        _check_together(file)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error
    return file


def _checked_id(kind: type, value: Any) -> Any:
    """Return a value as the kind of id; msgspec adds the place to the error."""
    check = check_account_id if kind is AccountId else check_organization_id
    try:
        return kind(check(str(value)))
    except InvalidInput as error:
        hint = "; put it in quotes, or YAML takes it for a number" if value != str(value) else ""
        raise ValueError(f"{error}{hint}") from error


def _check_together(file: OrganizationFile) -> None:
    """Raise InvalidInput for what each entry alone cannot tell."""
    ids = Counter(entry.id for entry in file.organizations)
    if twice := repeated(ids):
        raise InvalidInput(f"organization {twice} is listed more than once - at `$.organizations`")
    for number, entry in enumerate(file.organizations):
        _check_organization(entry, f"$.organizations[{number}]")
    described = Counter(str(one.account_id) for one in file.account_entries)
    listed = [one for entry in file.organizations for one in entry.account_ids]
    belonging = Counter([*listed, *(one.account_id for one in file.accounts)])
    if twice := repeated(described) or repeated(belonging):
        raise InvalidInput(f"account {twice} is listed more than once; expected once")


def _check_organization(entry: OrganizationEntry, place: str) -> None:
    delegated = entry.delegated_administrator_id
    members = set(entry.account_ids) - {entry.management_account_id}
    if isinstance(delegated, str) and delegated not in members:
        raise InvalidInput(
            f"{delegated} is none of the member accounts that the file lists for the organization "
            f"- at `{place}.delegated_administrator_id`"
        )
    for number, one in enumerate(entry.accounts):
        if one.account_id == entry.management_account_id and one.suspended is True:
            raise InvalidInput(
                f"a management account cannot be suspended - at `{place}.accounts[{number}]`"
            )


def _apply(connection: Connection, clock: Clock, wanted: OrganizationFile) -> None:
    present = {one.organization_id: one for one in list_organizations(connection)}
    for entry in wanted.organizations:
        if entry.id in present:
            _let_leave(connection, clock, present[entry.id], entry.account_ids)
    _stand_alone(connection, wanted.accounts)
    for entry in wanted.organizations:
        if entry.id not in present:
            establish(connection, entry.management_account_id, entry.id)
        _gather(connection, clock, entry)
        _arrange(connection, clock, entry)
    _describe(connection, wanted.account_entries)


def _let_leave(
    connection: Connection, clock: Clock, organization: Organization, stay: Iterable[str]
) -> None:
    """Let members leave that the file does not list; the management account is still needed."""
    roster = roster_of(connection, organization.management_account_id)
    gone = roster.accounts.keys() - set(stay) - {organization.management_account_id}
    if gone:
        expel(connection, clock, organization, sorted(gone))


def _stand_alone(connection: Connection, entries: Iterable[AccountEntry]) -> None:
    """Add standalone accounts that are not there yet; raise Conflict for members."""
    added = all_accounts(connection)
    ids = [one.account_id for one in entries]
    for account in (added[one] for one in ids if one in added):
        if account.organization_id is not None:
            raise Conflict(
                f"account {account.account_id} belongs to {account.organization_id}, and the file "
                "lists it as a standalone account; remove it there first"
            )
    save_accounts(connection, [Account(one) for one in ids if one not in added])


def _gather(connection: Connection, clock: Clock, entry: OrganizationEntry) -> None:
    """Bring in the accounts that are not there yet, and the management account to its place."""
    organization = find_organization(connection, entry.id)
    present = roster_of(connection, organization.management_account_id).accounts
    newcomers = [one for one in entry.account_ids if one not in present]
    if newcomers:
        admit(connection, clock, organization, newcomers)
    management = entry.management_account_id
    if organization.management_account_id != management:
        name = partial(name_management_account, account_id=management, now=clock.now())
        _change(connection, management, [name])
        # The former one could not leave before another had its place.
        organization = find_organization(connection, entry.id)
        _let_leave(connection, clock, organization, entry.account_ids)


def _arrange(connection: Connection, clock: Clock, entry: OrganizationEntry) -> None:
    _change(connection, entry.management_account_id, _arrangements(entry, clock.now()))


def _arrangements(entry: OrganizationEntry, now: datetime) -> Iterator[Decision]:
    """Yield what the file asks of an organization, in an order in which each step is possible."""
    if entry.all_features is not UNSET:
        yield partial(enable_all_features, enabled=entry.all_features, now=now)
    if entry.trusted_access_refused is False:
        yield partial(with_organization, trusted_access_refused=False)
    if entry.trusted_access is not UNSET:
        yield partial(allow_trusted_access, allowed=entry.trusted_access, now=now)
    if entry.delegated_administrator_id is not UNSET:
        yield partial(delegate, account_id=entry.delegated_administrator_id, now=now)
    if entry.trusted_access_refused is True:
        yield partial(with_organization, trusted_access_refused=True)


def _change(connection: Connection, account_id: str, decisions: Iterable[Decision]) -> None:
    before = after = roster_of(connection, account_id)
    for decide in decisions:
        after = decide(after)
    save_roster(connection, before, after)


def _describe(connection: Connection, entries: Iterable[AccountEntry]) -> None:
    """Give accounts the attributes that the file mentions."""
    added = all_accounts(connection)
    described = [_described(added.get(one.account_id), one) for one in entries]
    save_accounts(connection, [one for one in described if one != added.get(one.account_id)])


def _described(known: Account | None, entry: AccountEntry) -> Account:
    given = {
        "name": entry.name,
        "suspended": entry.suspended,
        "metrics_unreadable": entry.metrics_unreadable,
    }
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not UNSET}
    return replace(known or Account(entry.account_id), **changes)
