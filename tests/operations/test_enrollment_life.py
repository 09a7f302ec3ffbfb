"""The whole life of enrollment against a small model: any order of events, crashes in between."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from compute_optimizer.errors import Conflict
from compute_optimizer.jobs import organization
from compute_optimizer.model.enrollment import opt_in, settle
from compute_optimizer.operations.access import target_account
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    OptInRequiredException,
)
from compute_optimizer.store import State
from compute_optimizer.store.accounts import change_roster, roster_for_change, save_roster
from compute_optimizer.store.enrollments import opted_in_accounts, pending_accounts
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, STRANGER, Desk
from tests.states import FreshUrl

ACCOUNTS = (MANAGEMENT, ALPHA, BETA, GAMMA, STRANGER)
"""STRANGER never joins; the others but MANAGEMENT come and go."""

MAY_JOIN = (ALPHA, BETA, GAMMA)


@dataclass
class Expected:
    """What the contract says, in plain sets; it shares no code with the program."""

    status: dict[str, str] = field(default_factory=lambda: dict.fromkeys(ACCOUNTS, "Inactive"))
    members: set[str] = field(default_factory=set)
    delegated: str | None = None
    trusted: bool = False
    refused: bool = False
    suspended: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    makers: set[str] = field(default_factory=set)
    """Administrators whose opt-in with members is in force."""
    asked_by_organization: set[str] = field(default_factory=set)

    def opt_in(self, account: str) -> bool:
        return self.status[account] in {"Active", "Pending"}

    def administers(self, account: str) -> bool:
        return account in {MANAGEMENT, self.delegated}

    def ask(self, account: str, by_organization: bool) -> None:
        if not self.opt_in(account):
            self.status[account] = "Pending"
            if by_organization:
                self.asked_by_organization.add(account)
        if not by_organization:
            self.asked_by_organization.discard(account)

    def ask_all(self, account: str) -> None:
        everybody = self.members | {account}
        asked_already = account in self.makers and self.trusted
        if asked_already and all(map(self.opt_in, everybody)):
            return
        self.trusted = self.trusted or not self.refused
        for member in self.members - {account}:
            self.ask(member, by_organization=True)
        self.makers.add(account)
        self.status[account] = "Pending"
        self.asked_by_organization.discard(account)

    def leave_service(self, account: str) -> None:
        self.status[account] = "Inactive"
        self.asked_by_organization.discard(account)
        self.makers -= self.makers if account == MANAGEMENT else {account}

    def lose_trusted_access(self) -> None:
        if self.trusted:
            self.trusted = False
            self.makers.clear()
            self.asked_by_organization -= self.members
            for member in self.members:
                self.status[member] = "Inactive"

    def checkable(self) -> list[str]:
        return [
            one for one in ACCOUNTS if self.status[one] == "Pending" and one not in self.suspended
        ]

    def check_accounts(self) -> None:
        within = self.members | {MANAGEMENT}
        if not self.trusted and not within.isdisjoint(self.checkable()):
            needing = (self.makers | self.asked_by_organization) & within
            needing = {one for one in needing if self.status[one] == "Pending"}
            self.trusted = bool(needing) and not self.refused
            if needing and self.refused:
                self.makers.clear()
                for one in needing:
                    self.finish(one, "Failed")
        for one in self.checkable():
            if one not in self.makers:
                self.finish(one, "Failed" if one in self.broken else "Active")

    def check_administrators(self) -> None:
        for one in (self.delegated, MANAGEMENT):
            waited_for = self.members - {one or ""}
            if one in self.makers and waited_for.isdisjoint(self.checkable()):
                assert one is not None
                if one in self.checkable():
                    self.finish(one, "Failed" if one in self.broken else "Active")

    def finish(self, account: str, status: str) -> None:
        self.status[account] = status
        self.asked_by_organization.discard(account)

    def count(self) -> int:
        return sum(self.status[one] == "Active" for one in self.members - self.suspended)


class Life(RuleBasedStateMachine):
    """One organization and a stranger; every rule is an event of their lives."""

    fresh_url: ClassVar[FreshUrl]

    def __init__(self) -> None:
        super().__init__()
        self.url = type(self).fresh_url()
        self.desk = Desk(State(self.url))
        self.witness = Desk(State(self.url), self.desk.clock)  # another process
        self.model = Expected()
        self.desk.organize()
        self.seen = {one: self.desk.status(one) for one in ACCOUNTS}

    def teardown(self) -> None:
        self.desk.state.close()
        self.witness.state.close()

    # What accounts ask for

    @rule(account=st.sampled_from(ACCOUNTS))
    def opts_in(self, account: str) -> None:
        self.desk.clock.tick()
        self.model.ask(account, by_organization=False)
        assert self.desk.opt_in(account)["status"] == self.model.status[account]

    @rule(account=st.sampled_from(ACCOUNTS))
    def opts_in_with_members(self, account: str) -> None:
        self.desk.clock.tick()
        if not self.model.administers(account):
            with pytest.raises(InvalidParameterValueException):
                self.desk.opt_in(account, includeMemberAccounts=True)
            return
        self.model.ask_all(account)
        answer = self.desk.opt_in(account, includeMemberAccounts=True)
        assert answer["status"] == self.model.status[account]

    @rule(account=st.sampled_from(ACCOUNTS))
    def opts_out(self, account: str) -> None:
        self.desk.clock.tick()
        self.model.leave_service(account)
        assert self.desk.opt_out(account) == {"status": "Inactive"}

    # What happens to the organization

    @rule(account=st.sampled_from(MAY_JOIN))
    def joins_or_leaves(self, account: str) -> None:
        self.desk.clock.tick()
        if account in self.model.members:
            self.desk.leave(account)
            self.model.members.remove(account)
            self.model.makers.discard(account)
            self.model.suspended.discard(account)
            self.model.broken.discard(account)
            if self.model.delegated == account:
                self.model.delegated = None
        else:
            self.desk.join(account)
            self.model.members.add(account)
            if self.model.makers:
                self.model.ask(account, by_organization=not self.model.opt_in(account))

    @precondition(lambda self: self.model.members)
    @rule(data=st.data())
    def is_suspended_or_resumed(self, data: st.DataObject) -> None:
        self.desk.clock.tick()
        account = data.draw(st.sampled_from(sorted(self.model.members)))
        self.model.suspended ^= {account}
        self.desk.suspend(account, account in self.model.suspended)

    @precondition(lambda self: self.model.members - self.model.suspended)
    @rule(data=st.data())
    def becomes_delegated_administrator(self, data: st.DataObject) -> None:
        self.desk.clock.tick()
        account = data.draw(st.sampled_from(sorted(self.model.members - self.model.suspended)))
        self.desk.delegate(account)
        self.model.delegated = account
        self.model.makers &= {MANAGEMENT, account}

    @rule()
    def nobody_is_delegated_administrator(self) -> None:
        self.desk.clock.tick()
        organization.undelegate(self.desk.state, self.desk.clock)
        self.model.delegated = None
        self.model.makers &= {MANAGEMENT}

    @rule()
    def loses_trusted_access(self) -> None:
        self.desk.clock.tick()
        self.desk.trusted_access(False)
        self.model.lose_trusted_access()

    @rule()
    def gets_trusted_access(self) -> None:
        self.desk.clock.tick()
        if self.model.refused and not self.model.trusted:
            with pytest.raises(Conflict):
                self.desk.trusted_access(True)
        else:
            self.desk.trusted_access(True)
            self.model.trusted = True

    # What makes checks fail

    @rule(account=st.sampled_from(ACCOUNTS))
    def metrics_break_or_recover(self, account: str) -> None:
        self.desk.clock.tick()
        self.model.broken ^= {account}
        self.desk.break_metrics(account, account in self.model.broken)

    @rule()
    def trusted_access_is_refused_or_not(self) -> None:
        self.desk.clock.tick()
        self.model.refused = not self.model.refused
        self.desk.refuse_trusted_access(self.model.refused)

    # The background, and what interrupts it

    @rule(by_witness=st.booleans())
    def background_runs(self, by_witness: bool) -> None:
        self.desk.clock.tick()
        self.model.check_accounts()
        self.model.check_administrators()
        changed = (self.witness if by_witness else self.desk).settle()
        assert changed == (self.changed_since() != {})
        assert not self.desk.settle()

    @rule()
    def background_is_killed_between_its_transactions(self) -> None:
        self.desk.clock.tick()
        self.model.check_accounts()
        now = self.desk.clock.now()
        for account in self.desk.state.remembered("pending", pending_accounts):
            change_roster(self.desk.state, account, lambda roster: settle(roster, now))
        self.restarts()

    @rule(account=st.sampled_from(ACCOUNTS))
    def a_change_is_killed_before_its_commit(self, account: str) -> None:
        self.desk.clock.tick()
        with pytest.raises(KeyboardInterrupt), self.desk.state.writing() as connection:
            before = roster_for_change(connection, account)
            after = settle(
                opt_in(before, account, False, self.desk.clock.now()), self.desk.clock.now()
            )
            save_roster(connection, before, after)
            raise KeyboardInterrupt
        self.restarts()

    @rule()
    def restarts(self) -> None:
        self.desk.state.close()
        self.desk.state = State(self.url)

    # What must hold at every moment

    def changed_since(self) -> dict[str, dict[str, Any]]:
        now = {one: self.desk.status(one) for one in ACCOUNTS}
        return {one: now[one] for one in ACCOUNTS if now[one] != self.seen[one]}

    @invariant()
    def everybody_stands_where_the_contract_says(self) -> None:
        for one in ACCOUNTS:
            answer = self.desk.status(one)
            assert self.witness.status(one) == answer
            assert answer["status"] == self.model.status[one]
            included = self.model.administers(one) and bool(self.model.makers)
            assert answer["memberAccountsEnrolled"] is included
            expected = self.model.count() if self.model.administers(one) else None
            assert answer.get("numberOfMemberAccountsOptedIn") == expected
            if answer["status"] in {"Pending", "Failed"}:
                assert answer["statusReason"]
            if answer["status"] == "Active" and one not in self.model.makers:
                assert "statusReason" not in answer

    @invariant()
    def timestamps_move_with_own_status_and_inclusion_only(self) -> None:
        for one in ACCOUNTS:
            before, after = self.seen[one], self.desk.status(one)
            moved = visible(before) != visible(after)
            expected = self.desk.clock.now() if moved else before.get("lastUpdatedTimestamp")
            assert after.get("lastUpdatedTimestamp") == expected
            self.seen[one] = after

    @invariant()
    def administrators_see_every_member(self) -> None:
        for one in ACCOUNTS:
            if self.model.administers(one) and self.model.trusted:
                listed = self.desk.listed(one)
                assert listed == {member: self.model.status[member] for member in listed}
                assert set(listed) == self.model.members
            else:
                with pytest.raises(AccessDeniedException):
                    self.desk.listing(one)

    @invariant()
    def access_follows_enrollment(self) -> None:
        for caller in ACCOUNTS:
            for other in ACCOUNTS:
                assert outcome(self.desk, caller, other) == self.expected_outcome(caller, other)
        with self.desk.state.reading() as connection:
            shown = {one for one in ACCOUNTS if self.is_shown(one)}
            assert opted_in_accounts(connection) == shown

    def is_shown(self, account: str) -> bool:
        return self.model.opt_in(account) and account not in self.model.suspended

    def expected_outcome(self, caller: str, other: str) -> str:
        if not self.is_shown(caller):
            return "OptInRequiredException"
        if caller == other:
            return other
        within = self.model.members | {MANAGEMENT}
        if not (self.model.administers(caller) and self.model.trusted and other in within):
            return "AccessDeniedException"
        return other if self.is_shown(other) else "OptInRequiredException"


def visible(answer: dict[str, Any]) -> tuple[str, bool]:
    return answer["status"], answer["memberAccountsEnrolled"]


def outcome(desk: Desk, caller: str, other: str) -> str:
    try:
        return target_account(desk.context(caller), [other])
    except (OptInRequiredException, AccessDeniedException) as error:
        return error.code


def run(fresh_url: FreshUrl, examples: int) -> None:
    machine = type("Lives", (Life,), {"fresh_url": staticmethod(fresh_url)})
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=30, deadline=None),
    )


def test_any_life_follows_the_contract(fresh_sqlite: FreshUrl) -> None:
    run(fresh_sqlite, examples=40)


def test_any_life_follows_the_contract_on_postgresql(fresh_postgresql: FreshUrl) -> None:
    run(fresh_postgresql, examples=4)
