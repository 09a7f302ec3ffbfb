"""Accounts and organizations that an emulator starts with."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.emulator.state import Account, Instance, Organization, Record
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.enrollment import ROLE_FAILED, TRUSTED_ACCESS_FAILED
from tests.emulating import START, client_of

MANAGEMENT, MEMBER, OTHER = "111111111111", "222222222222", "333333333333"


def status_of(running: Emulator, account_id: str) -> dict[str, Any]:
    answer = client_of(running, account_id).get_enrollment_status()
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize(
    ("account", "answer"),
    [
        (Account(MEMBER), {"status": "Active", "lastUpdatedTimestamp": START}),
        (Account(MEMBER, "Inactive"), {"status": "Inactive"}),
        (
            Account(MEMBER, "Pending"),
            {
                "status": "Pending",
                "statusReason": "The account is being enrolled.",
                "lastUpdatedTimestamp": START,
            },
        ),
        (
            Account(MEMBER, "Failed"),
            {
                "status": "Failed",
                "statusReason": "Failed to create service-linked role",
                "lastUpdatedTimestamp": START,
            },
        ),
        (
            Account(MEMBER, "Failed", reason=TRUSTED_ACCESS_FAILED),
            {
                "status": "Failed",
                "statusReason": "Failed to enable trusted access",
                "lastUpdatedTimestamp": START,
            },
        ),
        (
            Account(MEMBER, last_updated=datetime(2025, 1, 1, tzinfo=UTC)),
            {"status": "Active", "lastUpdatedTimestamp": datetime(2025, 1, 1, tzinfo=UTC)},
        ),
    ],
    ids=["active", "inactive", "pending", "role failed", "trusted access failed", "long ago"],
)
def test_an_account_is_as_stated(still: Emulator, account: Account, answer: dict[str, Any]) -> None:
    still.put(account)

    assert status_of(still, MEMBER) == {**answer, "memberAccountsEnrolled": False}


def test_an_organization_is_enrolled_with_its_members(still: Emulator) -> None:
    still.put(Organization(MANAGEMENT, [MEMBER, Account(OTHER, "Failed")]))

    answer = status_of(still, MANAGEMENT)
    assert answer["status"] == "Active"
    assert answer["statusReason"] == "1 member account failed to be enrolled."
    assert answer["memberAccountsEnrolled"] is True
    assert answer["numberOfMemberAccountsOptedIn"] == 1


def test_lists_the_members_of_an_organization_as_stated(still: Emulator) -> None:
    members: list[Account | str] = [
        MEMBER,
        Account(OTHER, "Failed"),
        Account("444444444444", suspended=True),
    ]
    still.put(Organization(MANAGEMENT, members))

    client = client_of(still, MANAGEMENT)
    answer = client.get_enrollment_statuses_for_organization()["accountEnrollmentStatuses"]
    assert [(one["accountId"], one["status"], one.get("statusReason")) for one in answer] == [
        (MEMBER, "Active", None),
        (OTHER, "Failed", ROLE_FAILED),
        ("444444444444", "Active", None),
    ]


def test_a_delegated_administrator_sees_the_members(still: Emulator) -> None:
    still.put(Organization(MANAGEMENT, [MEMBER, OTHER], delegated_administrator_id=MEMBER))

    client = client_of(still, MEMBER)
    assert len(client.get_enrollment_statuses_for_organization()["accountEnrollmentStatuses"]) == 2
    assert client.get_enrollment_status()["memberAccountsEnrolled"] is True


def test_without_trusted_access_nobody_sees_the_members(still: Emulator) -> None:
    still.put(Organization(MANAGEMENT, [MEMBER], trusted_access=False))

    client = client_of(still, MANAGEMENT)
    assert client.get_enrollment_status()["memberAccountsEnrolled"] is False
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.get_enrollment_statuses_for_organization()


def test_an_opt_in_fails_where_the_state_says_so(still: Emulator) -> None:
    unreadable = Account(OTHER, "Inactive", metrics_unreadable=True)
    still.put(
        Organization(
            Account(MANAGEMENT, "Inactive"),
            [Account(MEMBER, "Inactive")],
            trusted_access=False,
            trusted_access_refused=True,
        ),
        unreadable,
    )
    client_of(still, MANAGEMENT).update_enrollment_status(
        status="Active", includeMemberAccounts=True
    )
    client_of(still, OTHER).update_enrollment_status(status="Active")
    still.settle()

    assert status_of(still, MANAGEMENT)["statusReason"] == "Failed to enable trusted access"
    assert status_of(still, OTHER)["statusReason"] == "Failed to create service-linked role"


def test_what_is_pending_settles_by_the_clock(still: Emulator) -> None:
    still.put(Organization(Account(MANAGEMENT, "Pending"), [Account(MEMBER, "Pending")]))
    assert status_of(still, MANAGEMENT)["statusReason"] == (
        "Member accounts of the organization need more time to be enrolled."
    )

    still.clock.advance(milliseconds=999)
    assert status_of(still, MEMBER)["status"] == "Pending"
    still.clock.advance(milliseconds=1)

    assert status_of(still, MEMBER)["status"] == "Active"
    answer = status_of(still, MANAGEMENT)
    assert answer["status"] == "Active"
    assert answer["lastUpdatedTimestamp"] == START + timedelta(seconds=1)
    assert answer["numberOfMemberAccountsOptedIn"] == 1


def test_states_add_up_and_the_last_word_on_an_account_stands(still: Emulator) -> None:
    still.put(Organization(MANAGEMENT, [MEMBER, OTHER]))
    still.put(Account(MEMBER, "Failed"))

    assert status_of(still, MEMBER)["status"] == "Failed"
    # It is still a member: two were, and one of them is Active.
    assert status_of(still, MANAGEMENT)["numberOfMemberAccountsOptedIn"] == 1


def test_an_account_of_which_only_resources_are_stated_is_active(still: Emulator) -> None:
    still.put(Instance("web", account_id=MEMBER))

    assert status_of(still, MEMBER)["status"] == "Active"
    assert status_of(still, OTHER)["status"] == "Inactive"


def test_resources_do_not_enroll_an_account_that_is_stated_otherwise(still: Emulator) -> None:
    still.put(Account(MEMBER, "Inactive"))
    still.put(Instance("web", account_id=MEMBER))

    client = client_of(still, MEMBER)
    with pytest.raises(client.exceptions.OptInRequiredException):
        client.get_ec2_instance_recommendations()


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (Account("22"), r"Account: .*\$\.account_id"),
        (Account(MEMBER, "active"), r"Invalid enum value 'active'"),  # type: ignore[arg-type] # what it refuses
        (Account(MEMBER, last_updated=datetime(2026, 1, 1)), "no time zone"),
        (Organization(MANAGEMENT, [MANAGEMENT]), "stated 2 times"),
        (Organization(MANAGEMENT, [MEMBER], delegated_administrator_id=OTHER), "is no member"),
        (Organization(Account(MANAGEMENT, suspended=True)), "cannot be suspended"),
        (Organization(MANAGEMENT, all_features=False), "needs all_features"),
        (
            Organization(MANAGEMENT, trusted_access=False, member_accounts_enrolled=True),
            "needs trusted_access",
        ),
        (Organization(MANAGEMENT, organization_id="org"), "expected o-"),
    ],
)
def test_refuses_what_cannot_be_and_says_why(still: Emulator, record: Record, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        still.put(record)


def test_nothing_is_there_of_a_state_that_is_refused() -> None:
    with emulator(clock=START, frozen=True) as running:
        with pytest.raises(InvalidInput):
            running.put(Account(MEMBER), Instance("web", "m5.huge"))

        assert status_of(running, MEMBER)["status"] == "Inactive"
