"""An organization to enroll, and its accounts calling the operations: for tests of enrollment."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from compute_optimizer.interfaces import Sink
from compute_optimizer.jobs import organization
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.organization import Change
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.operations.context import Context
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

MANAGEMENT = "111111111111"
ALPHA = "222222222222"
BETA = "333333333333"
GAMMA = "444444444444"
STRANGER = "999999999999"
"""An account that nobody added."""

ORGANIZATION = "o-111111111111"

START = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)


@dataclass
class HandClock:
    """A clock that moves when it is told to."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment

    def tick(self, **span: float) -> datetime:
        """Move on, by a second unless told otherwise, and return the new moment."""
        self.moment += timedelta(**(span or {"seconds": 1}))
        return self.moment


@dataclass
class Desk:
    """The operations as the accounts call them."""

    state: State
    clock: HandClock = field(default_factory=HandClock)
    sink: Sink | None = None
    newer_idle_types: bool = True
    tiles: TileStore = field(default_factory=lambda: TileStore(Path("no-tiles")))

    def context(self, account: str, region: str = "us-east-1") -> Context:
        principal = f"arn:aws:iam::{account}:user/test"
        return Context(
            account,
            region,
            "request-1",
            principal,
            self.state,
            self.clock,
            self.tiles,
            newer_idle_types=self.newer_idle_types,
            sink=self.sink,
        )

    def call(self, operation: str, account: str, **request: Any) -> dict[str, Any]:
        return OPERATIONS[operation](self.context(account), request)

    def status(self, account: str) -> dict[str, Any]:
        return self.call("GetEnrollmentStatus", account)

    def opt_in(self, account: str, **request: Any) -> dict[str, Any]:
        return self.call("UpdateEnrollmentStatus", account, status="Active", **request)

    def opt_out(self, account: str) -> dict[str, Any]:
        return self.call("UpdateEnrollmentStatus", account, status="Inactive")

    def opt_in_all(self) -> None:
        """Enroll the management account with its members and let them settle."""
        self.opt_in(MANAGEMENT, includeMemberAccounts=True)
        self.settle()

    def listing(self, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
        return self.call("GetEnrollmentStatusesForOrganization", account, **request)

    def listed(self, account: str = MANAGEMENT) -> dict[str, str]:
        """Return the status of every member as the organization's listing tells it."""
        found = self.listing(account)["accountEnrollmentStatuses"]
        return {one["accountId"]: one["status"] for one in found}

    def settle(self) -> bool:
        return advance_enrollments(self.state, self.clock)

    def organize(self, *members: str) -> None:
        """Make an organization of the management account and some members."""
        organization.set_management(self.state, self.clock, MANAGEMENT)
        if members:
            self.join(*members)

    def join(self, *accounts: str) -> list[Change]:
        return organization.add_accounts(self.state, self.clock, accounts, ORGANIZATION)

    def leave(self, *accounts: str) -> list[Change]:
        return organization.remove_accounts(self.state, self.clock, accounts)

    def delegate(self, account: str) -> list[Change]:
        return organization.delegate(self.state, self.clock, account)

    def suspend(self, account: str, suspended: bool = True) -> list[Change]:
        return organization.suspend_accounts(self.state, [account], suspended)

    def trusted_access(self, allowed: bool) -> list[Change]:
        return organization.allow_trusted_access(self.state, self.clock, None, allowed)

    def break_metrics(self, account: str, broken: bool = True) -> list[Change]:
        return organization.make_metrics_unreadable(self.state, account, broken)

    def refuse_trusted_access(self, refused: bool = True) -> list[Change]:
        return organization.refuse_trusted_access(self.state, None, refused)


def opt_in(state: State, *accounts: str, clock: HandClock | None = None) -> Desk:
    """Opt accounts in and return the operations, over a state in which they are Active."""
    desk = Desk(state, clock or HandClock())
    for account in accounts:
        desk.opt_in(account)
    desk.settle()
    return desk
