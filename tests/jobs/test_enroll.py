"""The background step: idempotent, safe in several processes, unharmed by being killed."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from compute_optimizer.jobs import organization
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.store import State
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, STRANGER, Desk
from tests.statements import statements_of

MEMBERS = tuple(f"3{number:011d}" for number in range(40))

KILLS = 15
"""On each database."""


@pytest.fixture
def desk(state: State) -> Iterator[Desk]:
    yield Desk(state)


def test_it_tells_whether_anything_changed(desk: Desk) -> None:
    assert not desk.settle()
    desk.opt_in(STRANGER)
    assert desk.settle()
    assert not desk.settle()


def test_it_leaves_alone_what_is_not_pending(desk: Desk) -> None:
    desk.organize(ALPHA, BETA)
    desk.break_metrics(BETA)
    desk.opt_in_all()
    before = [desk.status(one) for one in (MANAGEMENT, ALPHA, BETA)]
    desk.break_metrics(ALPHA)
    desk.clock.tick()
    assert not desk.settle()
    assert [desk.status(one) for one in (MANAGEMENT, ALPHA, BETA)] == before


def test_a_suspended_account_waits_without_being_looked_at_again(desk: Desk) -> None:
    desk.organize(ALPHA)
    desk.opt_in(ALPHA)
    desk.suspend(ALPHA)
    assert not desk.settle()
    assert desk.status(ALPHA)["status"] == "Pending"
    desk.suspend(ALPHA, suspended=False)
    assert desk.settle()
    assert desk.status(ALPHA)["status"] == "Active"


def test_several_organizations_and_accounts_settle_at_once(desk: Desk) -> None:
    desk.organize(ALPHA)
    organization.set_management(desk.state, desk.clock, BETA)
    organization.add_accounts(desk.state, desk.clock, [GAMMA], f"o-{BETA}")
    for management in (MANAGEMENT, BETA):
        desk.opt_in(management, includeMemberAccounts=True)
    desk.opt_in(STRANGER)
    assert desk.settle()
    for account in (MANAGEMENT, ALPHA, BETA, GAMMA, STRANGER):
        assert desk.status(account)["status"] == "Active"


def test_two_processes_settle_everything_once(state_url: str, desk: Desk) -> None:
    desk.organize(*MEMBERS)
    desk.opt_in(MANAGEMENT, includeMemberAccounts=True)
    states = [State(state_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(lambda one: advance_enrollments(one, desk.clock), states))
    assert any(changed)
    assert desk.status(MANAGEMENT)["numberOfMemberAccountsOptedIn"] == len(MEMBERS)
    for one in states:
        one.close()


def test_requests_beside_the_background_are_not_lost(state_url: str, desk: Desk) -> None:
    others = [Desk(State(state_url), desk.clock) for _ in range(3)]

    def live(number: int) -> None:
        for round_number in range(5):
            account = f"4{number:05d}{round_number:06d}"
            others[number].opt_in(account)
            others[number].settle()
            others[number].opt_out(account)
            others[number].opt_in(account)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(live, range(3)))
    desk.settle()
    for number in range(3):
        for round_number in range(5):
            assert desk.status(f"4{number:05d}{round_number:06d}")["status"] == "Active"
        others[number].state.close()


def test_it_costs_next_to_nothing_while_nothing_is_pending(sqlite_state: State) -> None:
    desk = Desk(sqlite_state)
    desk.settle()
    asked = statements_of(sqlite_state)

    desk.settle()
    # Only the pragma that tells of other processes, on a connection beside the engine's.
    assert asked == []
    desk.opt_in(STRANGER)
    assert asked != []


SPAWNER = """
import os, sys
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State

def live(url, management, *members):
    state, clock = State(url), SystemClock()
    while True:
        change_enrollment(state, clock, management, "Active", True)
        advance_enrollments(state, clock)
        change_enrollment(state, clock, management, "Inactive")
        for member in members:
            change_enrollment(state, clock, member, "Inactive")
        print("round", flush=True)

for _ in sys.stdin:
    if (child := os.fork()) == 0:
        live(*sys.argv[1:])
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""
"""Starts a process that enrolls and leaves for ever, whenever it is told to; importing once.

The process tells of each round.
"""


def test_killed_at_any_moment_the_next_process_goes_on(state_url: str, desk: Desk) -> None:
    members = MEMBERS[:5]
    desk.organize(*members)
    desk.trusted_access(True)
    chance = random.Random(7)
    command = [sys.executable, "-c", SPAWNER, state_url, MANAGEMENT, *members]
    root = Path(__file__).parents[2]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    found = set()
    with subprocess.Popen(command, text=True, cwd=root, **pipes) as spawner:
        for _ in range(KILLS):
            kill_one(spawner, after_rounds=chance.uniform(0, 1.5))
            assert_whole(desk, members)
            found.add(desk.status(MANAGEMENT)["status"])
            desk.settle()
            answer = desk.status(MANAGEMENT)
            assert answer["status"] in {"Active", "Inactive"}
            assert answer["memberAccountsEnrolled"] is (answer["status"] == "Active")
            desk.opt_in_all()
            assert desk.status(MANAGEMENT)["numberOfMemberAccountsOptedIn"] == len(members)
    # Every round begins with Active, so another status shows that the process was at work.
    assert found - {"Active"}


def kill_one(spawner: Any, after_rounds: float) -> None:
    """Start a process and kill it without warning, so many times as long after its first round."""
    spawner.stdin.write("start\n")
    spawner.stdin.flush()
    child = int(spawner.stdout.readline())
    began = monotonic()
    assert spawner.stdout.readline() == "round\n"
    sleep(after_rounds * (monotonic() - began))
    os.kill(child, signal.SIGKILL)
    assert set(iter(spawner.stdout.readline, "gone\n")) <= {"round\n"}


def assert_whole(desk: Desk, members: tuple[str, ...]) -> None:
    """The program's transactions change all members together, so no half of one may be seen."""
    listed = desk.listed()
    if desk.status(MANAGEMENT)["status"] == "Pending":
        assert set(listed.values()) in ({"Pending"}, {"Active"})
    if desk.status(MANAGEMENT)["status"] == "Active":
        assert set(listed.values()) == {"Active"}
