"""Whose data a visitor sees: the account's own and, as an administrator, its organization's."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from compute_optimizer.console.gate import Room
from compute_optimizer.operations.access import check_shown
from compute_optimizer.store.accounts import accounts_seen
from compute_optimizer.store.analysis_runs import Scope, current_scopes
from compute_optimizer.store.enrollments import Standing, standing_of
from compute_optimizer.views.savings import currency_of


@dataclass(frozen=True, slots=True)
class Reach:
    """What is open to an account, by the rules of the API (spec 8.5)."""

    standing: Standing
    accounts: Mapping[str, str]
    """Opted in and not suspended, and their names, by id; empty where the visitor's own is not
    opted in."""
    scopes: frozenset[Scope]
    """Those with current recommendations."""

    @property
    def regions(self) -> list[str]:
        """Return every Region with recommendations."""
        return sorted({scope.region for scope in self.scopes})

    @property
    def currency(self) -> str:
        """Return the currency of its list prices; organizations lie in China, or elsewhere."""
        return currency_of(next(iter(self.regions), ""))


def reach_of(room: Room, account_id: str) -> Reach:
    """Return what is open to an account now."""
    load = partial(_read, account_id=account_id)
    return room.state.remembered(("console reach", account_id), load)


def reach_of_enrolled(room: Room, account_id: str) -> Reach:
    """Return the same; raise OptInRequiredException where the account itself is not opted in, or is
    suspended."""
    found = reach_of(room, account_id)
    check_shown(found.standing)
    return found


def _read(connection: Connection, account_id: str) -> Reach:
    standing = standing_of(connection, account_id)
    accounts = accounts_seen(connection, standing, account_id)
    return Reach(standing, accounts, frozenset(current_scopes(connection, accounts.keys())))
