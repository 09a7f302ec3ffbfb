"""Enrollment that stays Pending or fails, as boto3 meets it in both protocols."""

from collections.abc import Iterator
from typing import Any

import pytest

from compute_optimizer.emulator.faults import failed, pending
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.organization import add_accounts, delegate, set_management
from compute_optimizer.model.enrollment import ROLE_FAILED, TRUSTED_ACCESS_FAILED
from tests.calling import ACCOUNT, AFTER_LAST_DAY, OTHER, Connect

MANAGEMENT, MEMBER = ACCOUNT, OTHER


@pytest.fixture
def running() -> Iterator[Emulator]:
    with emulator(clock=AFTER_LAST_DAY, frozen=True) as one:
        yield one


def status_of(client: Any) -> str:
    return str(client.get_enrollment_status()["status"])


def organize(running: Emulator) -> None:
    state, clock = running.application.state, running.clock
    set_management(state, clock, MANAGEMENT)
    add_accounts(state, clock, [MEMBER], f"o-{MANAGEMENT}")


def test_pending_never_ends(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    with running.faults.add(pending(ACCOUNT)):
        client.update_enrollment_status(status="Active")
        running.clock.advance(days=2)
        running.settle()
        assert status_of(client) == "Pending"
        connect(running, OTHER).update_enrollment_status(status="Active")
        running.clock.advance(seconds=1)
        assert status_of(connect(running, OTHER)) == "Active"

    running.clock.advance(seconds=1)
    assert status_of(client) == "Active"


def test_pending_members_keep_their_administrators_waiting(
    running: Emulator, connect: Connect
) -> None:
    organize(running)
    client = connect(running, MANAGEMENT)
    running.faults.add(pending(MEMBER))
    client.update_enrollment_status(status="Active", includeMemberAccounts=True)
    running.clock.advance(hours=1)

    assert status_of(client) == "Pending"
    assert status_of(connect(running, MEMBER)) == "Pending"
    assert client.get_enrollment_status()["numberOfMemberAccountsOptedIn"] == 0

    running.faults.clear()
    running.settle()
    assert status_of(client) == "Active"


def test_a_held_delegated_administrator_keeps_the_management_account_waiting(
    running: Emulator, connect: Connect
) -> None:
    organize(running)
    delegate(running.application.state, running.clock, MEMBER)
    running.faults.add(pending(MEMBER))
    for account in (MANAGEMENT, MEMBER):
        client = connect(running, account)
        client.update_enrollment_status(status="Active", includeMemberAccounts=True)
    running.settle()

    assert status_of(connect(running, MANAGEMENT)) == "Pending"
    assert status_of(connect(running, MEMBER)) == "Pending"


def test_enrollment_fails_while_the_role_cannot_be_made(
    running: Emulator, connect: Connect
) -> None:
    client = connect(running)
    with running.faults.add(failed(ACCOUNT)):
        client.update_enrollment_status(status="Active")
        running.settle()
        answer = client.get_enrollment_status()
        assert (answer["status"], answer["statusReason"]) == ("Failed", ROLE_FAILED)

    client.update_enrollment_status(status="Active")
    running.settle()
    assert status_of(client) == "Active"


def test_enrollment_fails_for_the_emulators_account_where_none_is_named(
    running: Emulator, connect: Connect
) -> None:
    client = connect(running, "AKIAIOSFODNN7EXAMPLE")
    running.faults.add(failed())
    client.update_enrollment_status(status="Active")
    running.settle()

    assert status_of(client) == "Failed"


def test_enrollment_fails_while_trusted_access_is_refused(
    running: Emulator, connect: Connect
) -> None:
    organize(running)
    client = connect(running, MANAGEMENT)
    with running.faults.add(failed(MANAGEMENT, reason=TRUSTED_ACCESS_FAILED)):
        client.update_enrollment_status(status="Active", includeMemberAccounts=True)
        running.settle()
        answer = client.get_enrollment_status()
        assert (answer["status"], answer["statusReason"]) == ("Failed", TRUSTED_ACCESS_FAILED)

    client.update_enrollment_status(status="Active", includeMemberAccounts=True)
    running.settle()
    assert status_of(client) == "Active"


def test_enrollment_fails_until_the_last_fault_that_lets_it_is_gone(
    running: Emulator, connect: Connect
) -> None:
    organize(running)
    client = connect(running, MANAGEMENT)
    # Trusted access is the organization's, whichever account of it is named.
    first = running.faults.add(failed(MANAGEMENT, reason=TRUSTED_ACCESS_FAILED))
    second = running.faults.add(failed(MEMBER, reason=TRUSTED_ACCESS_FAILED))

    def opted_in() -> str:
        client.update_enrollment_status(status="Active", includeMemberAccounts=True)
        running.settle()
        return status_of(client)

    first.remove()
    assert opted_in() == "Failed"
    second.remove()
    assert opted_in() == "Active"


def test_faults_that_are_all_removed_leave_no_enrollment_failing(
    running: Emulator, connect: Connect
) -> None:
    client = connect(running)
    running.faults.add(failed(ACCOUNT))
    running.faults.add(failed(ACCOUNT))
    running.faults.clear()
    client.update_enrollment_status(status="Active")
    running.settle()

    assert status_of(client) == "Active"


def test_trusted_access_cannot_fail_without_an_organization(running: Emulator) -> None:
    with pytest.raises(InvalidInput, match="belongs to no organization"):
        running.faults.add(failed(ACCOUNT, reason=TRUSTED_ACCESS_FAILED))
    assert len(running.faults) == 0
